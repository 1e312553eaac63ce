#include "engineio/protocol.hpp"

#include <algorithm>

#include "engineio/payload_v3.hpp"

namespace carillon::engineio {
namespace {

std::size_t bytes_of(std::span<const FramesPtr> packets) {
  std::size_t bytes = 0;
  for (const FramesPtr& frames : packets) bytes += frames->bytes();
  return bytes;
}

class ProtocolV4 final : public Protocol {
 public:
  int version() const override { return 4; }
  bool client_pings() const override { return false; }
  bool greets_late() const override { return false; }
  bool octet_posts() const override { return false; }

  Result<Packet, PacketError> decode_text(std::string_view message, Binaries& binaries) const override {
    return decode_packet(message, binaries);
  }
  Result<Packet, PacketError> decode_binary(std::string_view message) const override {
    return Packet{PacketType::message, true, message};
  }
  Result<std::vector<Packet>, PacketError> decode_payload(std::string_view body, bool,
                                                          Binaries& binaries) const override {
    return engineio::decode_payload(body, binaries);
  }

  // Binary is base64 whatever the client asks for.
  Payload encode_payload(std::span<const FramesPtr> packets, bool) const override {
    Payload payload;
    payload.bytes.reserve(bytes_of(packets));
    for (const FramesPtr& frames : packets) append_to_payload(payload.bytes, *frames);
    return payload;
  }
  BinaryForm websocket_form(bool base64) const override { return base64 ? BinaryForm::base64 : BinaryForm::raw; }
};

class ProtocolV3 final : public Protocol {
 public:
  int version() const override { return 3; }
  bool client_pings() const override { return true; }
  bool greets_late() const override { return true; }
  bool octet_posts() const override { return true; }

  Result<Packet, PacketError> decode_text(std::string_view message, Binaries& binaries) const override {
    return decode_packet_v3(message, binaries);
  }
  Result<Packet, PacketError> decode_binary(std::string_view message) const override {
    return decode_octets_v3(message);
  }
  Result<std::vector<Packet>, PacketError> decode_payload(std::string_view body, bool octets,
                                                          Binaries& binaries) const override {
    return octets ? decode_octet_payload_v3(body, binaries) : decode_payload_v3(body, binaries);
  }

  Payload encode_payload(std::span<const FramesPtr> packets, bool base64) const override {
    const auto has_binary = [](const FramesPtr& frames) {
      return std::ranges::any_of(frames->parts(), &Frames::Part::binary);
    };
    Payload payload;
    payload.bytes.reserve(bytes_of(packets));
    payload.binary = !base64 && std::ranges::any_of(packets, has_binary);
    for (const FramesPtr& frames : packets)
      payload.binary ? append_to_octet_payload_v3(payload.bytes, *frames)
                     : append_to_payload_v3(payload.bytes, *frames);
    return payload;
  }
  BinaryForm websocket_form(bool base64) const override {
    return base64 ? BinaryForm::typed_base64 : BinaryForm::typed;
  }
};

}  // namespace

const Protocol& protocol_v3() {
  static const ProtocolV3 protocol;
  return protocol;
}

const Protocol& protocol_v4() {
  static const ProtocolV4 protocol;
  return protocol;
}

}  // namespace carillon::engineio
