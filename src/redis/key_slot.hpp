// Which part of a Redis Cluster a key or a sharded channel belongs to.
//
//   slot   = CRC16(hashed) mod 16384
//   hashed = what is between the first "{" and the first "}" behind it, unless there is nothing; otherwise the whole key
//
// Source: the Redis Cluster specification, "Key distribution model" and "Hash tags"; the CRC is that of XMODEM (polynomial
// 0x1021, begins with 0).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace carillon::redis {

inline constexpr std::size_t slot_count = 16'384;

std::uint16_t slot_of(std::string_view key);

}  // namespace carillon::redis
