// Commands with answers, and entries that are added to streams.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/log.hpp"
#include "redis/client.hpp"
#include "redis/fake_redis.hpp"

namespace carillon::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Rig;
using ::testing::SizeIs;
using testing::Words;
using Network = Rig::Network;

class ClientCommandTest : public ::testing::Test {
 protected:
  ClientCommandTest() { configure_log(LogLevel::off, LogFormat::text); }

  // What came of commands and entries, in order.
  CommandDone note() {
    return
        [this](Result<Reply, CommandError> reply) { outcomes.push_back(reply ? show(*reply) : show(reply.error())); };
  }
  AppendDone note_id() {
    return [this](std::optional<std::string_view> id) { outcomes.emplace_back(id.value_or("dropped")); };
  }

  static std::string show(const Reply& reply) {
    if (reply.type != Reply::Type::array)
      return reply.type == Reply::Type::integer ? std::to_string(reply.number) : reply.text;
    std::string text = "[";
    for (const Reply& item : reply.items) text += show(item) + ",";
    return text + "]";
  }
  static std::string show(const CommandError& error) {
    switch (error.kind) {
      case CommandError::Kind::unavailable:
        return "unavailable";
      case CommandError::Kind::lost:
        return "lost";
      case CommandError::Kind::refused:
        return "refused: " + error.text;
    }
    return "";
  }

  Words outcomes;
};

TEST_F(ClientCommandTest, AnswersComeInOrderAndWhole) {
  Rig rig;
  rig.run();
  rig.redis.override_answer = [](const Words& words) -> std::string {
    if (words[0] == "XRANGE") return "*2\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n*0\r\n";
    if (words[0] == "GET") return "$-1\r\n";
    if (words[0] == "INCR") return "-WRONGTYPE not a number\r\n";
    return "";
  };
  rig.client.command({"XRANGE", "s", "-", "+"}, "s", note());
  rig.client.command({"GET", "k"}, "k", note());
  rig.client.command({"INCR", "k"}, "k", note());
  rig.client.command({"SET", "k", "v"}, "k", note());
  EXPECT_EQ(rig.client.unanswered(), 4U);
  rig.run();
  EXPECT_THAT(outcomes, ElementsAre("[[1-1,[a,b,],],[],]", "", "refused: WRONGTYPE not a number", "OK"));
  EXPECT_EQ(rig.client.unanswered(), 0U);
  EXPECT_TRUE(rig.client.ready());
}

TEST_F(ClientCommandTest, WithoutAConnectionACommandFailsAtOnce) {
  Rig rig;
  rig.network = Network::refused;
  rig.run();
  rig.client.command({"GET", "k"}, "k", note());
  EXPECT_THAT(outcomes, ElementsAre("unavailable"));
  rig.client.command({}, "", note());
  EXPECT_THAT(outcomes, ElementsAre("unavailable", "refused: an empty command"));
}

