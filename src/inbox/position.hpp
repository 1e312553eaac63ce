// A place in a user's log, as clients see it: "EPOCH-NUMBER".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.hpp"

namespace carillon::inbox {

// The epoch (letters and digits, 1 to 32) is new only when a log was lost: numbers of different epochs say nothing about
// each other. Within one they are given without gaps, from 1.
struct Position {
  std::string epoch;
  std::uint64_t number = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

std::string make_epoch(Random& random, std::size_t characters);

std::string to_string(const Position& position);
// None for anything that to_string() does not make. "EPOCH-0" is the place before the first.
std::optional<Position> parse_position(std::string_view text);

}  // namespace carillon::inbox
