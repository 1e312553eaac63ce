#include "socketio/msgpack_packet.hpp"

#include <algorithm>
#include <utility>

#include "base/msgpack.hpp"
#include "base/utf8.hpp"
#include "socketio/json_packet.hpp"

namespace carillon::socketio::msgpack {
namespace {

using Kind = MsgpackToken::Kind;
using Step = Result<void, PacketError>;

constexpr std::int64_t id_max = (std::int64_t{1} << 53) - 1;

// --- reading ---

// The members of a packet's map. Of repeated ones the last counts, as in JavaScript.
struct Members {
  MsgpackToken type;
  MsgpackToken name_space;
  MsgpackToken id{.kind = Kind::undefined};
  MsgpackToken data_head{.kind = Kind::undefined};  // of `data`: what kind of value it is
  std::string_view data;
};

// Reads the value of a member that is no container.
bool read_scalar(MsgpackReader& reader, MsgpackToken& token) {
  return reader.next(token) && !token.is(Kind::array) && !token.is(Kind::map);
}

bool read_data(MsgpackReader& reader, Members& members) {
  if (!reader.skip(members.data)) return false;
  return MsgpackReader(members.data).next(members.data_head);
}

bool read_member(MsgpackReader& reader, const MsgpackToken& key, Members& members) {
  std::string_view ignored;
  if (!key.is(Kind::text)) return reader.skip(ignored);
  if (key.bytes == "type") return read_scalar(reader, members.type);
  if (key.bytes == "nsp") return read_scalar(reader, members.name_space);
  if (key.bytes == "id") return read_scalar(reader, members.id);
  if (key.bytes == "data") return read_data(reader, members);
  return reader.skip(ignored);
}

bool read_members(std::string_view message, Members& members) {
  MsgpackReader reader(message);
  MsgpackToken map;
  if (!reader.next(map) || !map.is(Kind::map)) return false;
  for (std::size_t i = 0; i < map.size; ++i) {
    MsgpackToken key;
    if (!reader.next(key) || key.is(Kind::array) || key.is(Kind::map)) return false;
    if (!read_member(reader, key, members)) return false;
  }
  return reader.at_end();
}

Step read_connect(const Members& members, IncomingPacket& packet) {
  packet.auth = Object{};
  if (members.data_head.is(Kind::undefined)) return {};
  if (!members.data_head.is(Kind::map)) return Failure(PacketError::bad_json);
  auto auth = parse_msgpack(members.data);
  if (!auth) return Failure(PacketError::bad_json);
  packet.auth = std::move(*auth);
  return {};
}

bool is_event_name(const Value& value) { return value.as_string() != nullptr || value.is_number(); }

// Sets `text` to the data as JSON, or `values` to what is in it, if there is binary among them.
Step read_array(const Members& members, std::string& text, Array& values) {
  if (!members.data_head.is(Kind::array)) return Failure(PacketError::bad_json);
  std::vector<Binary> attachments;
  if (!append_json_of_msgpack(members.data, text, attachments)) return Failure(PacketError::bad_json);
  if (attachments.empty()) return {};
  auto array = parse_msgpack(members.data);
  if (!array || array->as_array() == nullptr) return Failure(PacketError::bad_json);
  values = std::move(std::get<Array>(array->storage()));
  return {};
}

Step read_event(const Members& members, IncomingPacket& packet) {
  Array values;
  if (const Step read = read_array(members, packet.text, values); !read) return read;
  if (members.data_head.size == 0) return {};  // means nothing, as "42" in JSON
  if (values.empty()) return json::read_event(packet.text, {}, packet);
  if (!is_event_name(values.front())) return Failure(PacketError::bad_json);
  const std::string* name = values.front().as_string();
  packet.name = name != nullptr ? *name : to_json(values.front());
  packet.event = packet.name;
  if (is_reserved_event(packet.name)) return Failure(PacketError::bad_json);
  values.erase(values.begin());
  packet.args = Args(std::move(values));
  return {};
}

Step read_ack(const Members& members, IncomingPacket& packet) {
  Array values;
  if (const Step read = read_array(members, packet.text, values); !read) return read;
  packet.args = values.empty() ? Args::borrow(std::string_view(packet.text).substr(1, packet.text.size() - 2))
                               : Args(std::move(values));
  return {};
}

// --- writing ---

// {"type":type,"nsp":name_space[,"id":id][,"data": what follows
std::string head(PacketType type, std::string_view name_space, std::optional<std::uint64_t> id, bool with_data) {
  std::string out;
  append_msgpack_map(out, 2U + (id ? 1U : 0U) + (with_data ? 1U : 0U));
  append_msgpack_text(out, "type");
  append_msgpack_integer(out, static_cast<std::int64_t>(type));
  append_msgpack_text(out, "nsp");
  append_msgpack_text(out, name_space);
  if (id) {
    append_msgpack_text(out, "id");
    append_msgpack_integer(out, static_cast<std::int64_t>(*id));
  }
  if (with_data) append_msgpack_text(out, "data");
  return out;
}

}  // namespace

Result<void, PacketError> decode_packet(std::string_view message, IncomingPacket& packet) {
  Members members;
  if (!read_members(message, members)) return Failure(PacketError::bad_json);
  if (!members.type.is(Kind::integer)) return Failure(PacketError::unknown_type);
  if (!members.name_space.is(Kind::text) || !is_utf8(members.name_space.bytes)) return Failure(PacketError::bad_json);
  packet.name_space = members.name_space.bytes;
  if (!members.id.is(Kind::undefined)) {
    const std::int64_t id = members.id.integer;
    if (!members.id.is(Kind::integer) || id < 0 || id > id_max) return Failure(PacketError::bad_id);
    packet.id = static_cast<std::uint64_t>(id);
  }
  switch (members.type.integer) {
    case static_cast<int>(PacketType::connect):
      packet.type = PacketType::connect;
      return read_connect(members, packet);
    case static_cast<int>(PacketType::disconnect):
      packet.type = PacketType::disconnect;
      if (!members.data_head.is(Kind::undefined)) return Failure(PacketError::bad_json);
      return {};
    case static_cast<int>(PacketType::event):
      packet.type = PacketType::event;
      return read_event(members, packet);
    case static_cast<int>(PacketType::ack):
      packet.type = PacketType::ack;
      return read_ack(members, packet);
    default:
      return Failure(PacketError::unknown_type);  // servers send connect errors
  }
}

engineio::FramesPtr encode_event(std::string_view name_space, std::string_view event, const Args& args,
                                 std::optional<std::uint64_t> id, std::string_view offset) {
  std::string out = head(PacketType::event, name_space, id, true);
  const Array& values = args.values();
  append_msgpack_array(out, 1 + values.size() + (offset.empty() ? 0 : 1));
  append_msgpack_text(out, event);
  for (const Value& value : values) append_msgpack(out, value);
  if (!offset.empty()) append_msgpack_text(out, offset);
  return engineio::make_binary_frames(out);
}

engineio::FramesPtr encode_ack(std::string_view name_space, std::uint64_t id, const Args& args) {
  std::string out = head(PacketType::ack, name_space, id, true);
  const Array& values = args.values();
  append_msgpack_array(out, values.size());
  for (const Value& value : values) append_msgpack(out, value);
  return engineio::make_binary_frames(out);
}

engineio::FramesPtr encode_control(PacketType type, std::string_view name_space, const Value* data) {
  std::string out = head(type, name_space, std::nullopt, data != nullptr);
  if (data != nullptr) append_msgpack(out, *data);
  return engineio::make_binary_frames(out);
}

// By way of values: other servers may use forms that the clients' parser does not know.
Result<engineio::FramesPtr, MsgpackError> encode_event_data(std::string_view name_space, std::string_view data,
                                                            std::string_view offset) {
  const auto array = parse_msgpack(data);
  if (!array) return Failure(array.error());
  const Array* values = array->as_array();
  if (values == nullptr) return Failure(MsgpackError::invalid);
  std::string out = head(PacketType::event, name_space, std::nullopt, true);
  append_msgpack_array(out, values->size() + (offset.empty() ? 0 : 1));
  for (const Value& value : *values) append_msgpack(out, value);
  if (!offset.empty()) append_msgpack_text(out, offset);
  return engineio::make_binary_frames(out);
}

}  // namespace carillon::socketio::msgpack
