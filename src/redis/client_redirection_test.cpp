// A client as one node of a Redis Cluster.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/log.hpp"
#include "redis/client.hpp"
#include "redis/fake_redis.hpp"
#include "redis/key_slot.hpp"

namespace carillon::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Rig;
using ::testing::SizeIs;
using testing::Words;

const std::string moved = "MOVED " + std::to_string(slot_of("moved")) + " 127.0.0.1:7002";

class ClientRedirectionTest : public ::testing::Test, protected RedirectionPort {
 protected:
  ClientRedirectionTest() {
    configure_log(LogLevel::off, LogFormat::text);
    rig.client.set_redirections(this);
    rig.redis.override_answer = [this](const Words& words) -> std::string {
      return words.size() > 1 && words[1] == elsewhere ? "-" + moved + "\r\n" : "";
    };
  }

  void on_message_redirected(PublishQueue::Message message, std::string_view error) override {
    log.push_back("message for " + message.channel + ": " + std::string(error));
    messages.push_back(std::move(message));
  }
  void on_subscription_redirected(std::string_view channel, std::string_view error) override {
    log.push_back("subscription of " + std::string(channel) + ": " + std::string(error));
  }
  void on_stream_redirected(std::string_view error) override { log.push_back("stream: " + std::string(error)); }

  static ClientOptions node() {
    ClientOptions options;
    options.cluster_node = true;
    return options;
  }

  std::string elsewhere = "moved";
  Words log;
  std::vector<PublishQueue::Message> messages;
  Rig rig{node()};
};

TEST_F(ClientRedirectionTest, MessagesThatBelongElsewhereAreHandedOver) {
  Words ids;
  rig.client.publish("here", "1", ChannelKind::sharded);
  rig.client.publish("moved", "2", ChannelKind::sharded);
  rig.client.publish("here", "3");
  rig.client.append("moved", {{"n", "4"}}, 10, [&](auto id) { ids.emplace_back(id.value_or("dropped")); });
  rig.client.append("here", {{"n", "5"}}, 10, [&](auto id) { ids.emplace_back(id.value_or("dropped")); });
  rig.run();
  EXPECT_THAT(log, ElementsAre("message for moved: " + moved, "message for moved: " + moved));
  EXPECT_THAT(ids, ElementsAre("1000-1"));
  EXPECT_EQ(rig.client.statistics().published.value(), 3U);
  EXPECT_EQ(rig.client.dropped(), 0U);
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(messages[0].payload, "2");

  // The other node gets them, here as one that is just being given the slot.
  Rig other{node()};
  other.client.set_redirections(this);
  messages[1].asking = true;
  for (PublishQueue::Message& message : messages) other.client.pass_on(std::move(message));
  other.run();
  EXPECT_THAT(other.redis.commands("SPUBLISH"), ElementsAre(Words{"SPUBLISH", "moved", "2"}));
  EXPECT_THAT(other.redis.commands("ASKING"), SizeIs(1));
  EXPECT_THAT(ids, ElementsAre("1000-1", "1000-1"));
}

TEST_F(ClientRedirectionTest, OtherErrorsDropTheMessage) {
  rig.redis.override_answer = [](const Words& words) {
    return words[0] == "XADD" ? "-OOM command not allowed when used memory > 'maxmemory'\r\n" : "";
  };
  Words ids;
  rig.client.append("s", {{"n", "1"}}, 10, [&](auto id) { ids.emplace_back(id.value_or("dropped")); });
  rig.run();
  EXPECT_THAT(log, IsEmpty());
  EXPECT_EQ(rig.client.dropped(), 1U);
  rig.advance(Milliseconds{1});
  EXPECT_THAT(ids, ElementsAre("dropped"));
}

TEST_F(ClientRedirectionTest, EntriesOnTheWayAreTold) {
  rig.run();
  rig.answering = false;
  Words ids;
  rig.client.append("s", {{"n", "1"}}, 10, [&](auto id) { ids.emplace_back(id.value_or("dropped")); });
  rig.run();
  rig.drop(Role::commands);
  EXPECT_THAT(ids, ElementsAre("dropped"));
}

