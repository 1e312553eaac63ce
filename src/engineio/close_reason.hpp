// Why a session ended: one taxonomy for the wire, handlers, logs and metrics. docs/close-reasons.md is for its readers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace carillon::engineio {

enum class CloseReason : std::uint8_t {
  transport_close,  // the client closed its connection, or sent a close packet
  transport_error,  // a broken or misused transport: overlapping requests, an aborted poll, bad WebSocket framing
  ping_timeout,     // no pong in time
  parse_error,      // a packet that is none, or that the layer above could not read
  forced_close,     // the server closed it: socket.disconnect(true), a protocol violation above Engine.IO
  slow_consumer,    // more than send_queue_bytes_max were waiting for the client
  overloaded,       // more than the node may hold was waiting for all clients, and much of it for this one
  rate_limited,     // the client sent packets faster than it may
  connect_timeout,  // no namespace joined within connect_timeout_ms
  taken_over,       // its client has come back by another connection, with all that it had
  shutting_down,    // the server ends
};
inline constexpr std::size_t close_reason_count = 11;

// The name in logs and metrics: "ping_timeout".
std::string_view to_string(CloseReason reason);

// What the close frame of a WebSocket says: websocket::close_code::none (an empty frame, as the reference server sends)
// where that is all there is to say. None: the connection is cut, because a close frame would wait behind all that the
// client has not taken.
std::optional<std::uint16_t> websocket_code(CloseReason reason);

}  // namespace carillon::engineio
