// Engine.IO v3 packets and polling payloads, where they differ from version 4 (packet.hpp).
//
//   packet        = type data                   ; text
//                 / "b" type base64             ; binary in text
//                 / %x00-06 *OCTET              ; a binary WebSocket message: the type as a byte
//   payload       = 1*( length ":" packet )     ; text; length in UTF-16 code units, 0 for no packet at all
//   octet-payload = 1*( kind size %xFF packet ) ; application/octet-stream
//   kind          = %x00 / %x01                 ; the packet is text (in UTF-8) / binary
//   length        = 1*DIGIT
//   size          = 1*( %x00-09 )               ; decimal digits as bytes: the packet's length in bytes
//
// A server answers a poll with an octet-payload if there is binary in it and the client has not asked for base64.
// Source: the Engine.IO protocol document, version 3, and the published server (engine.io 6, its parser for version 3).
#pragma once

#include <forward_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engineio/packet.hpp"

namespace carillon::engineio {

// A text packet. Base64 is decoded into a new member of `binaries`.
Result<Packet, PacketError> decode_packet_v3(std::string_view text, Binaries& binaries);
// A binary WebSocket message.
Result<Packet, PacketError> decode_octets_v3(std::string_view bytes);

// The packets of a payload, which refer to it and to `binaries`.
Result<std::vector<Packet>, PacketError> decode_payload_v3(std::string_view payload, Binaries& binaries);
Result<std::vector<Packet>, PacketError> decode_octet_payload_v3(std::string_view payload, Binaries& binaries);

// Appends the parts of `frames` to a payload.
void append_to_payload_v3(std::string& payload, const Frames& frames);
void append_to_octet_payload_v3(std::string& payload, const Frames& frames);

}  // namespace carillon::engineio
