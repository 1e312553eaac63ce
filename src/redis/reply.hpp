// What Redis answers to a command.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace carillon::redis {

// Owned by the backplane's shard.
struct Reply {
  enum class Type : std::uint8_t { status, error, integer, text, nil, array };

  Type type = Type::nil;
  std::string text{};          // status, error, text
  std::int64_t number = 0;     // integer
  std::vector<Reply> items{};  // array
};

}  // namespace carillon::redis
