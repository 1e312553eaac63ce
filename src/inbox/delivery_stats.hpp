// What a shard's deliverer counts, for /metrics.
#pragma once

#include "base/counter.hpp"

namespace carillon::inbox {

// Written by the deliverer's shard, read by any thread.
struct DeliveryStats {
  Gauge recipients;      // sockets
  Counter sent;          // notifications to sockets, repeats included
  Counter repeated;      // of them, because no acknowledgement came
  Counter given_up;      // sent as often as a connection may ask for
  Counter proven;        // notifications that a socket has received
  Counter pings;         // sent to prove something
  Counter reads;         // pages of the store
  Counter expired;       // not sent, or not again, because their time was over
  Counter gaps;          // told to clients
  Counter store_errors;  // calls that failed, and are repeated
};

}  // namespace carillon::inbox
