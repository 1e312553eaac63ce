// Socket.IO packets in MessagePack: what a client sends becomes packets of the shape that their type asks for, whose
// members are those of the map; and a packet that is encoded again, in either format, is decoded to the same.
//
//   input = one message; also taken for a packet that is sent
//
// Covers: src/socketio/msgpack_packet.cpp
#include <string>

#include "base/msgpack.hpp"
#include "packets.hpp"
#include "values.hpp"

namespace carillon::fuzz {
namespace {

using namespace carillon::socketio;

// The last member of that name, as JavaScript has it.
Value member_of(const Value& map, std::string_view name) {
  Value found;
  for (const auto& [key, value] : *map.as_object())
    if (key == name) found = value;
  return found;
}

// A plain reading of the whole message.
void compare(std::string_view message, const IncomingPacket& packet) {
  const auto map = parse_msgpack(message);
  if (!map) {
    // What is ignored may be what no value can be; what counts may not, but stands inside of it.
    check(map.error() == MsgpackError::invalid || map.error() == MsgpackError::too_deep, "a packet is MessagePack");
    return;
  }
  check(map->as_object() != nullptr, "a packet is a map");
  check(member_of(*map, "nsp") == Value(packet.name_space), "of its namespace");
  check(same(member_of(*map, "type"), static_cast<std::int64_t>(packet.type)), "of its type");
  if (packet.id) check(same(member_of(*map, "id"), *packet.id), "with its id");
  if (!packet.id) check(member_of(*map, "id").is_null(), "with none");
  const Value data = member_of(*map, "data");
  switch (packet.type) {
    case PacketType::connect:
      check(data.is_null() || same(data, packet.auth), "auth is its data");
      break;
    case PacketType::event:
    case PacketType::ack: {
      check(data.as_array() != nullptr, "its data are an array");
      if (has_placeholder(data)) return;
      Array expected = *data.as_array();
      if (packet.type == PacketType::event && !expected.empty()) {
        const std::string* name = expected.front().as_string();
        check(packet.event && (name == nullptr || *name == *packet.event), "which begins with the event's name");
        expected.erase(expected.begin());
      }
      check(same(without_repeated_keys(Value(packet.args.values())), without_repeated_keys(Value(expected))),
            "and holds the arguments");
      break;
    }
    default:
      check(data.is_null(), "a DISCONNECT has none");
  }
}

void receive(std::string_view message) {
  Decoder decoder(PacketParser::msgpack, 10);
  IncomingPacket packet;
  const auto whole = decoder.decode(true, message, packet);
  if (!whole) return check(!to_string(whole.error()).empty(), "an error has a name");
  check(*whole, "each message is a packet");
  compare(message, packet);
  check_packet(packet, message.size());
}

// Nothing may be missing of what a server has sent, and nothing may follow it.
void cut(Input& input) {
  const Args args = make_args(make_value(input));
  const auto frames = encode_event(msgpack_format, "/n", "e", args, 3);
  const std::string_view message = frames->payload(frames->parts().at(0));
  Decoder decoder(PacketParser::msgpack, 10);
  for (const std::string& other :
       {std::string(message.substr(0, input.byte() % message.size())), std::string(message) + '\xc0'}) {
    IncomingPacket packet;
    check(!decoder.decode(true, other, packet), "a packet is as long as it is");
  }
}

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon::fuzz;
  Input all(data, size);
  receive(all.rest());
  Input values(data, size);
  check_sent(msgpack_format, values);
  Input pieces(data, size);
  cut(pieces);
  return 0;
}
