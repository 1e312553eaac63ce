#include "cluster/requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/testing.hpp"

namespace carillon::cluster {
namespace {

using ::testing::SizeIs;
using OperationKind = socketio::Operation::Kind;
using testing::FakeLink;

class RequestsTest : public ::testing::Test {
 protected:
  void ask(OperationKind kind = OperationKind::server_side_emit, Milliseconds own_timeout = {}) {
    auto operation = std::make_shared<socketio::Operation>();
    operation->kind = kind;
    operation->selection.flags.timeout = own_timeout;
    requests.ask({.id = "r",
                  .channel = "c",
                  .kind = redis::ChannelKind::plain,
                  .operation = std::move(operation),
                  .send = [this] { ++sent; },
                  .done = [this](const socketio::OperationResult& result) { results.push_back(result); }},
                 now);
  }
  static socketio::OperationResult says(Value value) {
    socketio::OperationResult part;
    part.answers = {std::move(value)};
    return part;
  }
  void pass(Milliseconds time) {
    for (const TimePoint end = now + time; now < end;) {
      now = std::min(end, std::max(now, requests.next_deadline()));
      requests.on_time(now);
      if (requests.next_deadline() == never) now = end;
    }
  }

  FakeLink link;
  Statistics statistics;
  Requests requests{link, statistics, {Milliseconds(5'000), Milliseconds(10'000)}};
  TimePoint now{};
  int sent = 0;
  std::vector<socketio::OperationResult> results;
};

TEST_F(RequestsTest, AcknowledgementsHaveALimitTogether) {
  Requests small{link, statistics, {Milliseconds(5'000), Milliseconds(10'000), 2 * sizeof(Args) + 20}};
  auto operation = std::make_shared<socketio::Operation>();
  operation->kind = OperationKind::emit_with_ack;
  link.subscribers = 2;
  small.ask({.id = "r",
             .channel = "c",
             .kind = redis::ChannelKind::plain,
             .operation = std::move(operation),
             .send = [] {},
             .done = [this](const socketio::OperationResult& result) { results.push_back(result); }},
            now);
  small.add_clients("r", "a", 3);
  for (int i = 0; i < 2; ++i) small.add_ack("r", Args(Array{"12345678"}));
  EXPECT_THAT(results, SizeIs(0));
  small.add_ack("r", Args(Array{1}));
  ASSERT_THAT(results, SizeIs(1)) << "all have answered";
  EXPECT_THAT(results[0].acks.responses, SizeIs(2)) << "what fits is kept";
  EXPECT_EQ(results[0].acks.missing, 1U);
  EXPECT_EQ(statistics.acks_dropped.value(), 1U);
}

TEST_F(RequestsTest, EndsWhenAllOtherServersHaveAnswered) {
  link.subscribers = 3;
  ask();
  EXPECT_EQ(sent, 1);
  requests.answer("r", {}, says(1));
  EXPECT_THAT(results, SizeIs(0));
  requests.answer("r", {}, says(2));
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_THAT(results[0].answers, SizeIs(2));
  EXPECT_EQ(results[0].missing_servers, 0U);
  EXPECT_EQ(requests.next_deadline(), never);
}

TEST_F(RequestsTest, WithoutOthersNothingIsSent) {
  ask();
  EXPECT_EQ(sent, 0);
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].missing_servers, 0U);
}

