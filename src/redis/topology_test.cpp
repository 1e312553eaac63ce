#include "redis/topology.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "redis/resp_reader.hpp"

namespace carillon::redis {
namespace {

const Address asked{.host = "10.0.0.9", .port = 7000};

Result<Topology, std::string> read(std::string_view text) {
  RespReader reader(1 << 20);
  reader.feed(text);
  const Reply* reply = reader.next();
  return reply == nullptr ? Failure<std::string>("incomplete") : read_topology(*reply, asked);
}

constexpr std::string_view node_a = "*3\r\n$8\r\n10.0.0.1\r\n:7001\r\n$2\r\nid\r\n";
constexpr std::string_view node_b = "*4\r\n$8\r\n10.0.0.2\r\n:7002\r\n$2\r\nid\r\n*2\r\n$8\r\nhostname\r\n$1\r\nb\r\n";

std::string range(std::string_view slots, std::string_view nodes, int count) {
  return "*" + std::to_string(2 + count) + "\r\n" + std::string(slots) + std::string(nodes);
}

TEST(TopologyTest, HasRangesWithAMasterAndReplicas) {
  const auto topology = read("*2\r\n" + range(":0\r\n:99\r\n", std::string(node_a) + std::string(node_b), 2) +
                             range(":200\r\n:16383\r\n", node_a, 1));
  ASSERT_TRUE(topology) << topology.error();
  ASSERT_EQ(topology->nodes.size(), 2U);
  EXPECT_EQ(topology->nodes[0].address, (Address{.host = "10.0.0.1", .port = 7001}));
  EXPECT_TRUE(topology->nodes[0].master);
  EXPECT_EQ(topology->nodes[1].address, (Address{.host = "10.0.0.2", .port = 7002}));
  EXPECT_FALSE(topology->nodes[1].master);
  ASSERT_EQ(topology->ranges.size(), 2U);
  EXPECT_EQ(topology->ranges[1].first, 200);
  EXPECT_EQ(topology->ranges[1].last, 16'383);
  EXPECT_EQ(topology->ranges[1].master, 0U);
}

TEST(TopologyTest, ANodeWithoutAHostIsTheOneThatWasAsked) {
  for (const char* host : {"$-1\r\n", "$0\r\n\r\n", "$1\r\n?\r\n"}) {
    const auto topology = read("*1\r\n" + range(":0\r\n:1\r\n", "*2\r\n" + std::string(host) + ":7001\r\n", 1));
    ASSERT_TRUE(topology);
    EXPECT_EQ(topology->nodes[0].address, (Address{.host = "10.0.0.9", .port = 7001}));
  }
}

TEST(TopologyTest, NonsenseIsAnError) {
  EXPECT_FALSE(read("*0\r\n"));  // of a cluster that is just being made
  EXPECT_FALSE(read("+OK\r\n"));
  EXPECT_FALSE(read("*1\r\n:1\r\n"));
  EXPECT_FALSE(read("*1\r\n*2\r\n:0\r\n:1\r\n"));
  for (const char* slots : {":1\r\n:0\r\n", ":0\r\n:16384\r\n", ":-1\r\n:5\r\n", "$1\r\n0\r\n:5\r\n"})
    EXPECT_FALSE(read("*1\r\n" + range(slots, node_a, 1))) << slots;
  for (const char* node : {":1\r\n", "*1\r\n$1\r\na\r\n", "*2\r\n$1\r\na\r\n:0\r\n", "*2\r\n$1\r\na\r\n:65536\r\n"})
    EXPECT_FALSE(read("*1\r\n" + range(":0\r\n:5\r\n", node, 1))) << node;
}

TEST(TopologyTest, MoreNodesThanAnybodyHasAreRefused) {
  std::string nodes;
  for (int i = 0; i < 1'001; ++i) nodes += "*2\r\n$1\r\na\r\n:" + std::to_string(i + 1) + "\r\n";
  EXPECT_FALSE(read("*1\r\n" + range(":0\r\n:5\r\n", nodes, 1'001)));
}

}  // namespace
}  // namespace carillon::redis
