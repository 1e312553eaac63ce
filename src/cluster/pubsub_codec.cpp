#include "cluster/pubsub_codec.hpp"

#include <utility>

#include "base/json.hpp"
#include "base/msgpack.hpp"
#include "socketio/packet.hpp"

namespace carillon::cluster {
namespace {

using Kind = MsgpackToken::Kind;
using Step = Result<void, Malformed>;  // of decoding

constexpr std::int64_t type_event = 2;
constexpr std::int64_t type_binary_event = 5;

Malformed to_malformed(MsgpackError error) {
  switch (error) {
    case MsgpackError::cut_off:
    case MsgpackError::invalid:
    case MsgpackError::trailing:
      return Malformed::not_msgpack;
    case MsgpackError::too_deep:
      return Malformed::nested_too_deep;
  }
  return Malformed::not_msgpack;
}

void append_rooms(std::string& out, std::string_view name, const std::vector<std::string>& rooms) {
  append_msgpack_text(out, name);
  append_msgpack_array(out, rooms.size());
  for (const std::string& room : rooms) append_msgpack_text(out, room);
}

Failure<Malformed> failure(const MsgpackReader& reader) { return Failure(to_malformed(reader.error())); }

Step skip(MsgpackReader& reader) {
  std::string_view ignored;
  if (!reader.skip(ignored)) return failure(reader);
  return {};
}

// The members of a map: `member(key)` reads the value. Keys that are not text are passed over. An empty array will do,
// too: PHP has no other empty map.
template <class Member>
Step read_map(MsgpackReader& reader, Member member) {
  MsgpackToken head;
  if (!reader.next(head)) return failure(reader);
  if (head.is(Kind::array) && head.size == 0) return {};
  if (!head.is(Kind::map)) return Failure(Malformed::not_a_broadcast);
  MsgpackToken key;
  for (std::size_t i = 0; i < head.size; ++i) {
    if (!reader.next(key)) return failure(reader);
    if (key.is(Kind::array) || key.is(Kind::map)) return Failure(Malformed::not_msgpack);
    const Step step = key.is(Kind::text) ? member(key.bytes) : skip(reader);
    if (!step) return step;
  }
  return {};
}

Result<std::size_t, Malformed> read_array(MsgpackReader& reader, std::size_t at_least) {
  MsgpackToken head;
  if (!reader.next(head)) return failure(reader);
  if (!head.is(Kind::array) || head.size < at_least) return Failure(Malformed::not_a_broadcast);
  return head.size;
}

// Names of rooms; a program that calls rooms by numbers means their text.
Step read_rooms(MsgpackReader& reader, std::vector<std::string>& rooms) {
  rooms.clear();
  MsgpackToken token;
  if (!reader.next(token)) return failure(reader);
  if (token.is(Kind::nil) || token.is(Kind::undefined)) return {};
  if (!token.is(Kind::array)) return Failure(Malformed::not_a_broadcast);
  const std::size_t size = token.size;
  for (std::size_t i = 0; i < size; ++i) {
    if (!reader.next(token)) return failure(reader);
    if (token.is(Kind::text)) {
      rooms.emplace_back(token.bytes);
    } else if (token.is(Kind::integer)) {
      rooms.push_back(std::to_string(token.integer));
    } else {
      return Failure(Malformed::not_a_broadcast);
    }
  }
  return {};
}

Step read_flags(MsgpackReader& reader, BroadcastFlags& flags) {
  return read_map(reader, [&](std::string_view key) -> Step {
    if (key != "volatile" && key != "compress") return skip(reader);
    MsgpackToken value;
    if (!reader.next(value)) return failure(reader);
    if (value.is(Kind::array) || value.is(Kind::map)) return Failure(Malformed::not_a_broadcast);
    const bool is_bool = value.is(Kind::boolean);
    if (key == "volatile") {
      flags.is_volatile = is_bool && value.integer != 0;
    } else {
      flags.compress = !is_bool || value.integer != 0;  // on unless it says no
    }
    return {};
  });
}

Step read_options(MsgpackReader& reader, IncomingBroadcast& out) {
  return read_map(reader, [&](std::string_view key) -> Step {
    if (key == "rooms") return read_rooms(reader, out.rooms);
    if (key == "except") return read_rooms(reader, out.except);
    if (key == "flags") return read_flags(reader, out.flags);
    return skip(reader);
  });
}

Step check_packet(std::int64_t type, std::string_view data) {
  if (type != type_event && type != type_binary_event) return Failure(Malformed::bad_packet);
  MsgpackReader reader(data);
  MsgpackToken token;
  if (!reader.next(token) || !token.is(Kind::array) || token.size == 0) return Failure(Malformed::bad_packet);
  if (!reader.next(token) || !(token.is(Kind::text) || token.is(Kind::integer))) return Failure(Malformed::bad_packet);
  // No client would take it: all of them would close their connections.
  if (token.is(Kind::text) && socketio::is_reserved_event(token.bytes)) return Failure(Malformed::bad_packet);
  return {};
}

Step read_packet(MsgpackReader& reader, IncomingBroadcast& out) {
  std::int64_t type = -1;
  out.data = {};
  out.name_space = "/";
  const Step step = read_map(reader, [&](std::string_view key) -> Step {
    if (key == "data") {
      if (!reader.skip(out.data)) return failure(reader);
      return {};
    }
    if (key != "type" && key != "nsp") return skip(reader);
    MsgpackToken value;
    if (!reader.next(value)) return failure(reader);
    if (key == "type") {
      if (!value.is(Kind::integer)) return Failure(Malformed::bad_packet);
      type = value.integer;
    } else if (value.is(Kind::text)) {
      out.name_space = value.bytes;
    } else if (!value.is(Kind::undefined)) {
      return Failure(Malformed::bad_packet);
    }
    return {};
  });
  return step ? check_packet(type, out.data) : step;
}

}  // namespace

std::string base_channel(std::string_view key, std::string_view name_space) {
  std::string channel;
  channel.append(key).append("#").append(name_space).append("#");
  return channel;
}

std::string room_channel(std::string_view key, std::string_view name_space, std::string_view room) {
  std::string channel;
  channel.reserve(key.size() + name_space.size() + room.size() + 3);
  channel.append(key).append("#").append(name_space).append("#").append(room).append("#");
  return channel;
}

std::string channel_of(std::string_view key, const socketio::Broadcast& message) {
  return message.rooms.size() == 1 ? room_channel(key, message.name_space, message.rooms[0])
                                   : base_channel(key, message.name_space);
}

std::optional<std::string> encode_broadcast(std::string_view uid, const socketio::Broadcast& message) {
  const Args& args = message.args;
  std::string elements;
  elements.reserve(args.text().size() + 2);
  elements.append("[").append(args.text()).append("]");
  const auto values = parse_json(elements, args.attachments());
  if (!values) return std::nullopt;

  std::string out;
  out.reserve(elements.size() + 128);
  append_msgpack_array(out, 3);
  append_msgpack_text(out, uid);
  append_msgpack_map(out, 3);
  append_msgpack_text(out, "type");
  append_msgpack_integer(out, type_event);
  append_msgpack_text(out, "data");
  append_msgpack_array(out, 1 + values->as_array()->size());
  append_msgpack_text(out, message.event);
  for (const Value& value : *values->as_array()) append_msgpack(out, value);
  append_msgpack_text(out, "nsp");
  append_msgpack_text(out, message.name_space);
  append_msgpack_map(out, 3);
  append_rooms(out, "rooms", message.rooms);
  append_rooms(out, "except", message.except);
  append_msgpack_text(out, "flags");
  append_msgpack_map(out, (message.flags.is_volatile ? 1U : 0U) + (message.flags.compress ? 0U : 1U));
  if (message.flags.is_volatile) {
    append_msgpack_text(out, "volatile");
    append_msgpack_bool(out, true);
  }
  if (!message.flags.compress) {
    append_msgpack_text(out, "compress");
    append_msgpack_bool(out, false);
  }
  return out;
}

Result<std::string_view, Malformed> decode_uid(std::string_view body) {
  MsgpackReader reader(body);
  if (const auto size = read_array(reader, 3); !size) return Failure(size.error());
  MsgpackToken uid;
  if (!reader.next(uid)) return failure(reader);
  if (!uid.is(Kind::text)) return Failure(Malformed::not_a_broadcast);
  return uid.bytes;
}

Result<void, Malformed> decode_broadcast(std::string_view body, IncomingBroadcast& out) {
  out.rooms.clear();
  out.except.clear();
  out.flags = {};
  MsgpackReader reader(body);
  const auto size = read_array(reader, 3);
  if (!size) return Failure(size.error());
  Step step = skip(reader);  // uid
  if (step) step = read_packet(reader, out);
  if (step) step = read_options(reader, out);
  for (std::size_t i = 3; step && i < *size; ++i) step = skip(reader);
  if (step && !reader.at_end()) return Failure(Malformed::not_msgpack);
  return step;
}

Result<socketio::BroadcastPtr, Malformed> to_broadcast(const socketio::PacketFormat& format,
                                                       IncomingBroadcast&& message) {
  auto broadcast = std::make_shared<socketio::Broadcast>();
  broadcast->name_space = message.name_space;
  broadcast->rooms = std::move(message.rooms);
  broadcast->except = std::move(message.except);
  broadcast->flags = message.flags;
  if (const auto done = socketio::encode_broadcast_data(format, *broadcast, message.data); !done)
    return Failure(to_malformed(done.error()));
  return broadcast;
}

}  // namespace carillon::cluster
