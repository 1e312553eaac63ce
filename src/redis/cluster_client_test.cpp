// The link to a Redis Cluster in which nothing goes wrong.
#include "redis/cluster_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "base/log.hpp"
#include "redis/fake_cluster.hpp"

namespace carillon::redis {
namespace {

using testing::ClusterRig;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using testing::Words;

class ClusterClientTest : public ::testing::Test {
 protected:
  ClusterClientTest() { configure_log(LogLevel::off, LogFormat::text); }

  // A name with something in front of it whose slot this node has.
  std::string on(int node, const std::string& name) {
    const std::string address = "10.0.0.1:700" + std::to_string(node);
    for (int i = 0;; ++i) {
      std::string full = std::to_string(i) + name;
      if (rig.cluster.owners[slot_of(full)] == address) return full;
    }
  }
  Words ask(std::vector<std::string> words, const std::string& key) {
    Words answers;
    rig.link.command(std::move(words), key,
                     [&](auto reply) { answers.push_back(reply ? reply->text : "error: " + reply.error().text); });
    rig.run();
    return answers;
  }

  ClusterRig rig;
};

TEST_F(ClusterClientTest, BecomesReadyWhenItKnowsTheSlots) {
  EXPECT_FALSE(rig.link.ready());
  rig.run();
  EXPECT_TRUE(rig.link.ready());
  EXPECT_THAT(rig.listener.ready, ElementsAre(true));
  EXPECT_EQ(rig.link.statistics().ready.value(), 1);
  EXPECT_EQ(rig.cluster.looks, 1);
  EXPECT_EQ(rig.connections(), 4);  // commands of all three, and a subscriber at the home
}

TEST_F(ClusterClientTest, PlainChannelsAreSubscribedAtOneNodeAndHeardOnce) {
  for (const char* name : {"a", "b", "c", "d"}) rig.link.subscribe(name);
  rig.link.subscribe("p*", ChannelKind::pattern);
  rig.run();
  EXPECT_TRUE(rig.link.ready());
  const Words held = rig.cluster.subscriptions();
  ASSERT_THAT(held, SizeIs(5));
  for (const std::string& one : held) EXPECT_EQ(one[0], held[0][0]);
  EXPECT_THAT(rig.listener.subscribed, UnorderedElementsAre("a", "b", "c", "d", "p:p*"));
  rig.cluster.publish("a", "1", ChannelKind::plain);
  rig.link.publish("b", "2");
  rig.link.publish("p1", "3");
  rig.run();
  EXPECT_THAT(rig.listener.messages, UnorderedElementsAre(Pair("a", "1"), Pair("b", "2"), Pair("p:p1", "3")));
}

TEST_F(ClusterClientTest, ShardedChannelsAreSubscribedAtTheirMasters) {
  for (int node = 0; node < 3; ++node) rig.link.subscribe(on(node, "x"), ChannelKind::sharded);
  rig.run();
  EXPECT_TRUE(rig.link.ready());
  EXPECT_THAT(rig.cluster.subscriptions(), ElementsAre("0 s:" + on(0, "x"), "1 s:" + on(1, "x"), "2 s:" + on(2, "x")));
  EXPECT_THAT(rig.listener.subscribed, SizeIs(3));
  EXPECT_EQ(rig.link.statistics().subscriptions.value(), 3);
  for (int node = 0; node < 3; ++node) rig.link.publish(on(node, "x"), "m", ChannelKind::sharded);
  rig.run();
  EXPECT_THAT(rig.listener.messages, SizeIs(3));
  EXPECT_EQ(rig.link.statistics().published.value(), 3U);
  rig.link.unsubscribe(on(1, "x"), ChannelKind::sharded);
  rig.run();
  EXPECT_THAT(rig.cluster.subscriptions(), ElementsAre("0 s:" + on(0, "x"), "2 s:" + on(2, "x")));
}

TEST_F(ClusterClientTest, WhatIsAskedAfterItIsReadyGoesTheSameWay) {
  rig.run();
  const std::string channel = on(1, "later");
  rig.link.subscribe(channel, ChannelKind::sharded);
  rig.link.subscribe("plain");
  rig.run();
  EXPECT_THAT(rig.cluster.subscriptions(), SizeIs(2));
  EXPECT_THAT(rig.listener.subscribed, UnorderedElementsAre("s:" + channel, "plain"));
  EXPECT_TRUE(rig.link.ready());
}

TEST_F(ClusterClientTest, SubscribersAreCountedOverAllNodesReplicasToo) {
  rig.cluster.add("10.0.0.1:7003", "10.0.0.1:7000");
  rig.link.subscribe("plain");
  const std::string sharded = on(2, "x");
  rig.link.subscribe(sharded, ChannelKind::sharded);
  for (auto& [name, node] : rig.cluster.nodes)
    node.redis.subscriptions[node.redis.accept()].insert({ChannelKind::plain, "plain"});
  rig.run();
  std::optional<std::size_t> plain, count;
  rig.link.count_subscribers("plain", ChannelKind::plain, [&](auto found) { plain = found; });
  rig.link.count_subscribers(sharded, ChannelKind::sharded, [&](auto found) { count = found; });
  rig.run();
  EXPECT_EQ(plain, 5U);
  EXPECT_EQ(count, 1U);
}

TEST_F(ClusterClientTest, SubscribersCannotBeCountedBeforeNodesAreThere) {
  bool asked = false;
  rig.link.count_subscribers("plain", ChannelKind::plain, [&](auto found) { asked = !found; });
  EXPECT_TRUE(asked);
}

TEST_F(ClusterClientTest, CommandsGoToTheMasterOfTheirKey) {
  rig.run();
  for (int node = 0; node < 3; ++node) {
    const std::string key = on(node, "session");
    EXPECT_THAT(ask({"SET", key, "v"}, key), ElementsAre("OK"));
    EXPECT_THAT(rig.cluster.redis("10.0.0.1:700" + std::to_string(node)).commands("SET"), SizeIs(1));
  }
  EXPECT_THAT(ask({"TIME"}, ""), ElementsAre("OK"));
  std::size_t everywhere = 0;
  rig.link.command_everywhere({"INFO"}, [&](const DrivenLink::Replies& replies) { everywhere = replies.size(); });
  rig.run();
  EXPECT_EQ(everywhere, 3U);
}

TEST_F(ClusterClientTest, CommandsFailAtOnceWhenNobodyCanTakeThem) {
  EXPECT_THAT(ask({"SET", "k", "v"}, "k"), SizeIs(1));
}

TEST_F(ClusterClientTest, StreamsAreFollowedEachAtItsMaster) {
  rig.link.follow(on(0, "stream"));
  rig.link.follow(on(1, "stream"));
  rig.run();
  EXPECT_TRUE(rig.link.ready());
  EXPECT_THAT(rig.listener.positions, UnorderedElementsAre(on(0, "stream") + " 0-0", on(1, "stream") + " 0-0"));
  Words ids;
  for (int node : {0, 1, 2})
    rig.link.append(on(node, "stream"), {{"n", std::to_string(node)}}, 100,
                    [&](auto id) { ids.emplace_back(id.value_or("dropped")); });
  rig.run();
  EXPECT_THAT(ids, ElementsAre("1000-1", "1000-1", "1000-1"));
  EXPECT_THAT(rig.listener.entries,
              UnorderedElementsAre(on(0, "stream") + " 1000-1 n=0", on(1, "stream") + " 1000-1 n=1"));
}

TEST_F(ClusterClientTest, AnEmitterHasNoSubscribers) {
  ClientOptions options;
  options.subscribes = false;
  ClusterRig emitter(options);
  emitter.run();
  EXPECT_TRUE(emitter.link.ready());
  EXPECT_EQ(emitter.connections(), 3);
  emitter.link.publish("a", "1");
  emitter.link.publish("b", "2", ChannelKind::sharded);
  emitter.run();
  EXPECT_THAT(emitter.cluster.published("PUBLISH"), ElementsAre("1"));
  EXPECT_THAT(emitter.cluster.published("SPUBLISH"), ElementsAre("2"));
  EXPECT_EQ(emitter.link.unanswered(), 0U);
}

TEST_F(ClusterClientTest, NodesThatDoNotKnowTheirHostAreAtTheOneThatWasAsked) {
  for (const char* shown : {"nil", "?"}) {
    ClusterRig unaware;
    unaware.cluster.host_shown = shown;
    unaware.run();
    EXPECT_TRUE(unaware.link.ready()) << shown;
    EXPECT_THAT(unaware.dialled, ::testing::Each(::testing::StartsWith("10.0.0.1:")));
  }
}

TEST_F(ClusterClientTest, WhatTheUrlNamesIsLeftForWhatTheClusterNames) {
  for (int i = 0; i < 3; ++i) rig.cluster.add("10.0.0.2:700" + std::to_string(i));
  rig.cluster.host_shown = "10.0.0.2";
  for (std::string& owner : rig.cluster.owners) owner = "10.0.0.2" + owner.substr(8);
  rig.link.subscribe("a");
  rig.run();
  EXPECT_TRUE(rig.link.ready());
  EXPECT_EQ(rig.connections(), 4);
  EXPECT_THAT(rig.link.clients(), SizeIs(3));
  for (const Client* client : rig.link.clients()) EXPECT_EQ(client->options().url.addresses[0].host, "10.0.0.2");
}

TEST_F(ClusterClientTest, AServerThatIsNoClusterIsNotBelieved) {
  rig.cluster.slots_error = "ERR This instance has cluster support disabled";
  rig.advance(Milliseconds{3'000});
  EXPECT_FALSE(rig.link.ready());
  EXPECT_LE(rig.cluster.looks, 30);
  EXPECT_GE(rig.cluster.looks, 3);
  rig.cluster.slots_error.clear();
  rig.advance(Milliseconds{2'000});
  EXPECT_TRUE(rig.link.ready());
}

// Its slots are not all assigned yet; or the answer is empty.
TEST_F(ClusterClientTest, AClusterThatIsBeingMadeIsWaitedFor) {
  const auto owners = rig.cluster.owners;
  rig.cluster.owners.assign(slot_count, "");
  const std::string channel = "x";
  rig.link.subscribe(channel, ChannelKind::sharded);
  rig.link.publish(channel, "1", ChannelKind::sharded);
  rig.advance(Milliseconds{3'000});
  EXPECT_FALSE(rig.link.ready());
  rig.cluster.owners = owners;
  rig.advance(Milliseconds{2'000});
  EXPECT_TRUE(rig.link.ready());
  EXPECT_THAT(rig.cluster.published("SPUBLISH"), ElementsAre("1"));
}

TEST_F(ClusterClientTest, TheTopologyIsLookedAtNowAndThen) {
  rig.run();
  rig.advance(Milliseconds{60'000});
  EXPECT_GE(rig.cluster.looks, 4);
  EXPECT_LE(rig.cluster.looks, 14);
  // A replica that has come counts from then on.
  rig.cluster.add("10.0.0.1:7003", "10.0.0.1:7000");
  rig.advance(Milliseconds{20'000});
  EXPECT_THAT(rig.link.clients(), SizeIs(4));
  EXPECT_THAT(rig.listener.ready, ElementsAre(true));
}

TEST_F(ClusterClientTest, MessagesAreHeldAtAllNodesAsLongAsThatIsAsked) {
  rig.run();
  rig.link.hold_messages(true);
  for (int node = 0; node < 3; ++node) rig.link.publish(on(node, "x"), "1", ChannelKind::sharded);
  rig.link.publish("plain", "1");
  rig.run();
  EXPECT_EQ(rig.link.unanswered(), 4U);
  EXPECT_THAT(rig.cluster.published("SPUBLISH"), IsEmpty());
  EXPECT_THAT(ask({"GET", "k"}, "k"), SizeIs(1));  // commands are not
  rig.link.hold_messages(false);
  rig.run();
  EXPECT_EQ(rig.link.unanswered(), 0U);
  EXPECT_THAT(rig.cluster.published("SPUBLISH"), SizeIs(3));
}

TEST_F(ClusterClientTest, AtTheEndWhatWaitsIsCounted) {
  rig.link.publish("a", "1", ChannelKind::sharded);
  Words ids;
  rig.link.append("s", {{"n", "1"}}, 10, [&](auto id) { ids.emplace_back(id.value_or("dropped")); });
  EXPECT_EQ(rig.link.unanswered(), 2U);
  rig.link.abandon();
  EXPECT_EQ(rig.link.unanswered(), 0U);
  EXPECT_EQ(rig.link.statistics().dropped_shutdown.value(), 2U);
  EXPECT_THAT(ids, ElementsAre("dropped"));
}

}  // namespace
}  // namespace carillon::redis
