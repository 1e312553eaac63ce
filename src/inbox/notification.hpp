// What a producer says once, and what lies in each recipient's log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/random.hpp"
#include "base/time.hpp"

namespace carillon::inbox {

// Immutable, shared.
struct Notification {
  std::string id;            // make_id(); the same for all recipients and repeats
  std::string event;         // its name on the socket
  std::string data;          // JSON text
  std::string collapse_key;  // empty: none
  UnixMs sent_at = 0;        // when it was accepted
  UnixMs expires_at = 0;     // from then on it is written to no socket

  // What it counts for against a user's limit.
  std::size_t bytes() const { return event.size() + data.size() + collapse_key.size() + id.size(); }
};
using NotificationPtr = std::shared_ptr<const Notification>;

// One notification in one user's log.
struct Entry {
  std::uint64_t number = 0;
  NotificationPtr notification;
  bool read = false;
};

// A ULID (https://github.com/ulid/spec): 48 bits of time and 80 of chance in 26 characters, so that ids of one time lie
// together in an index.
std::string make_id(UnixMs now, Random& random);

}  // namespace carillon::inbox
