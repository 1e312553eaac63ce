// What one run is like: sizes, limits and how often what goes wrong. All of it follows from the seed, so that some runs
// have many faults of one kind and none of another.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.hpp"
#include "inbox/delivery_options.hpp"
#include "inbox/store.hpp"

namespace carillon::sim {

struct Plan {
  explicit Plan(std::uint64_t seed);
  std::string to_string() const;

  std::uint64_t seed;

  bool shared =
      false;  // one store beyond a network for all nodes, as Redis; else in the only node's process, as SQLite
  bool durable =
      true;  // answers wait until the disk has it; else a crash loses the last second, and a new epoch begins
  std::size_t nodes = 1;
  std::size_t shards = 1;  // per node
  std::size_t users = 1;
  std::size_t devices = 1;           // per user, at most
  unsigned acknowledging_pm = 0;     // of the clients
  std::size_t notifications = 0;     // in the time of faults
  unsigned short_ttl_pm = 0;         // of the notifications
  unsigned collapse_pm = 0;          // with a collapse key
  unsigned key_pm = 0;               // with an idempotency key
  Milliseconds faults_for{0};        // phase 1
  Milliseconds settle_for{300'000};  // phase 2: by its end everything is delivered or expired

  inbox::StoreLimits limits{};
  inbox::DeliveryOptions delivery{};
  Milliseconds ping_interval{25'000};
  Milliseconds ping_timeout{20'000};
  Milliseconds heads_compared_every{30'000};  // of a node with a shared store: heals lost signals
  Milliseconds call_timeout{3'000};           // of a shared store
  Milliseconds delay_max{0};                  // of the network, one way
  Milliseconds clock_skew_max{0};             // of a node's wall clock, either way

  // From one fault of its kind to the next, on average; 0: there is none.
  Milliseconds node_crash_every{0};
  Milliseconds node_stop_every{0};  // with a farewell
  Milliseconds shard_stall_every{0};
  Milliseconds clock_jump_every{0};
  Milliseconds store_crash_every{0};
  Milliseconds disk_trouble_every{0};  // full, read-only
  Milliseconds store_link_every{0};    // a node's way to the store: broken, or dead in one direction
  Milliseconds client_fault_every{0};  // a connection: closed, broken, half-open, slow

  // Of a thousand.
  unsigned refused_pm = 0;        // calls to the store that fail without effect
  unsigned answer_lost_pm = 0;    // calls to a shared store that time out after their effect
  unsigned crash_in_call_pm = 0;  // calls to the store in the middle of which the node dies
  unsigned signal_lost_pm = 0;
  unsigned signal_twice_pm = 0;
  unsigned ack_lost_pm = 0;  // notifications that an application forgets to acknowledge
};

}  // namespace carillon::sim
