#include "redis/backlog.hpp"

#include <algorithm>
#include <limits>

namespace carillon::redis {

void Backlog::begin(std::size_t messages) {
  left_ = per_second_max_ == 0 ? 0 : messages;
  per_second_ = per_second_max_;
  pace_ = Pace(per_second_);
}

std::size_t Backlog::room(TimePoint now) const {
  return left_ == 0 ? std::numeric_limits<std::size_t>::max() : std::min(left_, pace_.room(now));
}

void Backlog::spend(std::size_t left, TimePoint now) {
  if (left_ == 0) return;
  pace_.spend(1, now);
  left_ = std::min(left_ - 1, left);  // some may have grown too old
  if (left_ > 0 || left == 0) return;
  left_ = left;
  per_second_ = std::min(per_second_ * 2, std::size_t{1} << 30);
  pace_ = Pace(per_second_);
}

}  // namespace carillon::redis
