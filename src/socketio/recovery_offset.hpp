// Where a client is in what it has been sent: the last argument of its events, which it sends back to be recovered.
//
//   offset    = position [ "-" direct ]
//   position  = 10( DIGIT / "a".."z" )        ; base 36: of a broadcast in the node's recovery log
//   direct    = 1*13( DIGIT / "a".."z" )      ; base 36: of an event to this socket alone, sent behind that broadcast
//
// The position has a fixed width, so that a broadcast is encoded before its number is known.
// Our own; that the client gives back the last argument of its last event, if it is a string, is the published client's
// behaviour (socket.io-client 4.6 and later).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace carillon::socketio {

struct RecoveryOffset {
  std::uint64_t position = 0;
  std::uint64_t direct = 0;  // 0: none since the broadcast

  friend auto operator<=>(const RecoveryOffset&, const RecoveryOffset&) = default;
};

inline constexpr std::size_t offset_position_characters = 10;
// Stands where the position is going to be.
inline constexpr std::string_view offset_placeholder = "0000000000";

std::string to_string(const RecoveryOffset& offset);
// None for anything else than the form above.
std::optional<RecoveryOffset> parse_recovery_offset(std::string_view text);

}  // namespace carillon::socketio
