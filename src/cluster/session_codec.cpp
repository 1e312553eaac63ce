#include "cluster/session_codec.hpp"

#include <algorithm>
#include <utility>

#include "base/base64.hpp"
#include "base/msgpack.hpp"
#include "cluster/operation_codec.hpp"

namespace carillon::cluster {
namespace {

constexpr std::size_t mark_characters = 32;  // of 24 bytes: the map's head, "owner", and 16 characters
constexpr std::size_t members = 9;
constexpr std::size_t sid_bytes_max = 64;

void append_owner(std::string& bytes, std::string_view owner) {
  append_msgpack_map(bytes, members);
  append_msgpack_text(bytes, "owner");
  append_msgpack_text(bytes, owner);
}

}  // namespace

std::string encode_session(const socketio::SessionRecord& record) {
  std::string bytes;
  append_owner(bytes, record.owner);
  const auto append = [&](std::string_view name, const Value& value) {
    append_msgpack_text(bytes, name);
    append_msgpack(bytes, value);
  };
  append("sid", record.sid);
  append("pid", record.pid);
  append("rooms", rooms_value(record.rooms));
  append("data", record.data);
  append("nsp", record.name_space);
  append("identity", record.identity);
  append("node", record.node);
  append("proven", to_string(record.proven));
  return base64(bytes);
}

std::optional<socketio::SessionRecord> decode_session(std::string_view pid, std::string_view value) {
  const auto bytes = from_base64(value);
  if (!bytes) return std::nullopt;
  const auto map = parse_msgpack(*bytes);
  if (!map) return std::nullopt;
  auto sid = text_member(*map, "sid");
  auto rooms = read_rooms(map->find("rooms"));
  if (!sid || sid->empty() || sid->size() > sid_bytes_max || !rooms || text_member(*map, "pid") != pid)
    return std::nullopt;
  socketio::SessionRecord record;
  record.pid = pid;
  record.mark = mark_of(value);
  record.owner = text_member(*map, "owner").value_or("");
  record.name_space = text_member(*map, "nsp").value_or("");
  record.sid = std::move(*sid);
  record.identity = text_member(*map, "identity").value_or("");
  record.node = text_member(*map, "node").value_or("");
  record.rooms = std::move(*rooms);
  if (std::ranges::find(record.rooms, record.sid) == record.rooms.end()) record.rooms.push_back(record.sid);
  const Value* data = map->find("data");
  record.data = data == nullptr ? Value(Object()) : *data;
  record.proven =
      socketio::parse_stream_offset(text_member(*map, "proven").value_or("")).value_or(socketio::StreamOffset{});
  return record;
}

std::string mark_of(std::string_view value) { return std::string(value.substr(0, mark_characters)); }

std::string mark_of_owner(std::string_view owner) {
  std::string bytes;
  append_owner(bytes, owner);
  return mark_of(base64(bytes));
}

}  // namespace carillon::cluster
