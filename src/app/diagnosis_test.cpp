#include "app/diagnosis.hpp"

#include <gtest/gtest.h>

namespace carillon::app {
namespace {

using Level = Finding::Level;

class DiagnosisTest : public testing::Test {
 protected:
  DiagnosisTest() {
    config.redis.url = "redis://127.0.0.1";
    facts.version = "7.0.15";
    facts.role = "master";
    facts.eviction_policy = "noeviction";
    facts.latency_ms = 0.1;
    facts.latency_max_ms = 0.3;
  }

  // The level of the finding that says this; none if there is none.
  std::optional<Level> level_of(std::string_view words) const {
    for (const Finding& finding : diagnose(config, facts))
      if (finding.text.find(words) != std::string::npos) return finding.level;
    return std::nullopt;
  }
  Level worst() const { return diagnose(config, facts).front().level; }

  Config config;
  RedisFacts facts;
};

TEST_F(DiagnosisTest, AHealthyRedisIsGood) {
  facts.pubsub_servers = 3;
  EXPECT_EQ(worst(), Level::good);
  EXPECT_EQ(level_of("3 servers with the pubsub adapter"), Level::good);
}

TEST_F(DiagnosisTest, TheShardedAdapterNeedsRedis7) {
  facts.version = "6.2.7";
  EXPECT_EQ(worst(), Level::good);
  config.cluster.adapter = "sharded";
  EXPECT_EQ(level_of("needs 7.0"), Level::error);
  facts.version = "10.0.0";
  EXPECT_EQ(worst(), Level::good);
  config.cluster.adapter = "pubsub";
  facts.version = "5.0.3";
  EXPECT_EQ(level_of("6.2 or later"), Level::error);
}

TEST_F(DiagnosisTest, AUserWhoMayNotAskIsNoMistake) {
  facts.version.clear();
  facts.role.clear();
  EXPECT_EQ(level_of("+info"), Level::warning);
  EXPECT_EQ(worst(), Level::warning);
}

TEST_F(DiagnosisTest, ARedisWithoutAFileForgetsNotifications) {
  EXPECT_FALSE(level_of("appendonly"));
  facts.keeps_file = false;
  EXPECT_EQ(level_of("appendonly is off"), Level::warning);
}

TEST_F(DiagnosisTest, AReplicaIsNoPlaceToPublish) {
  facts.role = "slave";
  EXPECT_EQ(level_of("not a master"), Level::error);
}

TEST_F(DiagnosisTest, ANodeOfAClusterWantsTheClustersUrl) {
  facts.cluster_enabled = true;
  EXPECT_EQ(level_of("redis+cluster"), Level::warning);
  config.redis.url = "redis+cluster://127.0.0.1:7000";
  facts.cluster_state = "ok";
  EXPECT_EQ(worst(), Level::good);
  facts.cluster_state = "fail";
  EXPECT_EQ(level_of("has failed"), Level::error);
}

TEST_F(DiagnosisTest, SaysWhatTheUserMayNotDo) {
  facts.refused = {{"count subscribers (PUBSUB)", "NOPERM this user has no permissions"}};
  EXPECT_EQ(level_of("may not count subscribers (PUBSUB): \"NOPERM"), Level::error);
}

TEST_F(DiagnosisTest, EvictionMattersToNotificationsAndStreams) {
  facts.eviction_policy = "allkeys-lru";
  EXPECT_EQ(level_of("notifications that were accepted"), Level::warning);
  config.cluster.adapter = "streams";
  EXPECT_EQ(level_of("the stream with all messages"), Level::warning);
  facts.eviction_policy = "volatile-ttl";
  EXPECT_EQ(level_of("sessions of clients"), Level::warning);
}

TEST_F(DiagnosisTest, ASlowRedisIsSaid) {
  facts.latency_ms = 8;
  EXPECT_EQ(level_of("SLOWLOG"), Level::warning);
  facts.latency_ms = 1;
  facts.latency_max_ms = 60;
  EXPECT_EQ(level_of("SLOWLOG"), Level::warning);
}

TEST_F(DiagnosisTest, AdaptersThatShareAPrefixCollide) {
  facts.sharded_servers = 2;
  EXPECT_EQ(level_of("2 servers with the sharded adapter use the prefix"), Level::warning);
  facts.streams_servers = 1;
  EXPECT_EQ(level_of("end with an exception"), Level::error);
}

TEST_F(DiagnosisTest, NodesOfAnotherModeAreNamed) {
  config.cluster.adapter = "sharded";
  facts.sharded_servers = 2;
  facts.sharded_rooms = 5;
  facts.nodes = {{"one", "sharded", "dynamic"}, {"two", "sharded", "static"}};
  EXPECT_EQ(level_of("The node two has cluster.mode static"), Level::error);
  EXPECT_EQ(level_of("The node one"), std::nullopt);
}

TEST_F(DiagnosisTest, ServersWithoutRoomsMayBeStatic) {
  config.cluster.adapter = "sharded";
  facts.sharded_servers = 2;
  EXPECT_EQ(level_of("subscription mode \"static\""), Level::warning);
  config.cluster.mode = "static";
  EXPECT_EQ(level_of("subscription mode \"static\""), std::nullopt);
}

// Computed with the published package: "/notifications" of four streams goes to "socket.io--3".
TEST_F(DiagnosisTest, ANamespaceThatNodeServersDoNotReadIsNamed) {
  config.cluster.adapter = "streams";
  config.cluster.stream_count = 4;
  facts.namespaces = {"/", "/notifications"};
  EXPECT_EQ(level_of("/notifications go to the stream socket.io--3"), Level::warning);
  config.cluster.stream_count = 1;
  EXPECT_EQ(worst(), Level::good);
}

}  // namespace
}  // namespace carillon::app
