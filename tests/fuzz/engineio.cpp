// Engine.IO packets and payloads, versions 4 and 3: what was decoded is encoded and decoded to the same; what was encoded
// is decoded to the same, in all forms; and nothing grows.
//
//   input = kind(1) bytes     ; kind: what the bytes are, see Kind
//
// Covers: src/engineio/packet.cpp src/engineio/payload_v3.cpp src/engineio/protocol.cpp src/engineio/jsonp.cpp
// Covers: src/engineio/frames.cpp
#include <memory>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "engineio/jsonp.hpp"
#include "engineio/payload_v3.hpp"
#include "engineio/protocol.hpp"
#include "http/request.hpp"
#include "values.hpp"
#include "websocket/decoder.hpp"

namespace carillon::fuzz {
namespace {

using namespace carillon::engineio;

enum Kind : std::uint8_t { payload_v4, payload_v3, octets_v3, text_v4, text_v3, binary_v3, encoded, form, kinds };

const Protocol& protocol_of(bool v3) {
  const Protocol& protocol = v3 ? protocol_v3() : protocol_v4();
  check(protocol.version() == (v3 ? 3 : 4) && protocol.client_pings() == v3 && protocol.greets_late() == v3 &&
            protocol.octet_posts() == v3,
        "versions are what they are");
  return protocol;
}

bool same(const Packet& a, const Packet& b) { return a.type == b.type && a.binary == b.binary && a.data == b.data; }

// As the sessions encode it; version 3 has binary packets of other types, which nobody sends.
FramesPtr frames_of(const Packet& packet) {
  if (packet.binary) return packet.type == PacketType::message ? make_binary_frames(packet.data) : nullptr;
  std::string text(1, static_cast<char>('0' + static_cast<int>(packet.type)));
  return make_text_frames(text.append(packet.data));
}

void check_growth(const std::vector<Packet>& packets, std::size_t size) {
  std::size_t bytes = 0;
  for (const Packet& packet : packets) bytes += 1 + packet.data.size();
  check(bytes <= size, "packets are no longer than their payload");
}

void check_payload_of(bool v3, bool base64, const std::vector<FramesPtr>& frames, const std::vector<Packet>& expected) {
  if (frames.empty()) return;
  const Protocol& protocol = protocol_of(v3);
  const Payload payload = protocol.encode_payload(frames, base64);
  check(!payload.binary || v3, "version 4 has text only");
  check(!(payload.binary && base64), "base64 is text");
  check(payload.binary || is_utf8_slowly(payload.bytes), "text is UTF-8");
  Binaries binaries;
  auto again = protocol.decode_payload(payload.bytes, payload.binary, binaries);
  if (canary() && v3 && again && again->size() == 3) again->pop_back();
  check(again && again->size() == expected.size(), "what was encoded is decoded");
  for (std::size_t i = 0; i < expected.size(); ++i) check(same((*again)[i], expected[i]), "and the same");
}

// Over WebSocket each part is a message of its own.
void check_messages_of(bool v3, bool base64, const FramesPtr& frames, const Packet& expected) {
  const Protocol& protocol = protocol_of(v3);
  const FramesPtr& made = Frames::in_form(frames, protocol.websocket_form(base64));
  check(made->parts().size() == 1, "a part is one message");
  const Frames::Part& part = made->parts()[0];
  check(!base64 || !part.binary, "base64 is text");
  Binaries binaries;
  const auto again =
      part.binary ? protocol.decode_binary(made->payload(part)) : protocol.decode_text(made->payload(part), binaries);
  check(again && same(*again, expected), "a message that was encoded is decoded");
}

void encode_again(const std::vector<Packet>& packets, bool utf8) {
  std::vector<FramesPtr> frames;
  std::vector<Packet> expected;
  for (const Packet& packet : packets) {
    FramesPtr made = frames_of(packet);
    if (!made) continue;
    frames.push_back(std::move(made));
    expected.push_back(packet);
  }
  for (const bool base64 : {false, true}) {
    if (utf8) check_payload_of(true, base64, frames, expected);
    for (std::size_t i = 0; i < expected.size(); ++i)
      for (const bool v3 : {false, true}) check_messages_of(v3, base64, frames[i], expected[i]);
  }
}

void decode(bool v3, bool octets, std::string_view bytes) {
  Binaries binaries;
  const auto packets = protocol_of(v3).decode_payload(bytes, octets, binaries);
  if (!packets) return;
  check_growth(*packets, bytes.size());
  const bool utf8 = is_utf8_slowly(bytes) || octets;
  check(!v3 || utf8, "text of version 3 is UTF-8");
  encode_again(*packets, utf8);
  if (v3) {
    check_growth(*packets, bytes.size());
    return;
  }
  // Version 4 is read without a look at its UTF-8: that is the transport's.
  std::vector<FramesPtr> frames;
  for (const Packet& packet : *packets) frames.push_back(frames_of(packet));
  if (utf8) check_payload_of(false, false, frames, *packets);
}

void decode_message(bool v3, bool binary, std::string_view bytes) {
  Binaries binaries;
  const auto packet = binary ? protocol_of(v3).decode_binary(bytes) : protocol_of(v3).decode_text(bytes, binaries);
  if (!packet) return;
  check_growth({*packet}, bytes.size());
  encode_again({*packet}, is_utf8_slowly(bytes) || binary);
}

// Several parts in one, compressed where that is shorter, as they go over WebSocket.
void check_deflated(const std::vector<Packet>& packets, std::size_t threshold) {
  websocket::DeflateStats stats;
  websocket::Deflater deflater(6, 15, stats);
  websocket::Inflater inflater(stats);
  const auto frames = std::make_shared<Frames>();
  for (const Packet& packet : packets)
    packet.binary ? frames->append_binary(packet.data) : frames->append_text(packet.data);
  const FramesPtr plain = Frames::without_compression(*frames);
  check(!plain->compressible() && plain->deflated_wire(deflater, threshold) == frames->wire(),
        "some are never compressed");
  std::string wire(frames->deflated_wire(deflater, threshold));
  check(wire.size() <= frames->bytes(), "compression makes nothing longer");
  websocket::Decoder decoder(websocket::Role::client, 1'000'000);
  decoder.read_compressed(std::make_unique<websocket::MessageInflater>(inflater, 0));
  decoder.feed(wire);
  for (const Packet& packet : packets) {
    const auto event = decoder.next();
    check(event && event->payload == packet.data, "what was compressed comes back");
    check(event->kind == (packet.binary ? websocket::Event::Kind::binary : websocket::Event::Kind::text),
          "as what it was");
  }
  check(!decoder.next(), "and nothing else");
  for (const BinaryForm form : {BinaryForm::base64, BinaryForm::typed, BinaryForm::typed_base64})
    check(Frames::in_form(frames, form)->parts().size() == packets.size(), "each part is a message in every form");
}

void encode(Input& input) {
  const std::size_t threshold = input.byte();
  std::vector<std::string> texts;
  std::vector<FramesPtr> frames;
  std::vector<Packet> packets;
  texts.reserve(256);
  while (!input.done() && texts.size() < 256) {
    const std::uint8_t how = input.byte();
    const bool binary = (how & 1U) != 0;
    std::string text(input.bytes(input.byte()));
    if (!binary) text = text_of(text);
    std::erase(text, payload_separator);  // nothing that JSON has
    texts.push_back(std::move(text));
    packets.push_back({binary ? PacketType::message : static_cast<PacketType>(how / 2 % 7), binary, texts.back()});
    frames.push_back(frames_of(packets.back()));
  }
  for (const bool v3 : {false, true})
    for (const bool base64 : {false, true}) check_payload_of(v3, base64, frames, packets);
  encode_again(packets, true);
  check_deflated(packets, threshold);
}

// JSONP: the answer is a script that says the payload, the form gives what the client has put into it.
void check_form(std::string_view bytes) {
  decode_jsonp_form(bytes);
  const std::string payload = text_of(bytes);
  const std::string head = jsonp_head(bytes);
  check(head.starts_with("___eio[") && head.ends_with("](") && head.size() <= bytes.size() + 9, "a head is a head");
  check(head.find_first_not_of("0123456789", 7) == head.size() - 2, "with digits only");
  const std::string answer = jsonp_answer(head, payload);
  check(answer.starts_with(head) && answer.ends_with(");"), "an answer is a call");
  check(!answer.contains("\xe2\x80\xa8") && !answer.contains("\xe2\x80\xa9"), "on one line");
  const auto said = parse_json(std::string_view(answer).substr(head.size(), answer.size() - head.size() - 2));
  check(said && said->as_string() != nullptr && *said->as_string() == payload, "with the payload");

  if (payload.contains("\\\n")) return;  // a form cannot say it
  std::string field = "d=";
  for (std::size_t i = 0; i < payload.size(); ++i) {
    static constexpr std::string_view hex = "0123456789abcdef";
    const auto put = [&](char c) {
      const auto byte = static_cast<unsigned char>(c);
      field.append({'%', hex[byte >> 4], hex[byte & 15U]});
    };
    if (payload[i] == '\n') {
      for (const char c : std::string_view("\\n")) put(c);
    } else {
      if (std::string_view(payload).substr(i, 2) == "\\n") put('\\');
      put(payload[i]);
    }
  }
  check(decode_jsonp_form("x=1&" + field) == payload, "a form gives its payload");
}

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon::fuzz;
  Input input(data, size);
  const auto kind = static_cast<Kind>(input.below(kinds));
  if (kind == encoded) {
    encode(input);
    return 0;
  }
  const std::string_view bytes = input.rest();
  switch (kind) {
    case payload_v4:
      decode(false, false, bytes);
      break;
    case payload_v3:
      decode(true, false, bytes);
      break;
    case octets_v3:
      decode(true, true, bytes);
      break;
    case text_v4:
      decode_message(false, false, bytes);
      break;
    case text_v3:
      decode_message(true, false, bytes);
      break;
    case binary_v3:
      decode_message(true, true, bytes);
      break;
    case form:
      check_form(bytes);
      break;
    case encoded:
    case kinds:
      break;
  }
  return 0;
}
