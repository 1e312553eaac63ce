#include "redis/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/log.hpp"
#include "redis/fake_redis.hpp"

namespace carillon::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using testing::Rig;
using ::testing::SizeIs;
using testing::Words;

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() { configure_log(LogLevel::off, LogFormat::text); }
};

Words numbered(std::string_view prefix, int count) {
  Words names;
  for (int i = 0; i < count; ++i) names.push_back(std::string(prefix) + std::to_string(i));
  return names;
}

// --- becoming ready ---

TEST_F(ClientTest, IsReadyWhenItsCanaryHasComeRound) {
  Rig rig;
  rig.client.subscribe("a");
  EXPECT_FALSE(rig.client.ready());
  rig.run();
  EXPECT_TRUE(rig.client.ready());
  EXPECT_THAT(rig.listener.ready, ElementsAre(true));
  EXPECT_THAT(rig.listener.subscribed, ElementsAre("a"));
  EXPECT_THAT(rig.subscriptions(), ElementsAre("a"));
  const auto canaries = rig.redis.commands("PUBLISH");
  ASSERT_THAT(canaries, SizeIs(1));
  EXPECT_TRUE(canaries[0][1].starts_with("socket.io-canary#"));
  EXPECT_THAT(canaries[0][1], SizeIs(17 + 20));
  EXPECT_THAT(canaries[0][2], SizeIs(20));
  EXPECT_THAT(rig.listener.messages, IsEmpty());  // nobody hears of the canary
  EXPECT_EQ(rig.client.statistics().received.value(), 0U);
  EXPECT_EQ(rig.client.statistics().published.value(), 0U);
  EXPECT_EQ(rig.client.statistics().subscriptions.value(), 1);
  EXPECT_EQ(rig.client.statistics().ready.value(), 1);
}

TEST_F(ClientTest, IsNotReadyBeforeSubscriptionsAreConfirmed) {
  Rig rig;
  rig.client.subscribe("a");
  rig.redis.override_answer = [](const Words& words) { return words[0] == "SUBSCRIBE" ? ":" : ""; };  // never whole
  rig.run();
  EXPECT_FALSE(rig.client.ready());
  EXPECT_THAT(rig.redis.commands("PUBLISH"), IsEmpty());  // no canary yet
  EXPECT_THAT(rig.listener.subscribed, IsEmpty());
}

TEST_F(ClientTest, AMessageOfSomebodyElseIsNoCanary) {
  Rig rig;
  rig.redis.override_answer = [](const Words& words) { return words[0] == "PUBLISH" ? ":0\r\n" : ""; };
  rig.run();
  const auto canaries = rig.redis.commands("PUBLISH");
  ASSERT_THAT(canaries, SizeIs(1));
  rig.redis.publish(canaries[0][1], "guessed");
  rig.run();
  EXPECT_FALSE(rig.client.ready());
  EXPECT_THAT(rig.listener.messages, IsEmpty());
  rig.redis.publish(canaries[0][1], canaries[0][2]);
  rig.run();
  EXPECT_TRUE(rig.client.ready());
}

