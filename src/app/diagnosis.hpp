// What `carillon doctor` makes of what it has seen at Redis.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "app/config.hpp"

namespace carillon::app {

// What was seen. Texts are as Redis gives them.
struct RedisFacts {
  std::string version;                 // "7.0.15"
  std::string role;                    // "master"
  bool cluster_enabled = false;        // it is a node of a Redis Cluster
  std::string cluster_state;           // "ok", if that may be asked
  bool keeps_file = true;              // appendonly
  std::string eviction_policy;         // "noeviction"
  std::uint64_t memory_bytes_max = 0;  // 0: no limit
  double latency_ms = 0;               // of a PING, the median
  double latency_max_ms = 0;
  // What the configured adapter needs and the user may not do, with Redis' words.
  std::vector<std::pair<std::string, std::string>> refused;
  // Servers that listen under the configured prefix, by adapter.
  std::size_t pubsub_servers = 0;
  std::size_t sharded_servers = 0;
  std::size_t streams_servers = 0;
  std::size_t sharded_rooms = 0;  // channels of rooms that somebody is subscribed to
  std::vector<std::string> namespaces;
  struct Node {
    std::string name;
    std::string adapter;
    std::string mode;
  };
  std::vector<Node> nodes;  // Carillon's
};

struct Finding {
  enum class Level : std::uint8_t { good, warning, error };
  Level level;
  std::string text;  // one or two sentences: what, why it matters, what to do
};

// The worst first.
std::vector<Finding> diagnose(const Config& config, const RedisFacts& facts);

}  // namespace carillon::app
