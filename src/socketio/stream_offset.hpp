// Where a client is in the stream of its namespace: the last argument of its events with the streams adapter, which it
// sends back to be recovered.
//
//   offset = 13DIGIT "-" 6DIGIT          ; as this server writes it: always as wide, so that a packet is encoded before its entry is known
//          / 1*DIGIT "-" 1*DIGIT         ; as others do
//
// It is the id of an entry in Redis, milliseconds and a sequence number; Redis reads it with zeros in front, too. Source:
// @socket.io/redis-streams-adapter 0.3.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace carillon::socketio {

struct StreamOffset {
  std::uint64_t ms = 0;  // the default is before all entries
  std::uint64_t sequence = 0;

  bool exists() const { return ms != 0 || sequence != 0; }
  friend auto operator<=>(const StreamOffset&, const StreamOffset&) = default;
};

// Stands where the offset is going to be.
inline constexpr std::string_view stream_offset_placeholder = "0000000000000-000000";

// As wide as the placeholder. What would be wider, which no clock has made, is the largest that is not.
std::string to_string(const StreamOffset& offset);
// None for anything else than the form above.
std::optional<StreamOffset> parse_stream_offset(std::string_view text);

}  // namespace carillon::socketio
