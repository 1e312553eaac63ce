// Engine.IO v4 packets and polling payloads.
//
//   packet  = type data          ; over WebSocket one text frame, or a binary frame for binary data (no type)
//           / "b" base64         ; a binary message in text: long polling, or WebSocket if the client asks for it (b64)
//   type    = "0" open / "1" close / "2" ping / "3" pong / "4" message / "5" upgrade / "6" noop
//   payload = packet *( %x1E packet )          ; long polling
//
// Source: the Engine.IO protocol document, version 4.
#pragma once

#include <cstdint>
#include <forward_list>
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

enum class PacketError {
  empty,
  unknown_type,
  bad_base64,
  bad_length,  // version 3: a length that is none, or that does not fit what follows
  bad_utf8,    // of a payload; WebSocket's decoder has looked before
};

// Holds binary data that was decoded from base64. Packets refer to it, so its members stay where they are.
using Binaries = std::forward_list<std::string>;

// A text packet, apart from binary in base64.
Result<Packet, PacketError> decode_packet(std::string_view text);
// A packet of a payload, or a WebSocket text frame: clients that ask for base64 send it there, too.
Result<Packet, PacketError> decode_packet(std::string_view text, Binaries& binaries);

inline constexpr char payload_separator = '\x1e';

// The packets of a payload, which refer to it and to `binaries`.
Result<std::vector<Packet>, PacketError> decode_payload(std::string_view payload, Binaries& binaries);

// Appends the parts of `frames` to a payload.
void append_to_payload(std::string& payload, const Frames& frames);

}  // namespace carillon::engineio