TEST_F(RequestsTest, WhoDoesNotAnswerInTimeIsMissing) {
  link.subscribers = 4;
  ask();
  requests.answer("r", {}, says(1));
  pass(Milliseconds(4'999));
  EXPECT_THAT(results, SizeIs(0));
  pass(Milliseconds(1));
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_THAT(results[0].answers, SizeIs(1));
  EXPECT_EQ(results[0].missing_servers, 2U);
  EXPECT_EQ(statistics.incomplete_requests.value(), 1U);
  requests.answer("r", {}, says(2));  // too late
  EXPECT_EQ(statistics.strayed_answers.value(), 1U);
}

TEST_F(RequestsTest, AServerWhoseConnectionEndsIsNotWaitedFor) {
  link.subscribers = 3;
  ask();
  requests.answer("r", {}, says(1));
  link.subscribers = 2;
  pass(Milliseconds(2'000));
  ASSERT_THAT(results, SizeIs(1)) << "within two seconds";
  EXPECT_EQ(results[0].missing_servers, 1U);
}

// Of two others one answers and dies, the other one is slow: it is the slow one that is still waited for.
TEST_F(RequestsTest, AServerThatAnsweredAndDiedDoesNotStandForAnother) {
  link.subscribers = 3;
  ask();
  requests.answer("r", {}, says(1));
  link.subscribers = 2;
  pass(Milliseconds(600));
  EXPECT_THAT(results, SizeIs(0)) << "one look may be too early";
  requests.answer("r", {}, says(2));
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].missing_servers, 0U);
}

TEST_F(RequestsTest, WithoutRedisNobodyCanBeAsked) {
  link.subscribers = 4;
  requests.count_servers("c", redis::ChannelKind::plain, [](const socketio::OperationResult&) {});
  link.subscribers.reset();
  ask();
  EXPECT_EQ(sent, 0);
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].missing_servers, 3U) << "as many as there were";
}

TEST_F(RequestsTest, RepeatsAndStrangersCountNothing) {
  link.subscribers = 3;
  ask();
  requests.answer("r", "one", says(1));
  requests.answer("r", "one", says(1));
  requests.answer("unknown", "one", says(1));
  requests.add_ack("unknown", {});
  EXPECT_EQ(statistics.strayed_answers.value(), 3U);
  EXPECT_THAT(results, SizeIs(0));
  requests.answer("r", "two", says(2));
  EXPECT_THAT(results[0].answers, SizeIs(2));
}

TEST_F(RequestsTest, ABroadcastEndsWhenAllClientsHaveAnswered) {
  link.subscribers = 3;
  ask(OperationKind::emit_with_ack);
  requests.add_ack("r", make_args(1));  // before its server has said how many there are
  requests.add_clients("r", {}, 2);
  requests.add_clients("r", {}, 0);
  EXPECT_THAT(results, SizeIs(0));
  requests.add_ack("r", make_args(2));
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_THAT(results[0].acks.responses, SizeIs(2));
  EXPECT_EQ(results[0].acks.missing, 0U);
}

TEST_F(RequestsTest, ABroadcastHasItsOwnTimeoutAndSaysWhoIsMissing) {
  link.subscribers = 3;
  ask(OperationKind::emit_with_ack, Milliseconds(300));
  requests.add_clients("r", {}, 2);
  requests.add_ack("r", make_args(1));
  pass(Milliseconds(300));
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].acks.missing, 1U);
  EXPECT_EQ(results[0].missing_servers, 1U);
}

TEST_F(RequestsTest, CountsServers) {
  std::vector<std::size_t> counts;
  const auto count = [&] {
    requests.count_servers("c", redis::ChannelKind::plain,
                           [&](const socketio::OperationResult& result) { counts.push_back(result.count); });
  };
  link.subscribers = 3;
  count();
  link.subscribers = 0;  // not subscribed yet: but here
  count();
  link.subscribers.reset();
  count();
  EXPECT_THAT(counts, ::testing::ElementsAre(3, 1, 1));
}

TEST_F(RequestsTest, TheCountMayComeLateOrNever) {
  link.answers_counts = false;
  link.subscribers = 3;
  ask();
  pass(Milliseconds(5'000));
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].missing_servers, 1U) << "how many there are is not known, but nobody has answered";
  EXPECT_EQ(statistics.incomplete_requests.value(), 1U);
  link.count_done[0](3);  // nobody is asking any more
  EXPECT_EQ(sent, 0);
  EXPECT_THAT(results, SizeIs(1));
}

}  // namespace
}  // namespace carillon::cluster
