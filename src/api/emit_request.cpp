#include "api/emit_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "api/json_members.hpp"
#include "base/json.hpp"
#include "socketio/packet.hpp"

namespace carillon::api {
namespace {

// A field's reader fills in the request, or says what is wrong.
using Complaint = std::optional<Error>;

Error invalid(std::string message) { return {400, "invalid_body", std::move(message)}; }

Error wrong_kind(std::string_view field, std::string_view expected, std::string_view text) {
  return invalid(fmt::format("{}: expected {}, got {}", field, expected, describe(kind_of(text))));
}

Complaint read_string(std::string& out, const JsonMember& member, std::string_view expected) {
  if (kind_of(member.text) != JsonKind::string) return wrong_kind(member.name, expected, member.text);
  out = *parse_json(member.text)->as_string();
  return std::nullopt;
}

Complaint read_namespace(EmitRequest& request, const JsonMember& member) {
  static constexpr std::string_view expected = "a namespace such as \"/\" or \"/orders\"";
  if (auto complaint = read_string(request.name_space, member, expected)) return complaint;
  if (!request.name_space.starts_with('/')) return invalid("namespace: expected a text that begins with \"/\"");
  if (request.name_space.contains(',')) return invalid("namespace: a comma cannot be part of a namespace's name");
  return std::nullopt;
}

Complaint read_rooms(std::vector<std::string>& out, const JsonMember& member) {
  static constexpr std::string_view expected = "an array of strings";
  if (kind_of(member.text) != JsonKind::array) return wrong_kind(member.name, expected, member.text);
  auto value = parse_json(member.text);
  Array& items = *std::get_if<Array>(&value->storage());
  if (items.size() > rooms_max) {
    return invalid(fmt::format("{}: expected at most {} rooms, got {}", member.name, rooms_max, items.size()));
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto* room = std::get_if<std::string>(&items[i].storage());
    if (room == nullptr) return wrong_kind(fmt::format("{}[{}]", member.name, i), "a string", to_json(items[i]));
    if (room->empty()) return invalid(fmt::format("{}[{}]: a room's name cannot be empty", member.name, i));
    out.push_back(std::move(*room));
  }
  return std::nullopt;
}

// Nobody to send to is more often a bug of the caller than a wish, and "everyone" would be the worst way to take it.
Complaint read_receivers(EmitRequest& request, const JsonMember& member) {
  if (auto complaint = read_rooms(request.rooms, member)) return complaint;
  if (request.rooms.empty()) {
    return invalid("rooms: expected at least one room; leave the field out to reach everyone in the namespace");
  }
  return std::nullopt;
}

Complaint read_event(EmitRequest& request, const JsonMember& member) {
  static const std::string expected = fmt::format("a name of 1 to {} bytes", event_bytes_max);
  if (auto complaint = read_string(request.event, member, expected)) return complaint;
  if (request.event.empty() || request.event.size() > event_bytes_max) {
    return invalid(fmt::format("event: expected {}, got {} bytes", expected, request.event.size()));
  }
  if (socketio::is_reserved_event(request.event)) {
    return invalid(fmt::format("event: \"{}\" is a name that Socket.IO keeps for itself", request.event));
  }
  return std::nullopt;
}

Complaint read_args(EmitRequest& request, const JsonMember& member) {
  if (kind_of(member.text) != JsonKind::array) return wrong_kind("args", "an array", member.text);
  if (member.text.size() > args_bytes_max) {
    return Error{413, "too_large",
                 fmt::format("args: expected at most {} bytes, got {}", args_bytes_max, member.text.size())};
  }
  const Args borrowed = Args::borrow(trim_json(member.text.substr(1, member.text.size() - 2)));
  request.args = borrowed;  // a copy owns its bytes
  return std::nullopt;
}

Complaint read_volatile(EmitRequest& request, const JsonMember& member) {
  if (kind_of(member.text) != JsonKind::boolean) return wrong_kind("volatile", "true or false", member.text);
  request.is_volatile = member.text == "true";
  return std::nullopt;
}

Complaint read_ack_timeout(EmitRequest& request, const JsonMember& member) {
  static const std::string expected = fmt::format("a whole number from 1 to {}", ack_timeout_ms_max);
  if (kind_of(member.text) != JsonKind::number) return wrong_kind(member.name, expected, member.text);
  const std::int64_t timeout = parse_json(member.text)->as_int64();
  if (timeout < 1 || timeout > ack_timeout_ms_max) {
    return invalid(fmt::format("ack_timeout_ms: expected {}, got {}", expected, member.text.substr(0, 40)));
  }
  request.ack_timeout = Milliseconds(timeout);
  return std::nullopt;
}

Complaint read_field(EmitRequest& request, const JsonMember& member) {
  if (member.name == "namespace") return read_namespace(request, member);
  if (member.name == "rooms") return read_receivers(request, member);
  if (member.name == "except") return read_rooms(request.except, member);
  if (member.name == "event") return read_event(request, member);
  if (member.name == "args") return read_args(request, member);
  if (member.name == "volatile") return read_volatile(request, member);
  if (member.name == "ack_timeout_ms") return read_ack_timeout(request, member);
  return invalid(fmt::format(
      "{}: there is no such field; expected namespace, rooms, except, event, args, volatile, ack_timeout_ms",
      member.name));
}

}  // namespace

Result<EmitRequest, Error> parse_emit_request(std::string_view body) {
  if (const auto valid = check_json(body); !valid) {
    return Failure(
        invalid(fmt::format("the body is not JSON: {} at byte {}", valid.error().message, valid.error().offset)));
  }
  const std::string_view object = trim_json(body);
  if (kind_of(object) != JsonKind::object) return Failure(wrong_kind("the body", "a JSON object", object));

  EmitRequest request;
  const auto members = json_members(object);
  for (auto member = members.begin(); member != members.end(); ++member) {
    const auto is_same = [&](const JsonMember& other) { return other.name == member->name; };
    if (std::any_of(members.begin(), member, is_same)) {
      return Failure(invalid(fmt::format("{}: the field is given twice", member->name)));
    }
    if (auto complaint = read_field(request, *member)) return Failure(std::move(*complaint));
  }
  if (request.event.empty()) return Failure(invalid("event: the field is missing; expected the name of an event"));
  return request;
}

}  // namespace carillon::api
