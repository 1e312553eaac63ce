// Masking, RFC 6455 section 5.3.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace carillon::websocket {

using MaskKey = std::array<std::uint8_t, 4>;

// Masks or unmasks in place. Eight bytes at a time through memcpy, as payloads lie at any address.
inline void apply_mask(char* data, std::size_t size, MaskKey key) {
  std::array<std::uint8_t, 8> twice{key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]};
  std::uint64_t wide = 0;
  std::memcpy(&wide, twice.data(), sizeof wide);
  std::size_t i = 0;
  for (; i + sizeof wide <= size; i += sizeof wide) {
    std::uint64_t word = 0;
    std::memcpy(&word, data + i, sizeof word);
    word ^= wide;
    std::memcpy(data + i, &word, sizeof word);
  }
  for (; i < size; ++i) data[i] = static_cast<char>(static_cast<std::uint8_t>(data[i]) ^ key[i % 4]);
}

}  // namespace carillon::websocket
