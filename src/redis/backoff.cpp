#include "redis/backoff.hpp"

#include <algorithm>

namespace carillon::redis {

Milliseconds Backoff::next() {
  Milliseconds bound = std::min(first_, most_);
  for (unsigned i = 0; i < attempts_ && bound < most_; ++i) bound = std::min(bound * 2, most_);
  if (bound < most_) ++attempts_;
  return Milliseconds(random_.below(static_cast<std::uint64_t>(std::max<Milliseconds::rep>(bound.count(), 0)) + 1));
}

}  // namespace carillon::redis
