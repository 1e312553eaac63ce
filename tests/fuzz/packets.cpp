#include "packets.hpp"

#include <stdexcept>

#include "base/json.hpp"
#include "base/msgpack.hpp"
#include "socketio/json_packet.hpp"
#include "values.hpp"

namespace carillon::fuzz {

using namespace carillon::socketio;

namespace {

constexpr std::size_t attachments_enough = 10'000;

// A byte of text that has to be escaped takes six, an empty binary in MessagePack (two bytes) its placeholder.
constexpr std::size_t growth_max = 40;

engineio::FramesPtr encode(const PacketFormat& format, const IncomingPacket& packet) {
  if (packet.type == PacketType::event)
    return encode_event(format, packet.name_space, *packet.event, packet.args, packet.id);
  return encode_ack(format, packet.name_space, packet.id.value_or(0), packet.args);
}

bool same_args(const Args& a, const Array& b) {
  return same(without_repeated_keys(Value(a.values())), without_repeated_keys(Value(b)));
}

void encode_again(const PacketFormat& format, const IncomingPacket& packet) {
  if (packet.type == PacketType::connect || packet.type == PacketType::disconnect) return;
  if (packet.type == PacketType::event && !packet.event) return;
  // What JSON has no way to say: names that do not begin with "/" or hold a comma, and objects that look like binary.
  if (format.parser == PacketParser::json && (!packet.name_space.starts_with('/') || packet.name_space.contains(',')))
    return;
  if (has_placeholder(Value(packet.args.values()))) return;
  if (!is_utf8_slowly(packet.name_space)) return;  // transports give decoders no such text
  Whole whole;
  decode_whole(format, *encode(format, packet), whole);
  if (canary() && packet.id == 42) whole.packet.id = 43;
  const IncomingPacket& other = whole.packet;
  check(other.type == packet.type && other.name_space == packet.name_space, "type and namespace are the same");
  check(other.id == packet.id || (packet.type == PacketType::ack && !packet.id), "the id is the same");
  check(other.event == packet.event, "the event is the same");
  check(same_args(other.args, packet.args.values()), "arguments are the same");
}

// CONNECT, CONNECT_ERROR and DISCONNECT.
void check_control(const PacketFormat& format, PacketType type, const Value* data) {
  const auto frames = encode_control(format, type, "/n", data);
  if (type != PacketType::connect_error) {
    Whole whole;
    decode_whole(format, *frames, whole);
    check(whole.packet.type == type && whole.packet.name_space == "/n" && !whole.packet.id, "a control packet is one");
    check(data == nullptr || same(whole.packet.auth, *data), "its data are the same");
    return;
  }
  // Which clients do not send, so that no decoder takes it.
  const auto& part = frames->parts().at(0);
  check(frames->parts().size() == 1 && part.binary == (format.parser == PacketParser::msgpack), "it is one message");
  if (part.binary) {
    const auto map = parse_msgpack(frames->payload(part));
    check(map && same(*map, Object{{"type", 4}, {"nsp", "/n"}, {"data", *data}}), "a refusal is one");
  } else {
    const auto head = decode_packet(frames->payload(part).substr(1));
    check(head && head->type == type && head->name_space == "/n" && !head->id, "a refusal is one");
    const auto value = parse_json(head->data);
    check(value && same(*value, *data), "and says why");
  }
}

// With a recovery offset behind the arguments, whose place is known; from values, and as other nodes send it.
void check_offset(const PacketFormat& format, const std::string& event, const Args& args) {
  const std::string offset = "0123456789";
  Array data{Value(event)};
  data.insert(data.end(), args.values().begin(), args.values().end());
  std::string bytes;
  append_msgpack(bytes, Value(std::move(data)));
  const auto from_node = encode_event_data(format, "/n", bytes, offset);
  check(from_node.has_value(), "what a node has sent is encoded");
  Array expected = args.values();
  expected.emplace_back(offset);
  for (const auto& frames : {encode_event(format, "/n", event, args, offset), *from_node}) {
    check(frames->wire().substr(offset_place(format, *frames, offset.size()), offset.size()) == offset,
          "an offset has its place");
    Whole whole;
    decode_whole(format, *frames, whole);
    check(same_args(whole.packet.args, expected), "an offset is the last argument");
  }
}

bool is_refused(std::string_view event, const Args& args) {
  try {
    check_event(event, args);
    return false;
  } catch (const std::invalid_argument&) {
    return true;
  }
}

}  // namespace

void decode_whole(const PacketFormat& format, const engineio::Frames& frames, Whole& whole) {
  Decoder decoder(format.parser, attachments_enough);
  for (const auto& part : frames.parts()) whole.messages.emplace_back(frames.payload(part).substr(part.binary ? 0 : 1));
  Result<bool, PacketError> result = false;
  for (std::size_t i = 0; i < frames.parts().size(); ++i) {
    check(result && !*result, "a packet is whole with its last part");
    result = decoder.decode(frames.parts()[i].binary, whole.messages[i], whole.packet);
    check(result.has_value(), "what was encoded is decoded");
  }
  check(*result, "nothing is missing");
  // Keeps what the decoder may have lent.
  whole.packet.args = Args(whole.packet.args);
}

void check_packet(const IncomingPacket& packet, std::size_t bytes) {
  check(packet.name_space == "/" || packet.name_space.size() <= bytes, "a namespace is a part of the packet");
  check(packet.id.value_or(0) <= (std::uint64_t{1} << 53) - 1, "an id is exact");
  switch (packet.type) {
    case PacketType::connect:
      check(packet.auth.as_object() != nullptr, "auth is an object");
      break;
    case PacketType::disconnect:
      break;
    case PacketType::event:
      check(!packet.event || !is_reserved_event(*packet.event), "no event has a reserved name");
      [[fallthrough]];
    case PacketType::ack:
      check(check_json("[" + std::string(packet.args.text()) + "]").has_value(), "arguments are JSON");
      check(packet.args.text().size() <= growth_max * bytes, "arguments grow with their messages");
      break;
    default:
      check(false, "decoders give no other types");
  }
  encode_again(json_format, packet);
  encode_again(msgpack_format, packet);
}

void check_sent(const PacketFormat& format, Input& input) {
  const std::string event = "e" + text_of(input.bytes(input.below(16)));
  Array values;
  while (!input.done() && values.size() < 20) values.push_back(make_value(input));
  if (has_placeholder(Value(values))) return;
  const Args args{Array(values)};
  Whole whole;
  decode_whole(format, *encode_event(format, "/n", event, args, 7), whole);
  check(whole.packet.event == event && whole.packet.name_space == "/n" && whole.packet.id == 7U,
        "its head is the same");
  check(same_args(whole.packet.args, values), "its arguments are the same");
  check_offset(format, event, args);

  const Value text(event);
  const Value object(Object{{"message", text}, {"data", values.empty() ? Value() : values.front()}});
  const bool plain = args.attachments().empty();  // controls carry no binary
  check_control(format, PacketType::disconnect, nullptr);
  check_control(format, PacketType::connect, nullptr);
  check_control(format, PacketType::connect_error, &text);
  if (!plain) return;
  check_control(format, PacketType::connect, &object);
  check_control(format, PacketType::connect_error, &object);
}

socketio::BroadcastPtr make_broadcast(Input& input) {
  BroadcastFlags flags;
  flags.is_volatile = input.flag();
  flags.compress = input.flag();
  auto rooms = make_rooms(input);
  auto except = make_rooms(input);
  const std::string event = "e" + text_of(input.bytes(input.below(16)));
  Array values;
  while (!input.done() && values.size() < 10) values.push_back(make_value(input));
  return socketio::make_broadcast({}, "/n", std::move(rooms), std::move(except), flags, event, Args(std::move(values)));
}

void check_refused(std::string_view bytes) {
  const bool sound = is_utf8_slowly(bytes);
  const std::string quoted = "\"" + std::string(bytes) + "\"";
  check(is_refused(bytes, {}) == (!sound || is_reserved_event(bytes)), "an event's name is UTF-8, and free");
  check(is_refused("e", Args::borrow(quoted)) == !sound, "and so is text");
  check(is_refused("disconnecting", {}), "reserved is reserved");
  for (int error = 0; error <= static_cast<int>(PacketError::out_of_place); ++error)
    check(!to_string(static_cast<PacketError>(error)).empty(), "an error has a name");
}

}  // namespace carillon::fuzz
