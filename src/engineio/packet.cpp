#include "engineio/packet.hpp"

#include "base/base64.hpp"
#include "base/utf8.hpp"

namespace carillon::engineio {

Result<Packet, PacketError> decode_packet(std::string_view text) {
  if (text.empty()) return Failure(PacketError::empty);
  const char type = text[0];
  if (type < '0' || type > '6') return Failure(PacketError::unknown_type);
  return Packet{static_cast<PacketType>(type - '0'), false, text.substr(1)};
}

Result<Packet, PacketError> decode_packet(std::string_view text, Binaries& binaries) {
  if (!text.starts_with('b')) return decode_packet(text);
  auto bytes = from_base64(text.substr(1));
  if (!bytes) return Failure(PacketError::bad_base64);
  return Packet{PacketType::message, true, binaries.emplace_front(std::move(*bytes))};
}

Result<std::vector<Packet>, PacketError> decode_payload(std::string_view payload, Binaries& binaries) {
  // What one client may say by polling others get over WebSocket, where bytes that are no text end their connections.
  if (!is_utf8(payload)) return Failure(PacketError::bad_utf8);
  std::vector<Packet> packets;
  for (;;) {
    const std::size_t end = payload.find(payload_separator);
    const auto packet = decode_packet(payload.substr(0, end), binaries);
    if (!packet) return Failure(packet.error());
    packets.push_back(*packet);
    if (end == std::string_view::npos) break;
    payload.remove_prefix(end + 1);
  }
  return packets;
}

void append_to_payload(std::string& payload, const Frames& frames) {
  for (const Frames::Part& part : frames.parts()) {
    if (!payload.empty()) payload.push_back(payload_separator);
    if (part.binary) {
      payload.push_back('b');
      append_base64(payload, frames.payload(part));
    } else {
      payload.append(frames.payload(part));
    }
  }
}

}  // namespace carillon::engineio
