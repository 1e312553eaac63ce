#include "redis/pace.hpp"

#include <algorithm>
#include <limits>

namespace carillon::redis {

void Pace::set_per_second_max(std::size_t per_second_max) {
  portion_ = per_second_max == 0 ? 0 : std::max<std::size_t>(per_second_max / 100, 1);
  portion_ms_ = Milliseconds(per_second_max == 0 ? 0 : (portion_ * 1000 + per_second_max - 1) / per_second_max);
  spent_ = std::min(spent_, portion_);
}

std::size_t Pace::room(TimePoint now) const {
  if (portion_ == 0) return std::numeric_limits<std::size_t>::max();
  if (since_ == TimePoint::min() || now >= since_ + portion_ms_) return portion_;
  return portion_ - spent_;
}

void Pace::spend(std::size_t count, TimePoint now) {
  if (portion_ == 0) return;
  if (since_ == TimePoint::min() || now >= since_ + portion_ms_) {
    since_ = now;
    spent_ = 0;
  }
  spent_ = std::min(spent_ + count, portion_);
}

TimePoint Pace::next() const {
  return portion_ == 0 || since_ == TimePoint::min() || spent_ < portion_ ? TimePoint::min() : since_ + portion_ms_;
}

}  // namespace carillon::redis
