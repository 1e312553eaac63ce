// An entry of a user's log, as it is found by user: what is asked of it often, and where the rest lies.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace carillon::inbox {

struct Posting {
  std::uint64_t number = 0;  // in the user's log
  std::int64_t seq = 0;      // of the notification in the table `log`; it grows with the number
  UnixMs expires_at = 0;
  std::size_t bytes = 0;  // Notification::bytes() when it was accepted
  friend bool operator==(const Posting&, const Posting&) = default;
};

struct UserPosting {
  std::int64_t user = 0;  // its num
  Posting posting;
  friend bool operator==(const UserPosting&, const UserPosting&) = default;
};

}  // namespace carillon::inbox
