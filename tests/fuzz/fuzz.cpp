#include "fuzz.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace carillon::fuzz {

void check(bool holds, std::string_view property, std::source_location where) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u: does not hold: %.*s\n", where.file_name(), static_cast<unsigned>(where.line()),
               static_cast<int>(property.size()), property.data());
  std::abort();
}

bool canary() {
  static const bool asked = std::getenv("CARILLON_FUZZ_CANARY") != nullptr;
  return asked;
}

std::uint8_t Input::byte() {
  if (rest_.empty()) return 0;
  const auto value = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return value;
}

std::string_view Input::bytes(std::size_t count) {
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(taken.size());
  return taken;
}

std::string_view Input::line() {
  const std::size_t end = std::min(rest_.find('\n'), rest_.size());
  const std::string_view taken = bytes(end);
  bytes(1);
  return taken;
}

std::string_view Pieces::next() {
  std::size_t size = rest_.size();
  if (seed_ == 1) {
    size = 1;
  } else if (seed_ > 1) {
    // Short pieces and long ones: one bit of the state chooses. xorshift32.
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    size = 1 + (state_ >> 8) % ((state_ & 1U) != 0 ? 4 : 64);
  }
  const std::string_view piece = rest_.substr(0, size);
  rest_.remove_prefix(piece.size());
  return piece;
}

}  // namespace carillon::fuzz
