// What the Engine.IO layer of one shard has seen. Written by the shard, read by /metrics.
#pragma once

#include <array>

#include "base/counter.hpp"
#include "engineio/close_reason.hpp"

namespace carillon::engineio {

struct Stats {
  Gauge sessions;
  Gauge outbox_bytes;  // that wait for polls, for upgrades and for greetings
  Counter sessions_opened_polling;
  Counter sessions_opened_websocket;
  std::array<Counter, close_reason_count> sessions_closed;  // by CloseReason
  Counter upgrades;
  Gauge handshakes_waiting;       // for the application to allow them
  Counter handshakes_denied;      // by the application
  Counter handshakes_unanswered;  // by it in time
  Counter payloads_compressed;    // answers to polls
  Counter too_many_sessions;      // handshakes refused by the gate,
  Counter too_many_handshakes;    // by its answer
  Counter requests_refused;       // answered with an error of the protocol
  Counter messages_received;
  Counter messages_sent;  // packets handed to a transport or queued for it
  Counter volatile_dropped;
};

}  // namespace carillon::engineio
