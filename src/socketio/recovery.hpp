// Connection state recovery: a client whose connection broke comes back as the same socket, with its rooms, its data and
// the events that it has missed.
//
// Who comes back passes the middleware before anything is replayed (unless skip_middlewares), may have been sent
// nothing yet, and takes over a connection that the server still believes alive.
#pragma once

#include <cstddef>
#include <memory>

#include "base/time.hpp"
#include "socketio/recovery_log.hpp"
#include "socketio/recovery_store.hpp"

namespace carillon::socketio {

struct RecoveryRules {
  bool skip_middlewares = false;                // of clients that are recovered
  std::size_t session_bytes_max = 1024 * 1024;  // of events to one socket alone, and of what is replayed to it
};

// What the shards of a node share.
struct Recovery {
  RecoveryRules rules;
  RecoveryLog& log;
  RecoveryStore& store;
  std::shared_ptr<RecoveryBudget> budget;
};

}  // namespace carillon::socketio
