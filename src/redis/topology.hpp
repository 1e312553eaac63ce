// Which node of a Redis Cluster serves which slots.
//
//   CLUSTER SLOTS -> *range                  range = [ first, last, master, *replica ]
//   master, replica = [ host, port, ... ]    host = text / nil; without one, or with "?": that of the node that answered
//
// Source: the documentation of CLUSTER SLOTS, which all versions of Redis have (CLUSTER SHARDS: from version 7 on).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "redis/reply.hpp"
#include "redis/url.hpp"

namespace carillon::redis {

struct Topology {
  struct Node {
    Address address;
    bool master = false;
  };
  struct Range {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
    std::size_t master = 0;  // index into nodes
  };
  std::vector<Node> nodes;  // each once
  std::vector<Range> ranges;
};

// The error is a clause for the log.
Result<Topology, std::string> read_topology(const Reply& reply, const Address& asked);

}  // namespace carillon::redis
