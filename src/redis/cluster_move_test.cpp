// The link to a Redis Cluster whose slots move between masters that are all there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/log.hpp"
#include "redis/fake_cluster.hpp"

namespace carillon::redis {
namespace {

using testing::ClusterRig;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::Words;

const std::string first = "10.0.0.1:7000";
const std::string second = "10.0.0.1:7001";

class ClusterMoveTest : public ::testing::Test {
 protected:
  ClusterMoveTest() { configure_log(LogLevel::off, LogFormat::text); }

  // A name whose slot the first node has.
  std::string at_first(const std::string& name) {
    for (int i = 0;; ++i) {
      std::string full = std::to_string(i) + name;
      if (rig.cluster.owners[slot_of(full)] == first) return full;
    }
  }
  Words numbers(int from, int to) {
    Words all;
    for (int i = from; i < to; ++i) all.push_back(std::to_string(i));
    return all;
  }
  Words heard() {
    Words payloads;
    for (const auto& [channel, payload] : rig.listener.messages) payloads.push_back(payload);
    return payloads;
  }
  // An entry of each: its number.
  Words taken(const std::string& node, std::string_view verb) {
    Words payloads;
    for (const Words& words : rig.cluster.redis(node).commands(verb))
      if (!words[1].starts_with("socket.io-canary#")) payloads.push_back(words.back());
    return payloads;
  }

