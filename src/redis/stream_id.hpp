// Where an entry is in its stream.
//
//   id = milliseconds "-" sequence     ; two unsigned 64-bit numbers in decimal
//
// Source: the description of entry ids in Redis' documentation of streams.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace carillon::redis {

struct StreamId {
  std::uint64_t ms = 0;  // the default is before all entries
  std::uint64_t sequence = 0;

  auto operator<=>(const StreamId&) const = default;
};

std::optional<StreamId> parse_stream_id(std::string_view text);
std::string to_string(StreamId id);

}  // namespace carillon::redis
