// How long to wait before the next attempt: exponential, with full jitter, so that nodes do not come back together.
#pragma once

#include "base/random.hpp"
#include "base/time.hpp"

namespace carillon::redis {

// Owned by one shard.
class Backoff {
 public:
  Backoff(Milliseconds first, Milliseconds most, Random& random) : first_(first), most_(most), random_(random) {}

  // Uniform in [0, bound]; the bound starts at `first` and doubles with each call, up to `most`.
  Milliseconds next();
  void reset() { attempts_ = 0; }

 private:
  Milliseconds first_;
  Milliseconds most_;
  Random& random_;
  unsigned attempts_ = 0;
};

}  // namespace carillon::redis
