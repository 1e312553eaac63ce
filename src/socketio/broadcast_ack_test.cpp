// Broadcasts that ask for acknowledgements: who has answered, who has not, and when that is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "socketio/packet.hpp"
#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class BroadcastAckTest : public ::testing::Test {
 protected:
  // Three clients: a, b and c.
  BroadcastAckTest() {
    bench.options.broadcast_ack_bytes_max = 100;
    bench.of("/other");
    bench.root().on_connection([this](Socket& socket) { sockets.push_back(&socket); });
    for (int i = 0; i < 3; ++i) {
      clients.push_back(std::make_unique<TestClient>(bench));
      ids.push_back(clients.back()->connect());
    }
  }
  BroadcastAckHandler collect() {
    return [this](const BroadcastAcks& acks) {
      EXPECT_FALSE(result) << "called twice";
      result = acks;
    };
  }
  // The id of the packet `2ID["q"]` that the client has got.
  std::string asked(std::size_t client) {
    const auto packets = clients[client]->take();
    EXPECT_EQ(packets.size(), 1U);
    if (packets.empty()) return "";
    EXPECT_TRUE(packets[0].starts_with('2') && packets[0].ends_with("[\"q\"]")) << packets[0];
    return packets[0].substr(1, packets[0].find('[') - 1);
  }
  void answer(std::size_t client, const std::string& elements) {
    clients[client]->send("3" + asked(client) + "[" + elements + "]");
  }
  std::vector<std::string> responses() const {
    std::vector<std::string> texts;
    for (const Args& args : result->responses) texts.emplace_back(args.text());
    return texts;
  }

  Bench bench;
  std::vector<std::unique_ptr<TestClient>> clients;
  std::vector<std::string> ids;
  std::vector<Socket*> sockets;
  std::optional<BroadcastAcks> result;
};

TEST_F(BroadcastAckTest, EndsWhenAllHaveAnswered) {
  bench.root().emit_with_ack("q", make_args(), collect());
  answer(2, "3");
  answer(0, "\"one\",2");
  bench.turn();
  EXPECT_FALSE(result);
  answer(1, "");
  ASSERT_TRUE(result);
  EXPECT_THAT(responses(), ElementsAre("3", "\"one\",2", ""));
  EXPECT_EQ(result->missing, 0U);
  EXPECT_THAT(result->missing_ids, IsEmpty());
  EXPECT_EQ(bench.core().stats().deliveries.value(), 3U);
}

TEST_F(BroadcastAckTest, AllReceiversGetTheSamePacketAndOthersNone) {
  sockets[0]->join("r");
  sockets[1]->join("r");
  bench.root().to("r").except(ids[1]).emit_with_ack("q", make_args(), collect());
  bench.root().to("r").emit_with_ack("q", make_args(), [](const BroadcastAcks&) {});
  const auto first = clients[0]->take();
  ASSERT_EQ(first.size(), 2U);
  EXPECT_NE(first[0], first[1]) << "each broadcast has its id";
  EXPECT_THAT(clients[1]->take(), ElementsAre(first[1]));
  EXPECT_THAT(clients[2]->take(), IsEmpty());
  const std::uint64_t id = std::stoull(first[0].substr(1));
  EXPECT_GE(id, broadcast_ack_id_min);
  EXPECT_LE(id, ack_id_max);
}

TEST_F(BroadcastAckTest, TheTimeoutSaysWhoHasNotAnswered) {
  bench.root().timeout(Milliseconds(500)).emit_with_ack("q", make_args(), collect());
  answer(1, "1");
  bench.advance(Milliseconds(480));
  bench.turn();
  EXPECT_FALSE(result);
  bench.advance(Milliseconds(40));
  ASSERT_TRUE(result);
  EXPECT_THAT(responses(), ElementsAre("1"));
  EXPECT_EQ(result->missing, 2U);
  EXPECT_THAT(result->missing_ids, UnorderedElementsAre(ids[0], ids[2]));
  answer(2, R"("late")");
  answer(0, R"("late")");
  EXPECT_EQ(result->responses.size(), 1U);
}