  ClusterRig rig;
};

TEST_F(ClusterMoveTest, MessagesFollowTheSlotInTheirOrder) {
  const std::string channel = at_first("x");
  rig.run();
  for (int i = 0; i < 10; ++i) rig.link.publish(channel, std::to_string(i), ChannelKind::sharded);
  rig.cluster.move_slot(slot_of(channel), second);
  rig.run();
  EXPECT_THAT(taken(second, "SPUBLISH"), numbers(0, 10));
  for (int i = 10; i < 20; ++i) rig.link.publish(channel, std::to_string(i), ChannelKind::sharded);
  rig.run();
  EXPECT_THAT(taken(second, "SPUBLISH"), numbers(0, 20));
  EXPECT_THAT(taken(first, "SPUBLISH"), SizeIs(10));  // no more than had been sent already
  EXPECT_EQ(rig.link.statistics().published.value(), 20U);
  EXPECT_EQ(rig.link.dropped(), 0U);
  EXPECT_EQ(rig.link.unanswered(), 0U);
  EXPECT_EQ(rig.link.statistics().queue_messages.value(), 0);
}

// The answers of the old master come slowly, and meanwhile more is published.
TEST_F(ClusterMoveTest, WhatComesLaterWaitsForWhatComesBack) {
  const std::string channel = at_first("x");
  rig.run();
  for (int i = 0; i < 5; ++i) rig.link.publish(channel, std::to_string(i), ChannelKind::sharded);
  rig.cluster.nodes[first].answering = false;
  rig.run();
  rig.cluster.redis(first).log.clear();
  rig.cluster.nodes[first].answering = true;
  rig.cluster.move_slot(slot_of(channel), second);
  rig.run();
  const std::size_t before = taken(second, "SPUBLISH").size();
  EXPECT_EQ(before, 0U);  // those had been taken
  for (int i = 5; i < 10; ++i) rig.link.publish(channel, std::to_string(i), ChannelKind::sharded);
  rig.listener.on_any = nullptr;
  rig.run();
  EXPECT_THAT(taken(second, "SPUBLISH"), numbers(5, 10));
}

TEST_F(ClusterMoveTest, ATopologyThatIsKnownBeforeTheAnswersDoesNotOvertakeThem) {
  const std::string channel = at_first("x");
  rig.run();
  rig.cluster.nodes[first].answering = false;  // it takes, and says nothing for a while
  rig.cluster.move_slot(slot_of(channel), second);
  for (int i = 0; i < 5; ++i) rig.link.publish(channel, std::to_string(i), ChannelKind::sharded);
  rig.run();
  // Whoever else is asked knows already.
  rig.advance(Milliseconds{3'000});
  rig.cluster.nodes[first].answering = true;
  for (int i = 5; i < 10; ++i) rig.link.publish(channel, std::to_string(i), ChannelKind::sharded);
  rig.run();
  EXPECT_THAT(taken(second, "SPUBLISH"), numbers(0, 10));
  EXPECT_EQ(rig.link.dropped(), 0U);
}

TEST_F(ClusterMoveTest, KeysThatHaveMovedBeforeTheirSlotAreAskedFor) {
  const std::string stream = at_first("stream");
  rig.run();
  rig.cluster.migrating[slot_of(stream)] = second;
  Words ids;
  for (int i = 0; i < 3; ++i)
    rig.link.append(stream, {{"n", std::to_string(i)}}, 100,
                    [&](auto id) { ids.emplace_back(id.value_or("dropped")); });
  rig.run();
  EXPECT_THAT(ids, ElementsAre("1000-1", "1000-2", "1000-3"));
  EXPECT_THAT(rig.cluster.redis(second).commands("ASKING"), SizeIs(3));
  rig.cluster.move_slot(slot_of(stream), second);
  rig.link.append(stream, {{"n", "3"}}, 100, [&](auto id) { ids.emplace_back(id.value_or("dropped")); });
  rig.run();
  EXPECT_THAT(ids, SizeIs(4));
  EXPECT_THAT(taken(second, "XADD"), numbers(0, 4));
  EXPECT_THAT(rig.cluster.redis(second).commands("ASKING"), SizeIs(3));
}

TEST_F(ClusterMoveTest, CommandsFollowMovedAndAsk) {
  const std::string key = at_first("session");
  rig.run();
  Words answers;
  const auto set = [&] {
    rig.link.command({"SET", key, "v"}, key,
                     [&](auto reply) { answers.push_back(reply ? reply->text : reply.error().text); });
    rig.run();
  };
  rig.cluster.migrating[slot_of(key)] = second;
  set();
  EXPECT_THAT(rig.cluster.redis(second).commands("ASKING"), SizeIs(1));
  rig.cluster.move_slot(slot_of(key), second);
  set();
  set();
  EXPECT_THAT(answers, ElementsAre("OK", "OK", "OK"));
  EXPECT_THAT(rig.cluster.redis(second).commands("SET"), SizeIs(3));
  rig.cluster.owners[slot_of(key)].clear();
  set();
  EXPECT_THAT(answers.back(), ::testing::StartsWith("CLUSTERDOWN"));
}

TEST_F(ClusterMoveTest, ChannelsFollowTheirSlotWhenRedisEndsThem) {
  const std::string channel = at_first("x");
  rig.link.subscribe(channel, ChannelKind::sharded);
  rig.link.subscribe(at_first("y"), ChannelKind::sharded);
  rig.run();
  const std::string other = at_first("y");
  rig.cluster.move_slot(slot_of(channel), second);
  rig.run();  // in no time: what is published meanwhile would be missed
  EXPECT_THAT(rig.cluster.subscriptions(), ElementsAre("0 s:" + other, "1 s:" + channel));
  rig.cluster.publish(channel, "after", ChannelKind::sharded);
  rig.run();
  EXPECT_THAT(heard(), ElementsAre("after"));
  EXPECT_THAT(rig.listener.ready, ElementsAre(true));
  EXPECT_EQ(rig.link.statistics().subscriptions.value(), 2);
}

TEST_F(ClusterMoveTest, AJoinOfASlotThatHasMovedIsConfirmedByItsNewMasterOnly) {
  const std::string channel = at_first("x");
  rig.run();
  rig.cluster.move_slot(slot_of(channel), second);
  rig.cluster.nodes[second].answering = false;
  rig.link.subscribe(channel, ChannelKind::sharded);
  rig.run();
  EXPECT_THAT(rig.listener.subscribed, IsEmpty());
  rig.cluster.nodes[second].answering = true;
  rig.run();
  EXPECT_THAT(rig.listener.subscribed, ElementsAre("s:" + channel));
  EXPECT_THAT(rig.cluster.subscriptions(), ElementsAre("1 s:" + channel));
}

TEST_F(ClusterMoveTest, WhatIsLeftWhileItsSlotMovesIsGoneEverywhere) {
  const std::string channel = at_first("x");
  rig.link.subscribe(channel, ChannelKind::sharded);
  rig.run();
  rig.cluster.move_slot(slot_of(channel), second);
  rig.link.unsubscribe(channel, ChannelKind::sharded);
  rig.advance(Milliseconds{1'000});
  EXPECT_THAT(rig.cluster.subscriptions(), IsEmpty());
  rig.link.subscribe(channel, ChannelKind::sharded);
  rig.cluster.move_slot(slot_of(channel), first);
  rig.advance(Milliseconds{1'000});
  EXPECT_THAT(rig.cluster.subscriptions(), ElementsAre("0 s:" + channel));
  EXPECT_EQ(rig.link.statistics().subscriptions.value(), 1);
}

// Hundreds of slots, each with a channel, one after the other, and back; joins and leaves go on.
TEST_F(ClusterMoveTest, ReshardingWhileSubscribedLosesNoRoom) {
  Words channels;
  for (int i = 0; channels.size() < 300; ++i) {
    std::string channel = "room-" + std::to_string(i);
    if (rig.cluster.owners[slot_of(channel)] == first) channels.push_back(std::move(channel));
  }
  for (const std::string& channel : channels) rig.link.subscribe(channel, ChannelKind::sharded);
  rig.run();
  for (const std::string& to : {second, first}) {
    for (std::size_t i = 0; i < channels.size(); ++i) {
      rig.cluster.move_slot(slot_of(channels[i]), to);
      const std::string& other = channels[(i * 7) % channels.size()];
      rig.link.unsubscribe(other, ChannelKind::sharded);
      if (i % 3 == 0) rig.run();
      rig.link.subscribe(other, ChannelKind::sharded);
      if (i % 10 == 0) rig.advance(Milliseconds{20});
    }
    rig.advance(Milliseconds{3'000});
    rig.listener.messages.clear();
    for (const std::string& channel : channels) rig.cluster.publish(channel, channel, ChannelKind::sharded);
    rig.run();
    Words sorted = channels;
    Words got = heard();
    std::sort(sorted.begin(), sorted.end());
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, sorted);
  }
  EXPECT_EQ(rig.link.statistics().failures.value(), 0U);  // no connection was given up
  EXPECT_THAT(rig.listener.ready, ElementsAre(true));
}

TEST_F(ClusterMoveTest, AStreamIsFollowedToItsNewMasterWithoutGapOrRepeat) {
  const std::string stream = at_first("stream");
  rig.link.follow(stream);
  rig.run();
  for (int i = 0; i < 3; ++i) rig.link.append(stream, {{"n", std::to_string(i)}}, 100, {});
  rig.run();
  rig.cluster.move_slot(slot_of(stream), second);
  for (int i = 3; i < 6; ++i) rig.link.append(stream, {{"n", std::to_string(i)}}, 100, {});
  rig.advance(Milliseconds{1'000});
  Words expected;
  for (int i = 0; i < 6; ++i) expected.push_back(stream + " 1000-" + std::to_string(i + 1) + " n=" + std::to_string(i));
  EXPECT_EQ(rig.listener.entries, expected);
  EXPECT_THAT(rig.listener.lost, IsEmpty());
  EXPECT_TRUE(rig.link.ready());
}

TEST_F(ClusterMoveTest, NodesThatDisagreeForEverCostLittle) {
  const std::string channel = at_first("x");
  rig.run();
  // Each sends it to the other.
  for (const std::string& node : {first, second}) {
    const std::string other = node == first ? second : first;
    rig.cluster.redis(node).override_answer = [this, channel, other](const Words& words) -> std::string {
      if (words[0] == "CLUSTER") return "-ERR no\r\n";
      if (words.size() < 2 || words[1] != channel) return "";
      return "-MOVED " + std::to_string(slot_of(channel)) + " " + other + "\r\n";
    };
  }
  rig.link.publish(channel, "1", ChannelKind::sharded);
  rig.link.subscribe(channel, ChannelKind::sharded);
  Words answers;
  rig.link.command({"GET", channel}, channel,
                   [&](auto reply) { answers.push_back(reply ? reply->text : reply.error().text); });
  rig.advance(Milliseconds{10'000});
  EXPECT_THAT(answers, ElementsAre(::testing::StartsWith("MOVED")));
  EXPECT_LE(rig.cluster.published("SPUBLISH").size() + rig.cluster.published("SSUBSCRIBE").size(), 1'000U);
  EXPECT_FALSE(rig.link.ready());
  rig.advance(Milliseconds{30'000});
  EXPECT_EQ(rig.link.statistics().dropped_old.value(), 1U);
}

TEST_F(ClusterMoveTest, ASlotThatNobodyServesWaitsAndTheOthersGoOn) {
  const std::string channel = at_first("x");
  rig.run();
  const auto owner = std::exchange(rig.cluster.owners[slot_of(channel)], "");
  rig.link.publish(channel, "1", ChannelKind::sharded);
  rig.link.publish(at_first("y"), "2", ChannelKind::sharded);
  rig.link.publish("plain", "3");
  rig.advance(Milliseconds{2'000});
  EXPECT_THAT(taken(first, "SPUBLISH"), ::testing::Contains("2"));
  EXPECT_THAT(rig.cluster.published("PUBLISH"), ElementsAre("3"));
  EXPECT_EQ(rig.link.unanswered(), 1U);
  rig.cluster.owners[slot_of(channel)] = owner;
  rig.advance(Milliseconds{2'000});
  EXPECT_EQ(rig.link.unanswered(), 0U);
  EXPECT_EQ(rig.link.statistics().published.value(), 3U);
}

TEST_F(ClusterMoveTest, MessagesThatCanNeverGoAreDroppedAndCounted) {
  const std::string stream = at_first("s");
  rig.run();
  rig.cluster.redis(first).override_answer = [](const Words& words) {
    return words[0] == "XADD" ? "-CROSSSLOT Keys in request don't hash to the same slot\r\n" : std::string();
  };
  Words ids;
  rig.link.append(stream, {{"n", "1"}}, 10, [&](auto id) { ids.emplace_back(id.value_or("dropped")); });
  rig.run();
  EXPECT_THAT(ids, ElementsAre("dropped"));
  EXPECT_EQ(rig.link.statistics().dropped_refused.value(), 1U);
}

}  // namespace
}  // namespace carillon::redis