// The two connections may lead to different servers: behind a balancer, or while an address changes.
TEST_F(ClientTest, ReconnectsWhenTheCanaryDoesNotComeRound) {
  Rig rig;
  rig.redis.override_answer = [](const Words& words) { return words[0] == "PUBLISH" ? ":0\r\n" : ""; };
  rig.advance(Milliseconds{4'900});
  EXPECT_EQ(rig.dials, 2);
  EXPECT_FALSE(rig.client.ready());
  rig.advance(Milliseconds{300});
  EXPECT_EQ(rig.dials, 4);
  rig.redis.override_answer = nullptr;
  rig.advance(Milliseconds{20'000});
  EXPECT_TRUE(rig.client.ready());
}

TEST_F(ClientTest, EachConnectionHasACanaryOfItsOwn) {
  Rig rig;
  std::set<Words> canaries;
  for (int i = 0; i < 5; ++i) {
    rig.advance(Milliseconds{100});
    ASSERT_TRUE(rig.client.ready());
    canaries.insert(rig.redis.commands("PUBLISH").back());
    rig.drop_all();
  }
  EXPECT_THAT(canaries, SizeIs(5));
}

TEST_F(ClientTest, LogsInAndSelectsTheDatabase) {
  ClientOptions options;
  options.url = parse_url("redis://me:se%20cret@example:7000/3").value();
  options.name = "node 1";
  Rig rig(options);
  rig.run();
  ASSERT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.redis.log[0], (Words{"AUTH", "me", "se cret"}));
  EXPECT_EQ(rig.redis.log[1], (Words{"SELECT", "3"}));
  EXPECT_EQ(rig.redis.log[2], (Words{"CLIENT", "SETNAME", "node_1"}));
  EXPECT_EQ(rig.redis.log[3], (Words{"PING"}));
}

TEST_F(ClientTest, PublishOnlyNeedsNoSubscriber) {
  ClientOptions options;
  options.subscribes = false;
  Rig rig(options);
  rig.client.publish("c", "1");
  EXPECT_EQ(rig.client.unanswered(), 1U);
  rig.run();
  EXPECT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.dials, 1);
  EXPECT_THAT(rig.redis.commands("PUBLISH"), ElementsAre(Words{"PUBLISH", "c", "1"}));
  EXPECT_EQ(rig.client.unanswered(), 0U);
  EXPECT_FALSE(rig.client.wants_connection(Role::subscriber));
}

// --- subscriptions ---

TEST_F(ClientTest, ChangesOfOneTurnAreOneCommand) {
  Rig rig;
  rig.run();
  rig.redis.log.clear();
  rig.wakes = 0;
  for (const char* name : {"a", "b", "c"}) rig.client.subscribe(name);
  EXPECT_EQ(rig.wakes, 1);
  rig.run();
  EXPECT_THAT(rig.redis.log, ElementsAre(Words{"SUBSCRIBE", "a", "b", "c"}));
  EXPECT_THAT(rig.listener.subscribed, ElementsAre("a", "b", "c"));
  rig.client.unsubscribe("a");
  rig.client.unsubscribe("c");
  rig.client.subscribe("d");
  rig.run();
  EXPECT_THAT(rig.redis.log,
              ElementsAre(Words{"SUBSCRIBE", "a", "b", "c"}, Words{"SUBSCRIBE", "d"}, Words{"UNSUBSCRIBE", "a", "c"}));
  EXPECT_THAT(rig.subscriptions(), ElementsAre("b", "d"));
}

TEST_F(ClientTest, WhatCancelsOutIsNotSentButAnswered) {
  Rig rig;
  rig.client.subscribe("kept");
  rig.run();
  rig.redis.log.clear();
  rig.listener.subscribed.clear();
  rig.client.subscribe("a");
  rig.client.unsubscribe("a");
  rig.client.unsubscribe("kept");
  rig.client.subscribe("kept");
  rig.run();
  EXPECT_THAT(rig.redis.log, IsEmpty());
  EXPECT_THAT(rig.listener.subscribed, ElementsAre("kept"));
  EXPECT_THAT(rig.subscriptions(), ElementsAre("kept"));
}

TEST_F(ClientTest, LeavingAndRejoiningFastEndsSubscribed) {
  Rig rig;
  rig.run();
  rig.answering = false;
  rig.client.subscribe("a");
  rig.run();
  rig.client.unsubscribe("a");
  rig.run();
  rig.client.subscribe("a");
  rig.run();
  EXPECT_THAT(rig.listener.subscribed, IsEmpty());
  rig.answering = true;
  rig.slice = 1;
  // The first confirmation is not the last word: the channel was left in between.
  while (rig.redis.output[rig.ids[1]].size() > 10) {
    EXPECT_THAT(rig.listener.subscribed, IsEmpty());
    const std::string byte = rig.redis.output[rig.ids[1]].substr(0, 1);
    rig.redis.output[rig.ids[1]].erase(0, 1);
    rig.client.on_bytes(Role::subscriber, byte, rig.now);
  }
  rig.run();
  EXPECT_THAT(rig.listener.subscribed, ElementsAre("a"));
  EXPECT_THAT(rig.subscriptions(), ElementsAre("a"));
}

TEST_F(ClientTest, TenThousandRoomsComeBackInBatches) {
  ClientOptions options;
  options.subscriptions_per_second_max = 0;
  Rig rig(options);
  Words rooms = numbered("room", 10'000);
  for (const std::string& room : rooms) rig.client.subscribe(room);
  rig.run();
  ASSERT_TRUE(rig.client.ready());
  rig.drop_all();
  EXPECT_THAT(rig.listener.ready, ElementsAre(true, false));
  rig.redis.log.clear();
  rig.listener.subscribed.clear();
  std::size_t commands = 0;
  rig.redis.override_answer = [&](const Words& words) -> std::string {
    if (words[0] != "SUBSCRIBE") return "";
    EXPECT_LE(words.size(), 1'001U);
    // The confirmations of the batch before have been read.
    EXPECT_TRUE(rig.redis.output[rig.ids[1]].empty());
    ++commands;
    return "";
  };
  rig.advance(Milliseconds{100});
  EXPECT_EQ(commands, 11U);  // the canary is one more channel
  EXPECT_TRUE(rig.client.ready());
  std::sort(rooms.begin(), rooms.end());
  EXPECT_EQ(rig.subscriptions(), rooms);
  EXPECT_THAT(rig.listener.subscribed, IsEmpty());  // each was answered when it was asked for
  EXPECT_EQ(rig.client.statistics().reconnects.value(), 1U);
}

// Fifty nodes that come back together must not be a burst for Redis.
TEST_F(ClientTest, RoomsComeBackAtMostAtTheConfiguredRate) {
  ClientOptions options;
  options.subscriptions_per_second_max = 1'000;
  Rig rig(options);
  for (const std::string& room : numbered("room", 5'000)) rig.client.subscribe(room);
  for (const std::string& pattern : numbered("pattern", 100)) rig.client.subscribe(pattern, ChannelKind::pattern);
  std::size_t channels = 0;
  rig.redis.override_answer = [&](const Words& words) -> std::string {
    if (words[0].ends_with("SUBSCRIBE")) channels += words.size() - 1;
    return "";
  };
  for (int tenths = 1; tenths <= 50; ++tenths) {
    rig.advance(Milliseconds{100});
    EXPECT_LE(channels, static_cast<std::size_t>(tenths) * 100 + 10);
    EXPECT_GE(channels, static_cast<std::size_t>(tenths) * 80);
  }
  EXPECT_FALSE(rig.client.ready());
  rig.client.subscribe("new");  // does not wait for the others
  rig.run();
  EXPECT_EQ(rig.listener.subscribed.back(), "new");
  rig.advance(Milliseconds{500});
  EXPECT_TRUE(rig.client.ready());
  EXPECT_THAT(rig.subscriptions(), SizeIs(5'101));
}

TEST_F(ClientTest, ABurstOfJoinsIsPacedToo) {
  ClientOptions options;
  options.subscribe_batch_max = 10;
  Rig rig(options);
  rig.run();
  rig.redis.log.clear();
  rig.answering = false;
  for (const std::string& room : numbered("room", 25)) rig.client.subscribe(room);
  rig.run();
  EXPECT_THAT(rig.redis.log, ElementsAre(SizeIs(11)));
  rig.answering = true;
  rig.run();
  EXPECT_THAT(rig.redis.log, ElementsAre(SizeIs(11), SizeIs(11), SizeIs(6)));
  EXPECT_THAT(rig.listener.subscribed, SizeIs(25));
}

TEST_F(ClientTest, JoinsThatWaitAreAnsweredAfterAnOutage) {
  Rig rig;
  rig.run();
  rig.answering = false;
  rig.client.subscribe("a");
  rig.run();
  rig.drop_all();
  EXPECT_THAT(rig.listener.ready, ElementsAre(true, false));
  EXPECT_THAT(rig.listener.subscribed, IsEmpty());
  rig.answering = true;
  rig.advance(Milliseconds{200});
  EXPECT_THAT(rig.listener.subscribed, ElementsAre("a"));
  EXPECT_THAT(rig.listener.ready, ElementsAre(true, false, true));
}

TEST_F(ClientTest, SteadyJoinsDoNotKeepItFromBecomingReady) {
  Rig rig;
  rig.client.subscribe("base");
  int joins = 0;
  rig.listener.on_any = [&] {
    if (joins < 1'000) rig.client.subscribe("room" + std::to_string(joins++));
  };
  rig.client.subscribe("first");
  while (!rig.client.ready()) {
    ASSERT_LT(joins, 900);
    rig.run();
  }
  rig.run();
  EXPECT_THAT(rig.listener.subscribed, SizeIs(joins + 2));
}

TEST_F(ClientTest, MessagesArriveWhateverTheSlices) {
  for (const std::size_t slice : {std::size_t{1}, std::size_t{7}, std::size_t{1} << 20}) {
    Rig rig;
    rig.slice = slice;
    rig.client.subscribe("a");
    rig.run();
    ASSERT_TRUE(rig.client.ready());
    const std::string large(20'000, 'x');
    const std::string binary("\0\r\n*3\r\n\xff", 9);
    rig.redis.publish("a", "");
    rig.redis.publish("a", binary);
    rig.redis.publish("a", large);
    rig.redis.publish("other", "not for us");
    rig.redis.publish("a", "end");
    rig.run();
    EXPECT_THAT(rig.listener.messages,
                ElementsAre(Pair("a", ""), Pair("a", binary), Pair("a", large), Pair("a", "end")));
    EXPECT_EQ(rig.client.statistics().received.value(), 4U);
  }
}

}  // namespace
}  // namespace carillon::redis
