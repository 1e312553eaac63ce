// The port through which cores get randomness, and the ids made of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace carillon {

// Implemented over the operating system (make_system_random) and by tests (seeded). Owned by one shard.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> bytes) = 0;

  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
};

// Cryptographically strong (OpenSSL's generator). Each object may be used by one thread at a time.
std::unique_ptr<Random> make_system_random();

// `length` characters of A-Za-z0-9-_, six random bits each: 20 characters carry 120 bits.
std::string random_id(Random& random, std::size_t length);

}  // namespace carillon
