// The link to a Redis Cluster some of whose nodes die, hang, or come back as something else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/log.hpp"
#include "redis/fake_cluster.hpp"

namespace carillon::redis {
namespace {

using testing::ClusterRig;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::Words;

class ClusterOutageTest : public ::testing::Test {
 protected:
  ClusterOutageTest() { configure_log(LogLevel::off, LogFormat::text); }

  static std::string node(int number) { return "10.0.0.1:700" + std::to_string(number); }
  std::string on(int number, const std::string& name) {
    for (int i = 0;; ++i) {
      std::string full = std::to_string(i) + name;
      if (rig.cluster.owners[slot_of(full)] == node(number)) return full;
    }
  }
  // Where plain channels are: the number of that node.
  int home() {
    for (const std::string& held : rig.cluster.subscriptions())
      if (held.substr(1, 2) != " s") return held[0] - '0';
    return -1;
  }
  static Words numbers(int count) {
    Words all;
    for (int i = 0; i < count; ++i) all.push_back(std::to_string(i));
    return all;
  }

  ClusterRig rig;
};

TEST_F(ClusterOutageTest, PlainChannelsMoveWhenTheirNodeDies) {
  for (const char* name : {"a", "b"}) rig.link.subscribe(name);
  rig.run();
  const int before = home();
  rig.kill(node(before));
  rig.run();
  EXPECT_NE(home(), before);
  EXPECT_TRUE(rig.link.ready());
  EXPECT_THAT(rig.cluster.subscriptions(), SizeIs(2));
  rig.link.publish("a", "1");
  rig.run();
  EXPECT_THAT(rig.listener.messages, ElementsAre(std::pair<std::string, std::string>("a", "1")));
  EXPECT_EQ(rig.link.statistics().subscriptions.value(), 2);
}

TEST_F(ClusterOutageTest, MessagesThatWaitedAtTheHomeMoveWithItInTheirOrder) {
  rig.link.subscribe("a");
  rig.run();
  const std::string before = node(home());
  rig.cluster.nodes[before].reachable = false;
  rig.drop(before);
  for (int i = 0; i < 5; ++i) rig.link.publish("a", std::to_string(i));
  rig.run();
  Words heard;
  for (const auto& [channel, payload] : rig.listener.messages) heard.push_back(payload);
  EXPECT_EQ(rig.cluster.published("PUBLISH"), numbers(5));
  EXPECT_EQ(rig.link.dropped(), 0U);
}

TEST_F(ClusterOutageTest, AMasterIsReplacedByItsReplicaAndTheOthersDoNotNotice) {
  rig.cluster.add(node(3), node(0));
  for (int number = 0; number < 3; ++number) rig.link.subscribe(on(number, "x"), ChannelKind::sharded);
  rig.run();
  ASSERT_TRUE(rig.link.ready());
  const std::string channel = on(0, "x");
  const std::string other = on(1, "x");
  rig.kill(node(0));
  rig.run();
  EXPECT_FALSE(rig.link.ready());
  for (int i = 0; i < 5; ++i) {
    rig.link.publish(channel, std::to_string(i), ChannelKind::sharded);
    rig.link.publish(other, "o" + std::to_string(i), ChannelKind::sharded);
  }
  rig.advance(Milliseconds{5'000});
  EXPECT_THAT(rig.listener.messages, SizeIs(5));  // of the other
  EXPECT_EQ(rig.link.unanswered(), 5U);
  rig.cluster.promote(node(3));
  rig.advance(Milliseconds{1'500});
  EXPECT_TRUE(rig.link.ready());
  EXPECT_THAT(rig.cluster.subscriptions(), ::testing::Contains("3 s:" + channel));
  Words heard;
  for (const auto& [name, payload] : rig.listener.messages)
    if (name == "s:" + channel) heard.push_back(payload);
  EXPECT_LE(heard.size(), 5U);  // they may go out before the channel is confirmed
  Words taken;
  for (const Words& words : rig.cluster.redis(node(3)).commands("SPUBLISH")) taken.push_back(words[2]);
  EXPECT_EQ(taken, numbers(5));
  EXPECT_EQ(rig.link.dropped(), 0U);
  EXPECT_THAT(rig.listener.ready, ElementsAre(true, false, true));
  // The old one comes back as a replica.
  rig.cluster.nodes[node(0)].reachable = true;
  rig.cluster.nodes[node(0)].master = node(3);
  rig.advance(Milliseconds{30'000});
  EXPECT_THAT(rig.link.clients(), SizeIs(4));
  EXPECT_TRUE(rig.link.ready());
}

TEST_F(ClusterOutageTest, WhileAMasterIsAwayTheTopologyIsLookedAtSeldomEnough) {
  rig.run();
  rig.kill(node(0));
  rig.cluster.looks = 0;
  rig.advance(Milliseconds{10'000});
  EXPECT_GE(rig.cluster.looks, 10);
  EXPECT_LE(rig.cluster.looks, 100);
}

TEST_F(ClusterOutageTest, MessagesForAMasterThatIsAwayAreBoundedInAge) {
  rig.run();
  rig.kill(node(0));
  Words ids;
  rig.link.append(on(0, "s"), {{"n", "1"}}, 10, [&](auto id) { ids.emplace_back(id.value_or("dropped")); });
  rig.link.publish(on(0, "x"), "1", ChannelKind::sharded);
  rig.advance(Milliseconds{29'000});
  EXPECT_THAT(ids, IsEmpty());
  rig.advance(Milliseconds{2'000});
  EXPECT_THAT(ids, ElementsAre("dropped"));
  EXPECT_EQ(rig.link.statistics().dropped_old.value(), 2U);
  EXPECT_EQ(rig.link.unanswered(), 0U);
}

TEST_F(ClusterOutageTest, WhatWaitsForAllMastersIsBoundedTogether) {
  ClientOptions options;
  options.queue_bytes_max = 10'000;
  ClusterRig small(options);
  const auto send = [&](int count) {
    for (int i = 0; i < count; ++i)
      small.link.publish("channel-" + std::to_string(i), std::string(700, 'x'), ChannelKind::sharded);
  };
  send(20);  // nobody is known yet
  const std::uint64_t early = small.link.statistics().dropped_full.value();
  EXPECT_GE(early, 8U);
  small.run();
  EXPECT_EQ(small.link.statistics().published.value() + early, 20U);
  for (int number = 0; number < 3; ++number) small.kill(node(number));
  send(20);
  EXPECT_GE(small.link.statistics().dropped_full.value(), early + 8U);
  EXPECT_LE(small.link.statistics().queue_bytes.value(), 10'000);
}

TEST_F(ClusterOutageTest, ANodeThatHangsIsNoticedAndTheOthersGoOn) {
  rig.link.subscribe(on(0, "x"), ChannelKind::sharded);
  rig.link.subscribe("plain");
  rig.run();
  rig.cluster.nodes[node(0)].answering = false;
  rig.link.publish(on(1, "y"), "1", ChannelKind::sharded);
  rig.advance(Milliseconds{11'000});
  EXPECT_FALSE(rig.link.ready());
  EXPECT_GE(rig.link.statistics().timeouts.value(), 1U);
  EXPECT_EQ(rig.link.statistics().published.value(), 1U);
  EXPECT_NE(home(), 0);
  rig.link.publish("plain", "2");
  rig.run();
  EXPECT_THAT(rig.listener.messages, SizeIs(1));
  rig.cluster.nodes[node(0)].answering = true;
  rig.advance(Milliseconds{12'000});
  EXPECT_TRUE(rig.link.ready());
}

TEST_F(ClusterOutageTest, SubscribersOfANodeThatIsAwayDoNotCount) {
  rig.link.subscribe("plain");
  rig.run();
  const int away = (home() + 1) % 3;
  for (int number = 0; number < 3; ++number) {
    auto& redis = rig.cluster.redis(node(number));
    redis.subscriptions[redis.accept()].insert({ChannelKind::plain, "plain"});
  }
  rig.kill(node(away));
  rig.run();
  std::optional<std::size_t> plain;
  rig.link.count_subscribers("plain", ChannelKind::plain, [&](auto found) { plain = found; });
  rig.run();
  EXPECT_EQ(plain, 3U);
  bool known = true;
  rig.link.count_subscribers(on(away, "x"), ChannelKind::sharded, [&](auto found) { known = found.has_value(); });
  EXPECT_FALSE(known);
}

TEST_F(ClusterOutageTest, AfterAllWereAwayEverythingIsAsBefore) {
  for (int number = 0; number < 3; ++number) rig.link.subscribe(on(number, "x"), ChannelKind::sharded);
  rig.link.subscribe("plain");
  rig.link.follow(on(2, "stream"));
  rig.run();
  for (int number = 0; number < 3; ++number) rig.kill(node(number));
  rig.link.publish("plain", "1");
  rig.link.publish(on(1, "x"), "2", ChannelKind::sharded);
  rig.advance(Milliseconds{10'000});
  EXPECT_THAT(rig.listener.ready, ElementsAre(true, false));
  for (int number = 0; number < 3; ++number) rig.cluster.nodes[node(number)].reachable = true;
  rig.advance(Milliseconds{6'000});
  EXPECT_TRUE(rig.link.ready());
  EXPECT_THAT(rig.cluster.subscriptions(), SizeIs(4));
  EXPECT_EQ(rig.link.statistics().published.value(), 2U);
  EXPECT_EQ(rig.link.dropped(), 0U);
  EXPECT_EQ(rig.link.statistics().reconnects.value(), 1U);
}

// They have got new addresses, all but one that the URL names.
TEST_F(ClusterOutageTest, AClusterThatHasMovedIsFoundAgainByTheUrl) {
  rig.link.subscribe(on(0, "x"), ChannelKind::sharded);
  rig.run();
  for (int number = 0; number < 3; ++number) rig.kill(node(number));
  for (int number = 5; number < 8; ++number) rig.cluster.add(node(number));
  for (std::size_t slot = 0; slot < slot_count; ++slot)
    rig.cluster.owners[slot] = node(5 + static_cast<int>(slot * 3 / slot_count));
  rig.cluster.nodes[node(0)].reachable = true;
  rig.advance(Milliseconds{10'000});
  EXPECT_TRUE(rig.link.ready());
  EXPECT_THAT(rig.link.clients(), SizeIs(3));
  EXPECT_THAT(rig.cluster.subscriptions(), SizeIs(1));
}

TEST_F(ClusterOutageTest, RoomsThatMoveTogetherComeBackAtThePaceOfTheWholeLink) {
  ClientOptions options;
  options.subscriptions_per_second_max = 1'000;
  ClusterRig paced(options);
  paced.cluster.add(node(3), node(0));
  paced.cluster.add(node(4), node(1));
  for (int i = 0; i < 6'000; ++i) paced.link.subscribe("room-" + std::to_string(i), ChannelKind::sharded);
  paced.advance(Milliseconds{7'000});
  ASSERT_TRUE(paced.link.ready());
  for (int number : {0, 1}) paced.kill(node(number));
  paced.cluster.promote(node(3));
  paced.cluster.promote(node(4));
  paced.advance(Milliseconds{2'000});
  EXPECT_FALSE(paced.link.ready());
  const auto count = [&] {
    return paced.cluster.redis(node(3)).commands("SSUBSCRIBE").size() +
           paced.cluster.redis(node(4)).commands("SSUBSCRIBE").size();
  };
  EXPECT_LE(count(), 2'100U);
  EXPECT_GE(count(), 500U);
  paced.advance(Milliseconds{4'500});
  EXPECT_TRUE(paced.link.ready());
  EXPECT_THAT(paced.cluster.subscriptions(), SizeIs(::testing::Ge(4'000U)));
}

TEST_F(ClusterOutageTest, CommandsOnTheWayAreTold) {
  rig.run();
  const std::string key = on(0, "k");
  Words answers;
  rig.cluster.nodes[node(0)].answering = false;
  rig.link.command({"GET", key}, key, [&](auto reply) { answers.push_back(reply ? "ok" : reply.error().text); });
  std::optional<std::size_t> everywhere;
  rig.link.command_everywhere({"INFO"}, [&](const DrivenLink::Replies& replies) { everywhere = replies.size(); });
  rig.run();
  EXPECT_THAT(answers, IsEmpty());
  rig.kill(node(0));
  rig.run();
  EXPECT_THAT(answers, SizeIs(1));
  EXPECT_EQ(everywhere, 3U);
}

// Whatever happens, each message is taken once or counted, and in the end everything is in place.
TEST_F(ClusterOutageTest, ManyThingsAtOnce) {
  std::uint64_t sent = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    ClusterRig wild({}, seed);
    for (int i = 0; i < 3; ++i) wild.cluster.add(node(3 + i), node(i));
    testing::SeededRandom chance(seed);
    for (int i = 0; i < 50; ++i) wild.link.subscribe("room-" + std::to_string(i), ChannelKind::sharded);
    for (int i = 0; i < 5; ++i) wild.link.subscribe("plain-" + std::to_string(i));
    wild.link.follow("stream");
    sent = 0;
    for (int turn = 0; turn < 400; ++turn) {
      const std::string any = node(static_cast<int>(chance.below(3)));
      switch (chance.below(12)) {
        case 0:
          wild.kill(any);
          break;
        case 1:
          wild.cluster.nodes[any].reachable = true;
          break;
        case 2:
          wild.drop(any);
          break;
        case 3:
          wild.cluster.move_slot(slot_of("room-" + std::to_string(chance.below(50))), any);
          break;
        case 4:
          wild.cluster.nodes[any].answering = !wild.cluster.nodes[any].answering;
          break;
        case 5:
          wild.advance(Milliseconds{chance.below(300)});
          break;
        case 6:
          wild.link.unsubscribe("room-7", ChannelKind::sharded);
          wild.link.subscribe("room-7", ChannelKind::sharded);
          break;
        default:
          wild.link.publish("room-" + std::to_string(chance.below(50)), std::to_string(turn), ChannelKind::sharded);
          wild.link.publish("plain-1", std::to_string(turn));
          wild.link.append("stream", {{"n", std::to_string(turn)}}, 1'000, {});
          sent += 3;
      }
      wild.run();
    }
    for (int i = 0; i < 3; ++i) wild.cluster.nodes[node(i)].reachable = wild.cluster.nodes[node(i)].answering = true;
    wild.advance(Milliseconds{20'000});
    EXPECT_TRUE(wild.link.ready()) << seed;
    EXPECT_EQ(wild.cluster.subscriptions().size(), 55U) << seed;
    EXPECT_EQ(wild.link.statistics().subscriptions.value(), 55) << seed;
    EXPECT_EQ(wild.link.unanswered(), 0U) << seed;
    EXPECT_EQ(wild.link.statistics().queue_bytes.value(), 0) << seed;
    EXPECT_EQ(wild.link.statistics().published.value() + wild.link.dropped(), sent) << seed;
  }
}

}  // namespace
}  // namespace carillon::redis
