// Numbers of the Redis client, for /metrics.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/counter.hpp"

namespace carillon::redis {

// What one of several contributes to a gauge, as long as it is there.
class GaugePart {
 public:
  explicit GaugePart(Gauge& gauge) : gauge_(gauge) {}
  ~GaugePart() { set(0); }
  GaugePart(const GaugePart&) = delete;
  GaugePart& operator=(const GaugePart&) = delete;

  void set(std::size_t value) {
    const auto part = static_cast<std::int64_t>(value);
    gauge_.add(part - part_);
    part_ = part;
  }

 private:
  Gauge& gauge_;
  std::int64_t part_ = 0;
};

// Written by the backplane's shard, read by any thread.
struct Statistics {
  Counter published;     // messages and entries that Redis has taken
  Counter received;      // messages on subscribed channels, without canaries
  Counter entries;       // of followed streams
  Counter entries_lost;  // times that a followed stream had lost entries before they were read

  Counter connects;         // TCP connections that came up, both roles
  Counter failures;         // attempts that failed and connections that were lost, both roles
  Counter reconnects;       // times that the link became ready again after having been lost
  Counter protocol_errors;  // connections given up because of what Redis sent
  Counter timeouts;         // connections given up because Redis did not answer

  // Messages that others will not get, or (unconfirmed) may not have got, by reason.
  Counter dropped_full;         // the queue was at queue_bytes_max
  Counter dropped_old;          // waited for longer than queue_age_max_ms
  Counter dropped_refused;      // Redis answered with an error (NOPERM, ...)
  Counter dropped_unconfirmed;  // on the way when the connection died; not sent again, because it may have arrived
  Counter dropped_shutdown;     // still queued when the node ended

  Gauge nodes;          // that share the rates after an outage: Link::set_nodes()
  Gauge subscriptions;  // channels wanted, without the canary's
  Gauge queue_messages;
  Gauge queue_bytes;
  Gauge ready;  // 0 or 1

  // Messages that were dropped for whatever reason, or were on the way when a connection died.
  std::uint64_t dropped() const {
    return dropped_full.value() + dropped_old.value() + dropped_refused.value() + dropped_unconfirmed.value() +
           dropped_shutdown.value();
  }
};

}  // namespace carillon::redis
