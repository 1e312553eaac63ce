// Numbers in as few bytes as they need: seven bits each, the lowest first, the eighth says that more follow
// (https://en.wikipedia.org/wiki/LEB128, unsigned).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace carillon::inbox {

inline constexpr std::size_t leb128_bytes_max = 10;

// Writes up to so many bytes; returns the place behind them.
inline char* write_leb128(char* place, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *place++ = static_cast<char>((value & 0x7f) | 0x80);
  *place++ = static_cast<char>(value);
  return place;
}

inline void append_leb128(std::string& out, std::uint64_t value) {
  std::array<char, leb128_bytes_max> bytes;
  out.append(bytes.data(), write_leb128(bytes.data(), value));
}

// Takes it off the front; none: it is cut, or longer than 64 bits.
inline std::optional<std::uint64_t> take_leb128(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

}  // namespace carillon::inbox
