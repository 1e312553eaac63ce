#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/log.hpp"
#include "redis/client.hpp"
#include "redis/fake_redis.hpp"

namespace carillon::redis {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Le;
using testing::Rig;
using testing::Words;
using Network = Rig::Network;

class ClientQueueTest : public ::testing::Test {
 protected:
  ClientQueueTest() { configure_log(LogLevel::off, LogFormat::text); }
};

Words numbered(std::string_view prefix, int count) {
  Words names;
  for (int i = 0; i < count; ++i) names.push_back(std::string(prefix) + std::to_string(i));
  return names;
}

TEST_F(ClientQueueTest, MessagesOfOneTurnAreOnePipeline) {
  Rig rig;
  rig.run();
  rig.redis.log.clear();
  rig.client.publish("c", "1");
  rig.client.publish("c", "2");
  rig.client.on_time(rig.now);
  ASSERT_TRUE(rig.client.has_output(Role::commands));
  EXPECT_EQ(rig.client.take_output(Role::commands, rig.now),
            "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$1\r\n1\r\n*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$1\r\n2\r\n");
  EXPECT_EQ(rig.client.unanswered(), 2U);
  rig.client.on_bytes(Role::commands, ":0\r\n:7\r\n", rig.now);
  EXPECT_EQ(rig.client.unanswered(), 0U);
  EXPECT_EQ(rig.client.statistics().published.value(), 2U);
}

TEST_F(ClientQueueTest, MessagesWaitForRedisInOrder) {
  Rig rig;
  for (int i = 0; i < 100; ++i) rig.client.publish("c", std::to_string(i));
  rig.run();
  rig.network = Network::refused;
  rig.drop_all();
  for (int i = 100; i < 200; ++i) rig.client.publish("c", std::to_string(i));
  rig.advance(Milliseconds{10'000});
  EXPECT_THAT(rig.published(), numbered("", 100));
  EXPECT_EQ(rig.client.unanswered(), 100U);
  rig.network = Network::up;
  rig.advance(Milliseconds{5'000});
  for (int i = 200; i < 300; ++i) rig.client.publish("c", std::to_string(i));
  rig.run();
  EXPECT_THAT(rig.published(), numbered("", 300));
  EXPECT_EQ(rig.client.dropped(), 0U);
  EXPECT_EQ(rig.client.statistics().queue_bytes.value(), 0);
}

TEST_F(ClientQueueTest, TheQueueWaitsUntilTheLinkIsReady) {
  Rig rig;
  rig.client.subscribe("a");
  rig.client.publish("c", "1");
  rig.redis.override_answer = [](const Words& words) { return words[0] == "SUBSCRIBE" ? ":" : ""; };
  rig.run();
  EXPECT_THAT(rig.published(), IsEmpty());
}

// Others come back at the same time.
TEST_F(ClientQueueTest, WhatHasWaitedGoesOutAtThePaceOfAllNodesTogether) {
  ClientOptions options;
  options.backlog_messages_per_second_max = 1'000;
  Rig rig(options);
  rig.run();
  rig.client.set_nodes(10);
  rig.network = Network::refused;
  rig.drop_all();
  for (int i = 0; i < 150; ++i) rig.client.publish("c", std::to_string(i));
  rig.network = Network::up;
  while (!rig.client.ready()) rig.advance(Milliseconds{1});
  rig.advance(Milliseconds{500});
  EXPECT_THAT(rig.published().size(), AllOf(Ge(40U), Le(51U)));
  for (int i = 150; i < 200; ++i) rig.client.publish("c", std::to_string(i));
  rig.advance(Milliseconds{1'000});
  EXPECT_THAT(rig.published().size(), AllOf(Ge(140U), Le(165U))) << "in their turn, from the second round on faster";
  rig.advance(Milliseconds{400});
  EXPECT_THAT(rig.published(), numbered("", 200));
  rig.client.publish("c", "200");
  rig.run();
  EXPECT_THAT(rig.published(), numbered("", 201)) << "at once again";
}

TEST_F(ClientQueueTest, MessagesWaitWhileTheyAreHeld) {
  Rig rig;
  rig.run();
  rig.network = Network::refused;
  rig.drop_all();
  rig.client.publish("c", "1");
  rig.network = Network::up;
  // As soon as it is known that Redis is back, so before anything goes out.
  rig.listener.on_any = [&] {
    if (rig.listener.ready.back()) rig.client.hold_messages(true);
  };
  rig.advance(Milliseconds{5'000});
  EXPECT_TRUE(rig.client.ready());
  EXPECT_THAT(rig.published(), IsEmpty());
  rig.client.command({"ECHO", "x"}, "", {});
  rig.client.publish("c", "2");
  rig.run();
  EXPECT_EQ(rig.redis.commands("ECHO").size(), 1U) << "commands do not wait";
  EXPECT_THAT(rig.published(), IsEmpty());
  rig.client.hold_messages(false);
  rig.run();
  EXPECT_THAT(rig.published(), ElementsAre("1", "2"));
}

// What is on its way when the connection is given up may be lost.
TEST_F(ClientQueueTest, RedisThatDoesNotAnswerGetsNoFurtherMessages) {
  Rig rig;
  rig.run();
  rig.answering = false;
  rig.client.publish("c", "1");
  rig.advance(Milliseconds{400});
  rig.client.publish("c", "2");
  rig.advance(Milliseconds{200});
  rig.client.publish("c", "3");
  rig.advance(Milliseconds{100});
  EXPECT_THAT(rig.published(), ElementsAre("1", "2"));
  EXPECT_EQ(rig.client.unanswered(), 3U);
  rig.answering = true;
  rig.run();
  EXPECT_THAT(rig.published(), ElementsAre("1", "2", "3"));

  rig.advance(Milliseconds{60'000});
  rig.answering = false;
  rig.client.publish("c", "4");
  rig.run();
  EXPECT_EQ(rig.published().back(), "4") << "silence without a question is none";
  rig.advance(Milliseconds{600});
  rig.client.publish("c", "5");
  rig.advance(Milliseconds{10'000});
  EXPECT_EQ(rig.client.statistics().dropped_unconfirmed.value(), 1U);
  rig.answering = true;
  rig.advance(Milliseconds{10'000});
  EXPECT_EQ(rig.published().back(), "5");
}

TEST_F(ClientQueueTest, LosingTheSubscriberDoesNotStopPublishing) {
  Rig rig;
  rig.run();
  rig.network = Network::refused;
  rig.drop(Role::subscriber);
  EXPECT_FALSE(rig.client.ready());
  rig.client.publish("c", "1");
  rig.run();
  EXPECT_THAT(rig.published(), ElementsAre("1"));
  rig.network = Network::up;
  rig.advance(Milliseconds{5'000});
  EXPECT_TRUE(rig.client.ready());
}

TEST_F(ClientQueueTest, WhatWasOnTheWayIsCountedAndNotSentAgain) {
  Rig rig;
  rig.run();
  rig.answering = false;
  for (int i = 0; i < 5; ++i) rig.client.publish("c", std::to_string(i));
  rig.run();
  rig.drop(Role::commands);
  EXPECT_EQ(rig.client.statistics().dropped_unconfirmed.value(), 5U);
  EXPECT_EQ(rig.client.dropped(), 5U);
  EXPECT_EQ(rig.client.unanswered(), 0U);
  rig.client.publish("c", "5");
  rig.answering = true;
  rig.advance(Milliseconds{1'000});
  EXPECT_THAT(rig.published(), numbered("", 6));
  EXPECT_EQ(rig.client.statistics().published.value(), 1U);
}

TEST_F(ClientQueueTest, TheQueueIsBoundedInBytes) {
  ClientOptions options;
  options.queue_bytes_max = 10'000;
  Rig rig(options);
  rig.network = Network::refused;
  for (int i = 0; i < 100; ++i) rig.client.publish("c", std::to_string(i) + std::string(900, 'x'));
  EXPECT_EQ(rig.client.unanswered() + rig.client.statistics().dropped_full.value(), 100U);
  EXPECT_THAT(rig.client.unanswered(), AllOf(Ge(8U), Le(11U)));
  rig.run();
  EXPECT_LE(rig.client.statistics().queue_bytes.value(), 10'000);
  const auto kept = static_cast<int>(rig.client.unanswered());
  rig.network = Network::up;
  rig.advance(Milliseconds{5'000});
  Words expected;
  for (int i = 0; i < kept; ++i) expected.push_back(std::to_string(i) + std::string(900, 'x'));
  EXPECT_THAT(rig.published(), expected);  // the newest are dropped
}

TEST_F(ClientQueueTest, TheQueueIsBoundedInAge) {
  ClientOptions options;
  options.queue_age_max_ms = Milliseconds{3'000};
  Rig rig(options);
  rig.network = Network::refused;
  rig.advance(Milliseconds{60'000});  // the age counts from the message, not from the last event
  rig.client.publish("c", "old");
  rig.advance(Milliseconds{2'000});
  rig.client.publish("c", "new");
  rig.advance(Milliseconds{999});
  EXPECT_EQ(rig.client.unanswered(), 2U);
  rig.advance(Milliseconds{1});
  EXPECT_EQ(rig.client.unanswered(), 1U);
  EXPECT_EQ(rig.client.statistics().dropped_old.value(), 1U);
  rig.advance(Milliseconds{2'000});
  EXPECT_EQ(rig.client.unanswered(), 0U);
  EXPECT_EQ(rig.client.dropped(), 2U);
}

TEST_F(ClientQueueTest, WhatRedisDoesNotReadStaysInTheQueue) {
  Rig rig;
  rig.run();
  for (int i = 0; i < 100; ++i) rig.client.publish("c", std::string(100'000, 'x'));
  rig.client.on_time(rig.now);
  const std::string first = rig.client.take_output(Role::commands, rig.now);
  EXPECT_THAT(first.size(), AllOf(Ge(1'000'000U), Le(1'300'000U)));
  EXPECT_TRUE(rig.client.has_output(Role::commands));
  EXPECT_GT(rig.client.statistics().queue_bytes.value(), 8'000'000);
}

}  // namespace
}  // namespace carillon::redis
