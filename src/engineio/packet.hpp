// Engine.IO v4 packets and polling payloads.
//
//   packet  = type data          ; over WebSocket one text frame, or a binary frame for binary data (no type)
//   type    = "0" open / "1" close / "2" ping / "3" pong / "4" message / "5" upgrade / "6" noop
//   payload = packet *( %x1E packet )          ; long polling; a binary packet is "b" base64
//
// Source: the Engine.IO protocol document, version 4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engineio/frames.hpp"

namespace carillon::engineio {

enum class PacketType : std::uint8_t { open, close, ping, pong, message, upgrade, noop };

struct Packet {
  PacketType type = PacketType::noop;
  bool binary = false;    // messages only
  std::string_view data;  // borrowed
};

enum class PacketError { empty, unknown_type, bad_base64 };

// A packet from a WebSocket text frame.
Result<Packet, PacketError> decode_packet(std::string_view text);

inline constexpr char payload_separator = '\x1e';

// The packets of a payload. Binary ones refer to `binaries`, which must outlive them; the others to `payload`.
Result<std::vector<Packet>, PacketError> decode_payload(std::string_view payload, std::vector<std::string>& binaries);

// Appends the parts of `frames` to a payload.
void append_to_payload(std::string& payload, const Frames& frames);

}  // namespace carillon::engineio