TEST_F(BroadcastAckTest, TheDefaultTimeoutIsAnOption) {
  bench.options.broadcast_ack_timeout = Milliseconds(2'000);
  bench.root().emit_with_ack("q", make_args(), collect());
  bench.advance(Milliseconds(1'900));
  bench.turn();
  EXPECT_FALSE(result);
  bench.advance(Milliseconds(150));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->missing, 3U);
}

TEST_F(BroadcastAckTest, WhoGoesAwayCountsAtOnce) {
  bench.root().emit_with_ack("q", make_args(), collect());
  answer(0, "1");
  clients[1]->hang_up();
  EXPECT_FALSE(result);
  clients[2]->send("1");
  bench.turn();
  ASSERT_TRUE(result);
  EXPECT_THAT(responses(), ElementsAre("1"));
  EXPECT_THAT(result->missing_ids, ElementsAre(ids[1], ids[2]));
}

TEST_F(BroadcastAckTest, WithoutReceiversItEndsAtOnceButNotInsideTheCall) {
  bench.root().to("nobody").emit_with_ack("q", make_args(), collect());
  EXPECT_FALSE(result);
  bench.turn();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->missing, 0U);
  result.reset();
  bench.of("/other").emit_with_ack("q", make_args(), collect());
  bench.turn();
  EXPECT_TRUE(result);
}

TEST_F(BroadcastAckTest, AVolatileOneCountsWhoCouldNotTakeItAsMissing) {
  clients[1]->peer.backlog = 1;
  sockets[1]->join("r");
  bench.root().to("r").volatile_().emit_with_ack("q", make_args(), collect());
  bench.turn();
  ASSERT_TRUE(result);
  EXPECT_THAT(result->missing_ids, ElementsAre(ids[1]));
}

TEST_F(BroadcastAckTest, ASecondAnswerAndOneThatWasNotAskedForAreIgnored) {
  bench.root().except(ids[2]).emit_with_ack("q", make_args(), collect());
  const std::string id = asked(0);
  clients[0]->send("3" + id + "[1]");
  clients[0]->send("3" + id + "[2]");
  clients[2]->send("3" + id + "[3]");
  bench.turn();
  EXPECT_FALSE(result);
  answer(1, "4");
  ASSERT_TRUE(result);
  EXPECT_THAT(responses(), ElementsAre("1", "4"));
}

TEST_F(BroadcastAckTest, AnswersMayHoldBinary) {
  sockets[0]->join("r");
  bench.root().to("r").emit_with_ack("q", make_args(), collect());
  clients[0]->send("61-" + asked(0) + R"([{"_placeholder":true,"num":0}])");
  clients[0]->attach("\x01\x02");
  bench.turn();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->responses[0][0], Value(Binary{"\x01\x02"}));
}

TEST_F(BroadcastAckTest, AnswersBeyondTheLimitAreMissingAndCounted) {
  bench.root().emit_with_ack("q", make_args(), collect());
  answer(0, '"' + std::string(58, 'x') + '"');
  answer(1, '"' + std::string(58, 'x') + '"');
  answer(2, '"' + std::string(38, 'x') + '"');
  bench.turn();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->responses.size(), 2U);
  EXPECT_THAT(result->missing_ids, ElementsAre(ids[1]));
  EXPECT_EQ(bench.core().stats().acks_dropped.value(), 1U);
}

TEST_F(BroadcastAckTest, OfASocketLeavesOutItself) {
  sockets[0]->broadcast().emit_with_ack("q", make_args(), collect());
  EXPECT_THAT(clients[0]->take(), IsEmpty());
  answer(1, "1");
  answer(2, "2");
  bench.turn();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->responses.size(), 2U);
}

TEST_F(BroadcastAckTest, MayComeFromAnyThread) {
  std::thread([this] { bench.root().to(ids[2]).emit_with_ack("q", make_args(), collect()); }).join();
  bench.turn();
  answer(2, "1");
  ASSERT_TRUE(result);
}

TEST_F(BroadcastAckTest, TheHandlerMayEndSocketsAndAskAgain) {
  bench.root().emit_with_ack("q", make_args(), [this](const BroadcastAcks&) {
    sockets[0]->disconnect(true);
    bench.root().emit_with_ack("q", make_args(), collect());
  });
  answer(0, "1");
  answer(1, "1");
  answer(2, "1");
  bench.turn();
  EXPECT_FALSE(clients[0]->open());
  answer(1, "2");
  answer(2, "2");
  bench.turn();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->responses.size(), 2U);
}

TEST_F(BroadcastAckTest, TheHandlersExceptionIsLoggedAndCounted) {
  ::testing::internal::CaptureStderr();
  bench.root().to(ids[0]).emit_with_ack("q", make_args(),
                                        [](const BroadcastAcks&) { throw std::runtime_error("on purpose"); });
  answer(0, "1");
  bench.turn();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("on purpose"));
  EXPECT_EQ(bench.core().stats().handler_exceptions.value(), 1U);
  EXPECT_TRUE(clients[0]->open());
}

TEST_F(BroadcastAckTest, ReservedNamesAreRefused) {
  EXPECT_THROW(bench.root().emit_with_ack("disconnect", make_args(), collect()), std::invalid_argument);
}

TEST_F(BroadcastAckTest, NothingIsLeftWhenItNeverEnds) {
  bench.root().emit_with_ack("q", make_args(), collect());
  for (const auto& client : clients) client->hang_up();
  bench.turn();
  EXPECT_TRUE(result);
  bench.expect_empty();
}

}  // namespace
}  // namespace carillon::socketio
