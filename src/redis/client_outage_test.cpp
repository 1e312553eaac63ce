#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
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
using ::testing::Pair;
using testing::Rig;
using ::testing::UnorderedElementsAreArray;
using testing::Words;
using Network = Rig::Network;

class ClientOutageTest : public ::testing::Test {
 protected:
  ClientOutageTest() { configure_log(LogLevel::off, LogFormat::text); }
};

TEST_F(ClientOutageTest, ComesBackWithItsSubscriptions) {
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

TEST_F(ClientOutageTest, AttemptsBackOffWithJitterUpToTheCap) {
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

TEST_F(ClientOutageTest, AHangingRedisIsNoticed) {
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

TEST_F(ClientOutageTest, ARedisThatNeverAnswersAtAllIsNoticed) {
  Rig rig;
  rig.answering = false;
  rig.advance(Milliseconds{4'999});
  EXPECT_EQ(rig.dials, 2);
  rig.advance(Milliseconds{200});
  EXPECT_GE(rig.dials, 4);
}

TEST_F(ClientOutageTest, AnUnansweredPublishIsNoticedWithinThePingTimeout) {
  Rig rig;
  rig.run();
  rig.answering = false;
  rig.client.publish("c", "1");
  rig.advance(Milliseconds{5'001});
  EXPECT_FALSE(rig.client.ready());
  EXPECT_EQ(rig.client.statistics().dropped_unconfirmed.value(), 1U);
}

// Whatever Redis sends is a sign of life: a canary behind a long backlog is late, not lost.
TEST_F(ClientOutageTest, ACanaryBehindALongBacklogIsWaitedFor) {
  Rig rig;
  std::string canary;
  rig.redis.override_answer = [&](const Words& words) {
    if (words[0] != "PUBLISH") return "";
    canary = words[2];
    return ":1\r\n";
  };
  rig.client.subscribe("a");
  rig.run();
  ASSERT_NE(canary, "");
  for (int i = 0; i < 10; ++i) {
    rig.advance(Milliseconds{4'000});
    rig.redis.publish("a", "backlog");
    rig.run();
    ASSERT_EQ(rig.dials, 2) << i;
  }
  rig.redis.publish(rig.redis.commands("PUBLISH")[0][1], canary);
  rig.run();
  EXPECT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.client.statistics().timeouts.value(), 0U);
}

// The two connections may lead to different servers, of which one talks all the time.
TEST_F(ClientOutageTest, ACanaryIsNotWaitedForWithoutEnd) {
  Rig rig;
  rig.redis.override_answer = [](const Words& words) { return words[0] == "PUBLISH" ? ":0\r\n" : ""; };
  rig.client.subscribe("a");
  rig.run();
  for (int i = 0; i < 59; ++i) {
    rig.advance(Milliseconds{1'000});
    rig.redis.publish("a", "chatter");
    rig.run();
  }
  EXPECT_EQ(rig.dials, 2);
  rig.advance(Milliseconds{1'000});
  rig.advance(Milliseconds{200});
  EXPECT_EQ(rig.dials, 4);
}

TEST_F(ClientOutageTest, WhatIsAbandonedIsCounted) {
  Rig rig;
  rig.run();
  rig.answering = false;
  rig.client.publish("c", "on the way");
  rig.run();
  rig.client.publish("c", "on the way, too");
  rig.run();
  EXPECT_EQ(rig.client.unanswered(), 2U);
  rig.client.abandon();
  EXPECT_EQ(rig.client.unanswered(), 0U);
  EXPECT_EQ(rig.client.statistics().dropped_unconfirmed.value(), 2U);

  Rig waiting;
  waiting.network = Network::refused;
  for (int i = 0; i < 3; ++i) waiting.client.publish("c", "queued");
  waiting.run();
  waiting.client.abandon();
  EXPECT_EQ(waiting.client.unanswered(), 0U);
  EXPECT_EQ(waiting.client.statistics().dropped_shutdown.value(), 3U);
  EXPECT_EQ(waiting.client.dropped(), 3U);
}

TEST_F(ClientOutageTest, AConnectionAttemptTimesOut) {
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

TEST_F(ClientOutageTest, AConnectionThatComesUpTooLateIsClosed) {
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

TEST_F(ClientOutageTest, AnotherDialIsNotWantedBeforeTheOldConnectionIsGone) {
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

// --- all of it together ---

// Random subscriptions, messages, lost connections, outages and silences; then calm. In the end Redis holds exactly
// what is wanted, each wanted channel has been answered, and no message was sent twice or out of order.
TEST_F(ClientOutageTest, EndsInTheRightStateWhateverHappens) {
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
