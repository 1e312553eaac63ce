// Plain, pattern and sharded channels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/log.hpp"
#include "redis/client.hpp"
#include "redis/fake_redis.hpp"

namespace carillon::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using testing::Rig;
using ::testing::SizeIs;
using testing::Words;

class ClientKindsTest : public ::testing::Test {
 protected:
  ClientKindsTest() { configure_log(LogLevel::off, LogFormat::text); }
};

TEST_F(ClientKindsTest, OneNameMayBeSubscribedInEachKind) {
  Rig rig;
  for (const ChannelKind kind : channel_kinds) rig.client.subscribe("a", kind);
  rig.run();
  ASSERT_TRUE(rig.client.ready());
  EXPECT_THAT(rig.listener.subscribed, ElementsAre("a", "p:a", "s:a"));
  EXPECT_THAT(rig.subscriptions(), ElementsAre("a", "p:a", "s:a"));
  EXPECT_EQ(rig.client.statistics().subscriptions.value(), 3);
  rig.client.unsubscribe("a", ChannelKind::pattern);
  rig.run();
  EXPECT_THAT(rig.subscriptions(), ElementsAre("a", "s:a"));
}

TEST_F(ClientKindsTest, MessagesSayHowTheyWereSubscribed) {
  Rig rig;
  rig.client.subscribe("a:1");
  rig.client.subscribe("a:*", ChannelKind::pattern);
  rig.client.subscribe("a:1", ChannelKind::sharded);
  rig.run();
  rig.redis.publish("a:1", "plain");
  rig.redis.publish("a:2", "pattern");
  rig.redis.publish("a:1", "sharded", ChannelKind::sharded);
  rig.run();
  EXPECT_THAT(rig.listener.messages, ElementsAre(Pair("a:1", "plain"), Pair("p:a:1", "plain"), Pair("p:a:2", "pattern"),
                                                 Pair("s:a:1", "sharded")));
}

TEST_F(ClientKindsTest, AllKindsComeBackBeforeTheLinkIsReady) {
  Rig rig;
  for (const ChannelKind kind : channel_kinds) rig.client.subscribe("a", kind);
  rig.run();
  rig.drop_all();
  rig.redis.override_answer = [](const Words& words) { return words[0] == "SSUBSCRIBE" ? ":" : ""; };  // never whole
  rig.advance(Milliseconds{1'000});
  EXPECT_FALSE(rig.client.ready());
  rig.redis.override_answer = nullptr;
  rig.advance(Milliseconds{15'000});
  EXPECT_TRUE(rig.client.ready());
  EXPECT_THAT(rig.subscriptions(), ElementsAre("a", "p:a", "s:a"));
  EXPECT_THAT(rig.listener.subscribed, SizeIs(3));
}

TEST_F(ClientKindsTest, MessagesOfBothKindsAndEntriesKeepTheirOrder) {
  Rig rig;
  rig.client.publish("c", "1");
  rig.client.publish("c", "2", ChannelKind::sharded);
  rig.client.append("stream", {{"n", "3"}}, 10, {});
  rig.client.publish("c", "4");
  rig.run();
  Words seen;
  for (const Words& words : rig.redis.log)
    if (words.back().size() == 1) seen.push_back(words[0] + " " + words.back());
  EXPECT_THAT(seen, ElementsAre("PUBLISH 1", "SPUBLISH 2", "XADD 3", "PUBLISH 4"));
  EXPECT_EQ(rig.client.statistics().published.value(), 4U);
}

// As when a cluster moves the channel's slot away while this is a single node for us.
TEST_F(ClientKindsTest, ASubscriptionThatRedisEndsIsAskedForAgain) {
  Rig rig;
  rig.client.subscribe("a", ChannelKind::sharded);
  rig.client.subscribe("b", ChannelKind::sharded);
  rig.run();
  rig.redis.push_unsubscription(rig.ids[1], "a");
  rig.run();
  EXPECT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.dials, 2);
  EXPECT_THAT(rig.subscriptions(), ElementsAre("s:a", "s:b"));
}

// Redis before version 7.
TEST_F(ClientKindsTest, ARedisWithoutShardedChannelsIsTriedAgain) {
  Rig rig;
  rig.redis.override_answer = [](const Words& words) {
    return words[0] == "SSUBSCRIBE" ? "-ERR unknown command 'SSUBSCRIBE'\r\n" : "";
  };
  rig.client.subscribe("a", ChannelKind::sharded);
  rig.advance(Milliseconds{20'000});
  EXPECT_FALSE(rig.client.ready());
  EXPECT_LE(rig.dials, 60);
}

}  // namespace
}  // namespace carillon::redis
