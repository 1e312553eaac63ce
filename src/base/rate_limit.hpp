// How often something may happen: a token bucket in eight bytes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/time.hpp"

namespace carillon {

struct RateLimit {
  std::uint32_t per_second = 0;  // up to 1,000,000,000; 0: as often as it likes
  std::uint32_t burst = 1;       // after a pause, at once
};

// It remembers when it will be full again (the generic cell rate algorithm), and starts full. Owned by one thread.
class TokenBucket {
 public:
  // False: there are not as many left; then none is taken.
  bool take(const RateLimit& limit, TimePoint now, std::uint32_t count = 1) {
    if (limit.per_second == 0) return true;
    const std::chrono::nanoseconds each{1'000'000'000 / limit.per_second};
    const std::chrono::nanoseconds full_at = std::max(full_at_, since_start(now)) + each * count;
    if (full_at - since_start(now) > each * limit.burst) return false;
    full_at_ = full_at;
    return true;
  }

  bool is_full(TimePoint now) const { return full_at_ <= since_start(now); }

 private:
  static std::chrono::nanoseconds since_start(TimePoint time) { return time.time_since_epoch(); }

  std::chrono::nanoseconds full_at_ = std::chrono::nanoseconds::min();
};

}  // namespace carillon
