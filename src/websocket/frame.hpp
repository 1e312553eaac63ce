// WebSocket frames, RFC 6455 section 5.2, as bytes.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-------+-+-------------+-------------------------------+
//  |F|R|R|R| opcode|M| Payload len |    Extended payload length    |
//  |I|S|S|S|  (4)  |A|     (7)     |             (16/64)           |
//  |N|V|V|V|       |S|             |   (if payload len==126/127)   |
//  | |1|2|3|       |K|             |                               |
//  +-+-+-+-+-------+-+-------------+-------------------------------+
//  masking key (4 bytes, if MASK set), payload
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace carillon::websocket {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

// Close codes of RFC 6455 section 7.4 that Carillon sends or understands.
namespace close_code {
inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t going_away = 1001;
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t unsupported = 1003;
inline constexpr std::uint16_t none = 1005;      // an empty close frame; never on the wire
inline constexpr std::uint16_t abnormal = 1006;  // no close frame at all; never on the wire
inline constexpr std::uint16_t invalid_data = 1007;
inline constexpr std::uint16_t policy = 1008;
inline constexpr std::uint16_t too_big = 1009;
}  // namespace close_code

inline constexpr std::size_t header_bytes_max = 14;

// Of the header of an unmasked frame.
constexpr std::size_t header_size(std::size_t payload_size) {
  return payload_size < 126 ? 2 : payload_size < 65536 ? 4 : 10;
}

// The header of an unmasked (server to client) single frame of `payload_size` bytes.
void append_header(std::string& out, Opcode opcode, std::size_t payload_size);

// As append_header, of a frame whose payload is compressed (RSV1, RFC 7692).
void append_compressed_header(std::string& out, Opcode opcode, std::size_t payload_size);

// A whole frame, unmasked or (client to server) masked with `mask`.
void append_frame(std::string& out, Opcode opcode, std::string_view payload);
void append_masked_frame(std::string& out, Opcode opcode, std::string_view payload, std::array<std::uint8_t, 4> mask);

// A close frame; close_code::none gives an empty one.
std::string close_frame(std::uint16_t code, std::string_view reason = {});

}  // namespace carillon::websocket
