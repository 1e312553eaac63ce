// What one shard's connections have done. Written by the shard, read by /metrics.
#pragma once

#include <array>

#include "base/counter.hpp"
#include "runtime/refusal.hpp"
#include "websocket/deflate_stats.hpp"

namespace carillon::runtime {

struct Stats {
  Gauge connections;  // TCP
  Counter connections_accepted;
  Counter connections_moved;  // to the shard that owns the session
  RefusalCounters refused;
  Gauge receive_buffer_bytes;  // of messages and bodies that are not complete
  Gauge send_queue_bytes;      // that clients have not taken when a turn ends
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
