// So many per second and not more: for nodes that come back together.
#pragma once

#include <cstddef>

#include "base/time.hpp"

namespace carillon::redis {

// In portions of a hundredth of a second's worth, so that a portion fills a command. Owned by the backplane's shard.
class Pace {
 public:
  explicit Pace(std::size_t per_second_max) { set_per_second_max(per_second_max); }  // 0: no limit
  void set_per_second_max(std::size_t per_second_max);

  // How many may go now.
  std::size_t room(TimePoint now) const;
  void spend(std::size_t count, TimePoint now);
  // When there is room again; in the past if there is.
  TimePoint next() const;

 private:
  std::size_t portion_ = 0;  // 0: no limit
  Milliseconds portion_ms_{0};
  TimePoint since_ = TimePoint::min();  // when the present portion was begun
  std::size_t spent_ = 0;               // of it
};

}  // namespace carillon::redis
