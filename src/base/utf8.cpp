#include "base/utf8.hpp"

#include <simdjson.h>

namespace carillon {

bool is_utf8(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

namespace {

// Code units that a byte adds: a continuation byte none, the first byte of four two, any other one.
constexpr std::size_t units_of(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return ((value & 0xc0U) != 0x80U ? 1U : 0U) + (value >= 0xf0U ? 1U : 0U);
}

constexpr bool is_continuation(char byte) { return units_of(byte) == 0; }

}  // namespace

std::size_t utf16_length(std::string_view text) {
  std::size_t units = 0;
  for (const char byte : text) units += units_of(byte);
  return units;
}

std::optional<std::size_t> bytes_of_utf16(std::string_view text, std::size_t units) {
  if (units > text.size()) return std::nullopt;
  std::size_t bytes = 0;
  while (units > 0 && bytes < text.size()) {
    const std::size_t more = units_of(text[bytes]);
    if (more > units) return std::nullopt;
    units -= more;
    ++bytes;
  }
  if (units > 0) return std::nullopt;
  while (bytes < text.size() && is_continuation(text[bytes])) ++bytes;
  return bytes;
}

}  // namespace carillon