TEST_F(ClientRedirectionTest, ASubscriptionThatBelongsElsewhereIsHandedOver) {
  for (const char* name : {"a", "moved", "b"}) rig.client.subscribe(name, ChannelKind::sharded);
  rig.run();
  EXPECT_TRUE(rig.client.ready());
  EXPECT_THAT(log, ElementsAre("subscription of moved: " + moved));
  EXPECT_THAT(rig.subscriptions(), ElementsAre("s:a", "s:b"));
  EXPECT_THAT(rig.redis.commands("SSUBSCRIBE"), SizeIs(3));  // each may have another slot
  EXPECT_EQ(rig.dials, 2);
  EXPECT_EQ(rig.client.statistics().subscriptions.value(), 2);
  // It may come back.
  elsewhere.clear();
  rig.client.subscribe("moved", ChannelKind::sharded);
  rig.run();
  EXPECT_THAT(rig.subscriptions(), ElementsAre("s:a", "s:b", "s:moved"));
  EXPECT_THAT(rig.listener.subscribed, ::testing::UnorderedElementsAre("s:a", "s:b", "s:moved"));
}

TEST_F(ClientRedirectionTest, LeavingWhatHasMovedIsFine) {
  rig.client.subscribe("moved", ChannelKind::sharded);
  elsewhere.clear();
  rig.run();
  elsewhere = "moved";
  rig.client.unsubscribe("moved", ChannelKind::sharded);
  rig.client.subscribe("b", ChannelKind::sharded);
  rig.run();
  EXPECT_THAT(log, IsEmpty());
  EXPECT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.dials, 2);
  EXPECT_EQ(rig.client.statistics().subscriptions.value(), 1);
}

TEST_F(ClientRedirectionTest, ASlotThatMovesAwayIsTold) {
  rig.client.subscribe("a", ChannelKind::sharded);
  rig.client.subscribe("b", ChannelKind::sharded);
  rig.run();
  rig.redis.push_unsubscription(rig.ids[1], "a");
  rig.run();
  EXPECT_THAT(log, ElementsAre("subscription of a: "));
  EXPECT_THAT(rig.subscriptions(), ElementsAre("s:b"));
  EXPECT_THAT(rig.redis.commands("SSUBSCRIBE"), SizeIs(2));  // not asked for again here
  EXPECT_EQ(rig.dials, 2);
}

// Redis ends the subscription, because the slot moves, just before it reads that this node ends it.
TEST_F(ClientRedirectionTest, ASlotThatMovesWhileItsChannelIsLeftConfusesNobody) {
  rig.client.subscribe("moved", ChannelKind::sharded);
  elsewhere.clear();
  rig.run();
  elsewhere = "moved";
  rig.redis.push_unsubscription(rig.ids[1], "moved");
  rig.client.unsubscribe("moved", ChannelKind::sharded);
  rig.client.subscribe("b", ChannelKind::sharded);
  rig.run();
  EXPECT_THAT(rig.subscriptions(), ElementsAre("s:b"));
  EXPECT_THAT(rig.listener.subscribed, ElementsAre("s:moved", "s:b"));
  EXPECT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.dials, 2);
}

TEST_F(ClientRedirectionTest, ASlotThatMovesWhileItsChannelIsLeftAndJoinedIsTold) {
  rig.client.subscribe("moved", ChannelKind::sharded);
  rig.client.subscribe("b", ChannelKind::sharded);
  elsewhere.clear();
  rig.run();
  elsewhere = "moved";
  rig.redis.push_unsubscription(rig.ids[1], "moved");
  for (const char* name : {"b", "moved"}) rig.client.unsubscribe(name, ChannelKind::sharded);
  rig.slice = 1;
  rig.answering = false;
  rig.run();
  rig.client.subscribe("moved", ChannelKind::sharded);
  rig.answering = true;
  rig.run();
  EXPECT_THAT(log, ElementsAre("subscription of moved: " + moved));
  EXPECT_THAT(rig.subscriptions(), IsEmpty());
  EXPECT_EQ(rig.dials, 2);
}

TEST_F(ClientRedirectionTest, AStreamThatBelongsElsewhereIsTold) {
  rig.client.follow("moved");
  rig.redis.override_answer = [](const Words& words) {
    return words[0] == "XINFO" ? "-" + moved + "\r\n" : std::string();
  };
  rig.run();
  EXPECT_THAT(log, ElementsAre("stream: " + moved));
  EXPECT_FALSE(rig.client.ready());
}

}  // namespace
}  // namespace carillon::redis
