// Socket.IO packets as JSON, of version 5 and of version 2: heads are read as they are written; a client's messages become
// packets of the shape that their type asks for, and a packet that is encoded again is decoded to the same.
//
//   input = attachments-max(1) message *( %x1E message )      ; a message that begins with "b" is binary: what follows
//
// Covers: src/socketio/json_packet.cpp src/socketio/decoder.cpp src/socketio/packet.cpp src/socketio/v2.cpp
#include <string>

#include "http/request.hpp"
#include "packets.hpp"
#include "socketio/json_packet.hpp"
#include "socketio/v2.hpp"
#include "values.hpp"

namespace carillon::fuzz {
namespace {

using namespace carillon::socketio;

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_head(std::string_view text) {
  const auto packet = decode_packet(text);
  if (!packet) return;
  check(inside(packet->data, text), "data is a part of the packet");
  check(packet->name_space == "/" || inside(packet->name_space, text), "a namespace is a part of the packet");
  check(packet->name_space.starts_with('/') && !packet->name_space.contains(','), "a namespace is one");
  std::string again(1, static_cast<char>('0' + static_cast<int>(packet->type)));
  if (packet->attachments > 0) again += std::to_string(packet->attachments) + "-";
  again.append(packet->name_space).append(",");
  if (packet->id) again += std::to_string(*packet->id);
  again += packet->data;
  const auto other = decode_packet(again);
  check(other && other->type == packet->type && other->attachments == packet->attachments &&
            other->name_space == packet->name_space && other->id == packet->id && other->data == packet->data,
        "a head that was written again is the same");
}

// As a client of Socket.IO v2 means it: the query behind the namespace is what it connects with.
void check_v2(IncomingPacket& packet) {
  const std::string before(packet.name_space);
  const std::size_t mark = before.find('?');
  v2::adapt(packet);
  check(packet.name_space == before.substr(0, mark), "a namespace ends where its query begins");
  if (packet.type != PacketType::connect) return;
  const Object* auth = packet.auth.as_object();
  check(auth != nullptr, "auth is an object");
  const auto parameters = http::query_parameters(mark == std::string::npos ? "" : before.substr(mark + 1));
  check(auth->size() == parameters.size(), "with as many members as there are parameters");
  for (const auto& [name, value] : parameters) {
    const Value* member = auth->find(name);
    check(member != nullptr && *member == Value(value), "each of which says the same");
  }
  check(v2::socket_id(packet.name_space, "id").ends_with("id"), "an id is made up");
}

void decode(std::string_view messages, std::size_t attachments_max) {
  Decoder decoder(PacketParser::json, attachments_max);
  std::size_t attachments = 0;
  std::size_t bytes = 0;
  while (!messages.empty()) {
    const std::size_t end = messages.find('\x1e');
    std::string_view message = messages.substr(0, end);
    messages.remove_prefix(end == std::string_view::npos ? messages.size() : end + 1);
    const bool binary = message.starts_with('b');
    if (binary) message.remove_prefix(1);
    if (!binary) check_head(message);
    IncomingPacket packet;
    bytes += message.size();
    const auto whole = decoder.decode(binary, message, packet);
    if (!whole) return;  // the connection would be closed
    attachments = *whole ? 0 : attachments + (binary ? 1 : 0);
    check(attachments < std::max<std::size_t>(attachments_max, 1), "no more attachments are kept than allowed");
    if (!*whole) continue;
    check_packet(packet, bytes);
    check_v2(packet);
    bytes = 0;
  }
  decoder.reset();
}

// A server with the other parser: text is refused, and what is binary is none the better for it.
void decode_as_msgpack(std::string_view bytes) {
  Decoder decoder(PacketParser::msgpack, 10);
  for (const bool binary : {false, true}) {
    IncomingPacket packet;
    const auto whole = decoder.decode(binary, bytes, packet);
    check(binary || (!whole && whole.error() == PacketError::unexpected_text), "text is no MessagePack");
  }
}

// A refusal of version 2: the data of the error, or else its message.
void check_refusal(Input& input) {
  const ConnectError error{.message = text_of(input.bytes(input.below(10))), .data = make_value(input)};
  const Value data = v2::error_data(error);
  const bool nothing = same(error.data, Value()) || same(error.data, Value(false)) || same(error.data, Value("")) ||
                       same(error.data, Value(0));
  check(same(data, nothing ? Value(error.message) : error.data), "a refusal says why");
}

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon::fuzz;
  Input input(data, size);
  const std::size_t attachments_max = input.below(16);
  const std::string_view messages = input.rest();
  decode(messages, attachments_max);
  decode_as_msgpack(messages);
  check_refused(messages);
  Input values(data, size);
  check_sent(json_format, values);
  Input others(data, size);
  check_sent(msgpack_format, others);
  Input refusal(data, size);
  check_refusal(refusal);
  return 0;
}