TEST_F(ClientCommandTest, ACommandOnTheWayIsLostWithItsConnection) {
  Rig rig;
  rig.run();
  rig.answering = false;
  rig.client.command({"GET", "k"}, "k", note());
  rig.run();
  rig.client.command({"GET", "k"}, "k", note());  // has not left yet
  rig.drop(Role::commands);
  EXPECT_THAT(outcomes, ElementsAre("lost", "unavailable"));
  rig.answering = true;
  rig.advance(Milliseconds{1'000});
  EXPECT_THAT(outcomes, SizeIs(2));
  EXPECT_TRUE(rig.client.ready());
}

TEST_F(ClientCommandTest, ARedisThatHangsFailsCommandsWithinThePingTimeout) {
  Rig rig;
  rig.run();
  rig.answering = false;
  rig.client.command({"GET", "k"}, "k", note());
  rig.advance(Milliseconds{4'999});
  EXPECT_THAT(outcomes, IsEmpty());
  rig.advance(Milliseconds{2});
  EXPECT_THAT(outcomes, ElementsAre("lost"));
}

TEST_F(ClientCommandTest, CommandsThatPileUpAreBounded) {
  ClientOptions options;
  options.commands_max = 3;
  Rig rig(options);
  rig.run();
  rig.answering = false;
  for (int i = 0; i < 5; ++i) rig.client.command({"GET", "k"}, "k", note());
  EXPECT_THAT(outcomes, ElementsAre("unavailable", "unavailable"));
}

TEST_F(ClientCommandTest, WhoeverIsCalledMayAskAgain) {
  Rig rig;
  rig.run();
  int left = 3;
  std::function<void()> ask = [&] {
    rig.client.command({"GET", "k"}, "k", [&](const Result<Reply, CommandError>& reply) {
      outcomes.emplace_back(reply ? "answer" : "failure");
      if (--left > 0) ask();
    });
  };
  ask();
  rig.run();
  EXPECT_THAT(outcomes, ElementsAre("answer", "answer", "answer"));
  left = 3;
  rig.answering = false;
  ask();
  rig.run();
  rig.drop(Role::commands);
  EXPECT_THAT(outcomes, SizeIs(6));
}

TEST_F(ClientCommandTest, CountsSubscribers) {
  Rig rig;
  rig.client.subscribe("a");
  rig.client.subscribe("b", ChannelKind::sharded);
  rig.run();
  std::vector<std::optional<std::size_t>> counts;
  const auto note_count = [&](std::optional<std::size_t> count) { counts.push_back(count); };
  rig.client.count_subscribers("a", ChannelKind::plain, note_count);
  rig.client.count_subscribers("a", ChannelKind::sharded, note_count);
  rig.client.count_subscribers("b", ChannelKind::sharded, note_count);
  rig.run();
  EXPECT_THAT(counts, ElementsAre(1U, 0U, 1U));
  rig.redis.override_answer = [](const Words& words) { return words[0] == "PUBSUB" ? "*0\r\n" : ""; };
  rig.client.count_subscribers("a", ChannelKind::plain, note_count);
  rig.run();
  rig.network = Network::refused;
  rig.drop_all();
  rig.client.count_subscribers("a", ChannelKind::plain, note_count);
  EXPECT_THAT(counts, ElementsAre(1U, 0U, 1U, std::nullopt, std::nullopt));
}

// --- entries ---

TEST_F(ClientCommandTest, AnEntryGetsItsId) {
  Rig rig;
  rig.client.append("s", {{"uid", "me"}, {"type", "3"}}, 10'000, note_id());
  rig.client.append("s", {{"uid", "me"}}, 10'000, note_id());
  rig.run();
  EXPECT_EQ(rig.redis.commands("XADD")[0], (Words{"XADD", "s", "MAXLEN", "~", "10000", "*", "uid", "me", "type", "3"}));
  EXPECT_THAT(outcomes, ElementsAre("1000-1", "1000-2"));
  EXPECT_EQ(rig.client.statistics().published.value(), 2U);
}

TEST_F(ClientCommandTest, EntriesWaitForRedisOrAreDroppedAndToldSo) {
  ClientOptions options;
  options.queue_bytes_max = 1'000;
  options.queue_age_max_ms = Milliseconds{3'000};
  Rig rig(options);
  rig.network = Network::refused;
  rig.run();
  rig.client.append("s", {{"n", "old"}}, 10, note_id());
  rig.client.append("s", {{"n", std::string(2'000, 'x')}}, 10, note_id());
  EXPECT_THAT(outcomes, IsEmpty());  // never from within append()
  rig.run();
  EXPECT_THAT(outcomes, ElementsAre("dropped"));
  rig.advance(Milliseconds{3'000});
  EXPECT_THAT(outcomes, ElementsAre("dropped", "dropped"));
  rig.client.append("s", {{"n", "new"}}, 10, note_id());
  rig.network = Network::up;
  rig.advance(Milliseconds{5'000});
  EXPECT_THAT(outcomes, ElementsAre("dropped", "dropped", "1000-1"));
  EXPECT_EQ(rig.client.dropped(), 2U);
}

TEST_F(ClientCommandTest, EntriesThatAreRefusedOrUnconfirmedGetNoId) {
  Rig rig;
  rig.run();
  rig.redis.override_answer = [](const Words& words) {
    return words[0] == "XADD" && words[1] == "string" ? "-WRONGTYPE not a stream\r\n" : "";
  };
  rig.client.append("string", {{"n", "1"}}, 10, note_id());
  rig.client.append("s", {{"n", "2"}}, 10, note_id());
  rig.run();
  EXPECT_THAT(outcomes, ElementsAre("dropped", "1000-1"));
  rig.answering = false;
  rig.client.append("s", {{"n", "3"}}, 10, note_id());
  rig.run();
  rig.drop(Role::commands);
  EXPECT_THAT(outcomes, ElementsAre("dropped", "1000-1", "dropped"));
  EXPECT_EQ(rig.client.statistics().dropped_refused.value(), 1U);
  EXPECT_EQ(rig.client.statistics().dropped_unconfirmed.value(), 1U);
}

TEST_F(ClientCommandTest, AnErrorThatEndsTheConnectionStillCountsTheMessage) {
  Rig rig;
  rig.run();
  rig.redis.override_answer = [](const Words& words) {
    return words[0] == "XADD" ? "-READONLY You can't write against a read only replica.\r\n" : "";
  };
  rig.client.append("s", {{"n", "1"}}, 10, note_id());
  rig.client.publish("c", "2");
  rig.run();
  EXPECT_THAT(outcomes, ElementsAre("dropped"));
  EXPECT_EQ(rig.client.dropped() + rig.client.statistics().published.value(), 2U);
  rig.redis.override_answer = nullptr;
  rig.advance(Milliseconds{1'000});
  EXPECT_TRUE(rig.client.ready());
}

TEST_F(ClientCommandTest, AbandoningTellsEverybodyWhoWaits) {
  Rig rig;
  rig.run();
  rig.answering = false;
  rig.client.append("s", {{"n", "on the way"}}, 10, note_id());
  rig.client.command({"GET", "k"}, "k", note());
  rig.run();
  rig.client.append("s", {{"n", "queued"}}, 10, note_id());
  EXPECT_EQ(rig.client.unanswered(), 3U);
  rig.client.abandon();
  EXPECT_EQ(rig.client.unanswered(), 0U);
  EXPECT_THAT(outcomes, ::testing::UnorderedElementsAre("dropped", "dropped", "lost"));
  EXPECT_EQ(rig.client.dropped(), 2U);
}

}  // namespace
}  // namespace carillon::redis
