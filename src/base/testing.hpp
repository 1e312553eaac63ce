// For tests: texts that a hostile client would choose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace carillon {

// ASCII keys of 16 bytes that std::hash of GNU's library (MurmurHash64A) cannot tell apart: what their first half has done
// to its state the second half makes good.
inline std::vector<std::string> colliding_keys(std::size_t count) {
  constexpr std::uint64_t multiplier = 0xc6a4a7935bd1e995;
  std::uint64_t inverse = 1;  // modulo 2^64, by Newton's method
  for (int i = 0; i < 6; ++i) inverse *= 2 - multiplier * inverse;
  const auto shifted = [](std::uint64_t value) { return value ^ value >> 47; };
  std::vector<std::string> keys;
  std::mt19937_64 random(1);
  while (keys.size() < count) {
    const std::uint64_t first = random() & 0x7f7f7f7f7f7f7f7f;
    const std::uint64_t state = (0xc70f6907 ^ 16 * multiplier) ^ shifted(first * multiplier) * multiplier;
    const std::uint64_t second = shifted(state * multiplier * inverse) * inverse;
    if ((second & 0x8080808080808080) != 0) continue;
    std::string key(16, '\0');
    std::memcpy(key.data(), &first, 8);
    std::memcpy(key.data() + 8, &second, 8);
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace carillon
