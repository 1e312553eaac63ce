// Chance from a seed: the same on every machine, unlike the distributions of <random>.
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace carillon::sim {

// SplitMix64 (https://prng.di.unimi.it/splitmix64.c).
class Prng {
 public:
  explicit Prng(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  // In [0, bound); bound > 0. That some values are a little more likely does not matter here.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
  bool chance(unsigned per_mille) { return below(1000) < per_mille; }
  Milliseconds between(Milliseconds low, Milliseconds high) {
    return low + Milliseconds(static_cast<std::int64_t>(below(static_cast<std::uint64_t>((high - low).count()) + 1)));
  }

 private:
  std::uint64_t state_;
};

}  // namespace carillon::sim
