// What one shard's connections have done. Written by the shard, read by /metrics.
#pragma once

#include <array>

#include "base/counter.hpp"
#include "runtime/arrival_failure.hpp"
#include "websocket/deflate_stats.hpp"

namespace carillon::runtime {

struct Stats {
  Gauge connections;  // TCP
  Counter connections_accepted;
  Counter connections_moved;                                   // to the shard that owns the session
  std::array<Counter, arrival_failure_count> arrivals_failed;  // by ArrivalFailure
  Counter tls_handshakes;
  Counter tls_resumptions;  // of them
  Counter http_requests;
  Counter http_errors;  // refused by the HTTP layer: malformed, too large, stalled
  Counter websocket_violations;
  Counter bytes_received;
  Counter bytes_sent;
  Gauge deflate_connections;   // WebSocket connections that have agreed on permessage-deflate
  Gauge deflate_window_bytes;  // reserved for what their clients take over from message to message
  websocket::DeflateStats deflate;
};

}  // namespace carillon::runtime
