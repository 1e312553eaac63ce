// What one shard's connections have done. Written by the shard, read by /metrics.
#pragma once

#include "base/counter.hpp"

namespace carillon::runtime {

struct Stats {
  Gauge connections;  // TCP
  Counter connections_accepted;
  Counter connections_moved;  // to the shard that owns the session
  Counter http_requests;
  Counter http_errors;  // refused by the HTTP layer: malformed, too large, stalled
  Counter websocket_violations;
  Counter bytes_received;
  Counter bytes_sent;
};

}  // namespace carillon::runtime
