#include "redis/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "base/log.hpp"
#include "redis/fake_redis.hpp"

namespace carillon::redis {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::FakeRedis;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Pair;
using testing::Rig;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAreArray;
using testing::Words;

using Network = Rig::Network;

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

TEST_F(ClientTest, TenThousandRoomsComeBackInPacedBatches) {
  Rig rig;
  const Words rooms = numbered("room", 10'000);
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
  EXPECT_THAT(rig.subscriptions(), UnorderedElementsAreArray(rooms));
  EXPECT_THAT(rig.listener.subscribed, IsEmpty());  // each was answered when it was asked for
  EXPECT_EQ(rig.client.statistics().reconnects.value(), 1U);
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

// --- outages ---

TEST_F(ClientTest, ComesBackWithItsSubscriptions) {
  Rig rig;
  rig.client.subscribe("a");
  rig.run();
  rig.client.subscribe("b");
  rig.client.unsubscribe("a");
  rig.network = Network::refused;
  rig.drop_all();
  rig.client.subscribe("c");
  rig.advance(Milliseconds{30'000});
  EXPECT_FALSE(rig.client.ready());
  rig.network = Network::up;
  rig.advance(Milliseconds{5'000});
  EXPECT_TRUE(rig.client.ready());
  EXPECT_THAT(rig.subscriptions(), ElementsAre("b", "c"));
  rig.redis.publish("b", "hello");
  rig.run();
  EXPECT_THAT(rig.listener.messages, ElementsAre(Pair("b", "hello")));
}

TEST_F(ClientTest, AttemptsBackOffWithJitterUpToTheCap) {
  std::set<Milliseconds> first_waits;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    ClientOptions options;
    options.subscribes = false;
    Rig rig(options, seed);
    rig.network = Network::refused;
    rig.run();
    Milliseconds bound{100};
    for (int attempt = 1; attempt < 12; ++attempt) {
      ASSERT_EQ(rig.dials, attempt);
      const Milliseconds wait = rig.client.next_deadline() - rig.now;
      EXPECT_THAT(wait, AllOf(Ge(Milliseconds{0}), Le(bound)));
      if (attempt == 8) first_waits.insert(wait);
      bound = std::min(bound * 2, Milliseconds{5'000});
      rig.now = rig.client.next_deadline();
      rig.client.on_time(rig.now);
      rig.run();
    }
  }
  EXPECT_GT(first_waits.size(), 15U);  // nodes do not come back together
}

TEST_F(ClientTest, AHangingRedisIsNoticed) {
  Rig rig;
  rig.run();
  ASSERT_TRUE(rig.client.ready());
  rig.advance(Milliseconds{3'600'000});  // an hour of silence is fine: pings are answered
  EXPECT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.dials, 2);
  rig.answering = false;
  rig.advance(Milliseconds{10'001});
  EXPECT_FALSE(rig.client.ready());
  EXPECT_EQ(rig.client.statistics().timeouts.value(), 2U);
}

TEST_F(ClientTest, ARedisThatNeverAnswersAtAllIsNoticed) {
  Rig rig;
  rig.answering = false;
  rig.advance(Milliseconds{4'999});
  EXPECT_EQ(rig.dials, 2);
  rig.advance(Milliseconds{200});
  EXPECT_GE(rig.dials, 4);
}

TEST_F(ClientTest, AnUnansweredPublishIsNoticedWithinThePingTimeout) {
  Rig rig;
  rig.run();
  rig.answering = false;
  rig.client.publish("c", "1");
  rig.advance(Milliseconds{5'001});
  EXPECT_FALSE(rig.client.ready());
  EXPECT_EQ(rig.client.statistics().dropped_unconfirmed.value(), 1U);
}

TEST_F(ClientTest, AConnectionAttemptTimesOut) {
  Rig rig;
  rig.network = Network::silent;
  rig.run();
  EXPECT_EQ(rig.client.next_deadline(), rig.now + Milliseconds{5'000});
  rig.advance(Milliseconds{5'200});
  EXPECT_EQ(rig.dials, 4);
  EXPECT_EQ(rig.client.statistics().timeouts.value(), 2U);
  rig.network = Network::up;
  rig.advance(Milliseconds{10'000});
  EXPECT_TRUE(rig.client.ready());
}

TEST_F(ClientTest, AConnectionThatComesUpTooLateIsClosed) {
  Rig rig;
  rig.client.on_dialling(Role::commands, rig.now);
  rig.client.on_time(rig.now + Milliseconds{5'000});
  EXPECT_TRUE(rig.client.wants_close(Role::commands));
  rig.client.on_connected(Role::commands, rig.now + Milliseconds{5'001});
  EXPECT_FALSE(rig.client.has_output(Role::commands));
  EXPECT_TRUE(rig.client.wants_close(Role::commands));
  rig.client.on_closed(Role::commands, "closed", rig.now + Milliseconds{5'001});
  EXPECT_FALSE(rig.client.wants_close(Role::commands));
}

TEST_F(ClientTest, AnotherDialIsNotWantedBeforeTheOldConnectionIsGone) {
  Rig rig;
  rig.run();
  rig.client.on_bytes(Role::commands, "nonsense\r\n", rig.now);
  EXPECT_TRUE(rig.client.wants_close(Role::commands));
  EXPECT_FALSE(rig.client.has_output(Role::commands));
  rig.client.on_time(rig.now + Milliseconds{60'000});
  EXPECT_FALSE(rig.client.wants_connection(Role::commands));
  rig.client.on_bytes(Role::commands, "+OK\r\n", rig.now);  // late bytes are nothing
  EXPECT_EQ(rig.client.statistics().protocol_errors.value(), 1U);
}

// --- the queue ---

TEST_F(ClientTest, MessagesOfOneTurnAreOnePipeline) {
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

TEST_F(ClientTest, MessagesWaitForRedisInOrder) {
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

TEST_F(ClientTest, TheQueueWaitsUntilTheLinkIsReady) {
  Rig rig;
  rig.client.subscribe("a");
  rig.client.publish("c", "1");
  rig.redis.override_answer = [](const Words& words) { return words[0] == "SUBSCRIBE" ? ":" : ""; };
  rig.run();
  EXPECT_THAT(rig.published(), IsEmpty());
}

TEST_F(ClientTest, LosingTheSubscriberDoesNotStopPublishing) {
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

TEST_F(ClientTest, WhatWasOnTheWayIsCountedAndNotSentAgain) {
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

TEST_F(ClientTest, TheQueueIsBoundedInBytes) {
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

TEST_F(ClientTest, TheQueueIsBoundedInAge) {
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

TEST_F(ClientTest, WhatRedisDoesNotReadStaysInTheQueue) {
  Rig rig;
  rig.run();
  for (int i = 0; i < 100; ++i) rig.client.publish("c", std::string(100'000, 'x'));
  rig.client.on_time(rig.now);
  const std::string first = rig.client.take_output(Role::commands, rig.now);
  EXPECT_THAT(first.size(), AllOf(Ge(1'000'000U), Le(1'300'000U)));
  EXPECT_TRUE(rig.client.has_output(Role::commands));
  EXPECT_GT(rig.client.statistics().queue_bytes.value(), 8'000'000);
}

// --- errors ---

struct ErrorCase {
  std::string_view verb;
  std::string_view answer;
};

class ClientErrorTest : public ClientTest, public ::testing::WithParamInterface<ErrorCase> {};

TEST_P(ClientErrorTest, IsOvercomeOnceRedisHasRecovered) {
  ClientOptions options;
  options.url.password = "secret";
  options.url.database = 1;
  Rig rig(options);
  rig.redis.override_answer = [](const Words& words) {
    return words[0] == GetParam().verb ? std::string(GetParam().answer) : "";
  };
  rig.advance(Milliseconds{20'000});
  EXPECT_FALSE(rig.client.ready());
  EXPECT_GE(rig.dials, 6);   // it tries again, ...
  EXPECT_LE(rig.dials, 60);  // ... but not all the time
  rig.redis.override_answer = nullptr;
  rig.advance(Milliseconds{12'000});
  EXPECT_TRUE(rig.client.ready());
}

INSTANTIATE_TEST_SUITE_P(
    All, ClientErrorTest,
    ::testing::Values(ErrorCase{"AUTH", "-WRONGPASS invalid username-password pair or user is disabled.\r\n"},
                      ErrorCase{"AUTH", "-ERR invalid password\r\n"},
                      ErrorCase{"AUTH", "-ERR max number of clients reached\r\n"},
                      ErrorCase{"SELECT", "-ERR DB index is out of range\r\n"},
                      ErrorCase{"SELECT", "-NOAUTH Authentication required.\r\n"},
                      ErrorCase{"CLIENT", "-NOAUTH Authentication required.\r\n"},
                      ErrorCase{"PING", "-LOADING Redis is loading the dataset in memory\r\n"},
                      ErrorCase{"PING", "-MASTERDOWN Link with MASTER is down\r\n"},
                      ErrorCase{"SUBSCRIBE", "-NOPERM this user has no permissions to access one of the channels\r\n"},
                      ErrorCase{"SUBSCRIBE", "*3\r\n$9\r\nsubscribe\r\n$5\r\nother\r\n:1\r\n"},
                      ErrorCase{"PUBLISH", "-READONLY You can't write against a read only replica.\r\n"},
                      ErrorCase{"PUBLISH", "-NOPERM this user has no permissions to run 'publish'\r\n"},
                      ErrorCase{"PUBLISH", "+OK\r\n"}, ErrorCase{"PING", "*1\r\n$4\r\noops\r\n"},
                      ErrorCase{"PING", "HTTP/1.1 400 Bad Request\r\n\r\n"}, ErrorCase{"PING", ":"},
                      ErrorCase{"PING", "$99999999999999999999\r\n"}));

TEST_F(ClientTest, ErrorsThatDoNotMatterAreIgnored) {
  ClientOptions options;
  options.url.password = "not needed";
  Rig rig(options);
  rig.redis.override_answer = [](const Words& words) -> std::string {
    if (words[0] == "AUTH") return "-ERR AUTH <password> called without any password configured\r\n";
    if (words[0] == "CLIENT") return "-ERR unknown command 'CLIENT'\r\n";
    if (words[0] == "PING") return "-NOPERM this user has no permissions to run the 'ping' command\r\n";
    return "";
  };
  rig.advance(Milliseconds{60'000});
  EXPECT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.dials, 2);
}

TEST_F(ClientTest, RefusedMessagesAreCounted) {
  Rig rig;
  rig.run();
  rig.redis.override_answer = [](const Words& words) {
    return words[0] == "PUBLISH" && words[1] == "secret" ? "-NOPERM no access to the channel\r\n" : "";
  };
  rig.client.publish("secret", "1");
  rig.client.publish("c", "2");
  rig.run();
  EXPECT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.client.statistics().dropped_refused.value(), 1U);
  EXPECT_EQ(rig.client.statistics().published.value(), 1U);
}

TEST_F(ClientTest, AMessageBeyondTheLimitBreaksTheConnection) {
  ClientOptions options;
  options.reply_bytes_max = 100'000;
  Rig rig(options);
  rig.client.subscribe("a");
  rig.run();
  rig.redis.publish("a", std::string(90'000, 'x'));
  rig.run();
  EXPECT_THAT(rig.listener.messages, SizeIs(1));
  rig.redis.publish("a", std::string(1'000'000, 'x'));
  rig.slice = 4096;
  rig.advance(Milliseconds{1'000});
  EXPECT_THAT(rig.listener.messages, SizeIs(1));
  EXPECT_EQ(rig.client.statistics().protocol_errors.value(), 1U);
  EXPECT_TRUE(rig.client.ready());
}

// --- all of it together ---

// Random subscriptions, messages, lost connections, outages and silences; then calm. In the end Redis holds exactly
// what is wanted, each wanted channel has been answered, and no message was sent twice or out of order.
TEST_F(ClientTest, EndsInTheRightStateWhateverHappens) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    ClientOptions options;
    options.subscribe_batch_max = 3;
    Rig rig(options, seed);
    testing::SeededRandom dice(seed + 1'000);
    std::set<std::string> wanted;
    std::set<std::string> asked;
    std::size_t answered = 0;
    int sent = 0;
    const auto take_answers = [&] {
      for (; answered < rig.listener.subscribed.size(); ++answered) asked.erase(rig.listener.subscribed[answered]);
    };
    for (int i = 0; i < 300; ++i) {
      const std::string room = "room" + std::to_string(dice.below(8));
      take_answers();
      switch (dice.below(12)) {
        case 0:
        case 1:
        case 2:
          if (wanted.insert(room).second) rig.client.subscribe(room), asked.insert(room);
          break;
        case 3:
        case 4:
          if (wanted.erase(room) > 0) rig.client.unsubscribe(room), asked.erase(room);
          break;
        case 5:
          rig.client.publish("c", std::to_string(sent++));
          break;
        case 6:
          rig.drop(dice.below(2) == 0 ? Role::commands : Role::subscriber);
          break;
        case 7:
          rig.network = static_cast<Network>(dice.below(3));
          break;
        case 8:
          rig.answering = dice.below(2) == 0;
          break;
        case 9:
          rig.slice = 1 + static_cast<std::size_t>(dice.below(64));
          break;
        case 10:
          rig.advance(Milliseconds{static_cast<std::int64_t>(dice.below(3'000))});
          break;
        default:
          rig.run();
      }
    }
    rig.network = Network::up;
    rig.answering = true;
    rig.slice = 1 << 20;
    rig.advance(Milliseconds{40'000});
    take_answers();
    ASSERT_TRUE(rig.client.ready());
    EXPECT_THAT(rig.subscriptions(), UnorderedElementsAreArray(wanted));
    EXPECT_THAT(asked, IsEmpty());
    std::vector<int> published;
    for (const std::string& payload : rig.published()) published.push_back(std::stoi(payload));
    EXPECT_EQ(std::adjacent_find(published.begin(), published.end(), std::greater_equal<>()), published.end());
    const Statistics& s = rig.client.statistics();
    EXPECT_EQ(s.published.value() + rig.client.dropped(), static_cast<std::uint64_t>(sent));
    for (std::size_t i = 1; i < rig.listener.ready.size(); ++i)
      EXPECT_NE(rig.listener.ready[i], rig.listener.ready[i - 1]);
  }
}

}  // namespace
}  // namespace carillon::redis
