// What an outage has left in the queue, and how fast it goes out: nodes that come back together are no burst for Redis.
#pragma once

#include <cstddef>

#include "base/time.hpp"
#include "redis/pace.hpp"

namespace carillon::redis {

// What comes meanwhile waits behind it, in order, and is the next round, twice as fast: so the end is always reached,
// however much is published. Owned by the backplane's shard.
class Backlog {
 public:
  explicit Backlog(std::size_t per_second_max)
      : per_second_max_(per_second_max), pace_(per_second_max) {}  // 0: no limit

  // For the next backlog.
  void set_per_second_max(std::size_t per_second_max) { per_second_max_ = per_second_max; }
  // The queue, with so many messages, may go out again.
  void begin(std::size_t messages);

  // How many may go now.
  std::size_t room(TimePoint now) const;
  // One has gone, `left` are still in the queue.
  void spend(std::size_t left, TimePoint now);
  // When there is room again, if there is none.
  TimePoint next() const { return pace_.next(); }

 private:
  std::size_t per_second_max_;
  std::size_t per_second_ = 0;  // in this round
  std::size_t left_ = 0;        // of this round; 0: there is no backlog
  Pace pace_;
};

}  // namespace carillon::redis
