#include "api/notify_request.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>
#include <utility>

#include "api/emit_request.hpp"
#include "api/json_members.hpp"
#include "base/hex.hpp"
#include "base/json.hpp"
#include "base/text_hash.hpp"
#include "base/utf8.hpp"
#include "socketio/packet.hpp"

namespace carillon::api {
namespace {

using Complaint = std::optional<Error>;

Error invalid(std::string message) { return {400, "invalid_body", std::move(message)}; }

Error wrong_kind(std::string_view field, std::string_view expected, std::string_view text) {
  return invalid(fmt::format("{}: expected {}, got {}", field, expected, describe(kind_of(text))));
}

Complaint read_text(std::string& out, const JsonMember& member, std::size_t bytes_max) {
  const std::string expected = fmt::format("a text of 1 to {} bytes", bytes_max);
  if (kind_of(member.text) != JsonKind::string) return wrong_kind(member.name, expected, member.text);
  out = *parse_json(member.text)->as_string();
  if (out.empty() || out.size() > bytes_max)
    return invalid(fmt::format("{}: expected {}, got {} bytes", member.name, expected, out.size()));
  return std::nullopt;
}

Complaint read_users(NotifyRequest& request, const JsonMember& member) {
  if (kind_of(member.text) != JsonKind::array) return wrong_kind("to.users", "an array of user ids", member.text);
  const auto value = parse_json(member.text);
  const Array& items = *value->as_array();
  if (items.empty() || items.size() > recipients_max)
    return invalid(fmt::format("to.users: expected 1 to {} user ids, got {}", recipients_max, items.size()));
  std::unordered_set<std::string, TextHash, std::equal_to<>> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto user = user_id_of(items[i]);
    if (!user)
      return invalid(fmt::format(
          "to.users[{}]: a user id is a text of 1 to {} bytes without control characters, or a whole number", i,
          user_id_bytes_max));
    if (seen.insert(*user).second) request.users.push_back(std::move(*user));
  }
  return std::nullopt;
}

Complaint read_to(NotifyRequest& request, const JsonMember& member) {
  static constexpr std::string_view expected = R"({"users":[...]} or {"room":"..."})";
  if (kind_of(member.text) != JsonKind::object) return wrong_kind("to", expected, member.text);
  const auto members = json_members(member.text);
  if (members.size() != 1 || (members[0].name != "users" && members[0].name != "room"))
    return invalid(fmt::format("to: expected {}", expected));
  if (members[0].name == "users") return read_users(request, members[0]);
  if (kind_of(members[0].text) != JsonKind::string) return wrong_kind("to.room", "a room", members[0].text);
  request.room = *parse_json(members[0].text)->as_string();
  return request.room.empty() ? Complaint(invalid("to.room: a room's name cannot be empty")) : std::nullopt;
}

Complaint read_event(NotifyRequest& request, const JsonMember& member) {
  if (auto complaint = read_text(request.event, member, event_bytes_max)) return complaint;
  if (socketio::is_reserved_event(request.event))
    return invalid(fmt::format("event: \"{}\" is a name that Socket.IO keeps for itself", request.event));
  return std::nullopt;
}

Complaint read_data(NotifyRequest& request, const JsonMember& member) {
  if (member.text.size() > data_bytes_max)
    return Error{413, "too_large",
                 fmt::format("data: expected at most {} bytes, got {}", data_bytes_max, member.text.size())};
  request.data = member.text;
  return std::nullopt;
}

Complaint read_ttl(NotifyRequest& request, const JsonMember& member) {
  const std::string expected = fmt::format("a whole number from 1 to {}", ttl_s_max);
  if (kind_of(member.text) != JsonKind::number) return wrong_kind("ttl_s", expected, member.text);
  request.ttl_s = parse_json(member.text)->as_int64();
  if (request.ttl_s < 1 || request.ttl_s > ttl_s_max)
    return invalid(fmt::format("ttl_s: expected {}, got {}", expected, member.text.substr(0, 40)));
  return std::nullopt;
}

Complaint read_field(NotifyRequest& request, const JsonMember& member) {
  if (member.name == "to") return read_to(request, member);
  if (member.name == "event") return read_event(request, member);
  if (member.name == "data") return read_data(request, member);
  if (member.name == "ttl_s") return read_ttl(request, member);
  if (member.name == "idempotency_key") return read_text(request.idempotency_key, member, key_bytes_max);
  if (member.name == "collapse_key") return read_text(request.collapse_key, member, key_bytes_max);
  return invalid(fmt::format(
      "{}: there is no such field; expected to, event, data, ttl_s, idempotency_key, collapse_key", member.name));
}

// The order of members says nothing in JSON.
void sort_members(Value& value) {
  if (auto* array = std::get_if<Array>(&value.storage()))
    for (Value& item : *array) sort_members(item);
  if (auto* object = std::get_if<Object>(&value.storage())) {
    for (auto& [name, member] : *object) sort_members(member);
    std::sort(object->begin(), object->end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  }
}

std::string fingerprint_of(std::string_view object) {
  auto value = parse_json(object);
  if (!value) return {};
  sort_members(*value);
  const std::string text = to_json(*value);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace

bool is_user_id(std::string_view text) {
  if (text.empty() || text.size() > user_id_bytes_max || !is_utf8(text)) return false;
  // C0, DEL, and C1, which UTF-8 writes as 0xc2 0x80 to 0xc2 0x9f.
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    if (byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
  }
  return true;
}

std::optional<std::string> user_id_of(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value.storage())) return std::to_string(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&value.storage())) return std::to_string(*number);
  const std::string* text = value.as_string();
  return text != nullptr && is_user_id(*text) ? std::optional(*text) : std::nullopt;
}

Result<NotifyRequest, Error> parse_notify_request(std::string_view body, const NotifyDefaults& defaults) {
  if (const auto valid = check_json(body); !valid)
    return Failure(
        invalid(fmt::format("the body is not JSON: {} at byte {}", valid.error().message, valid.error().offset)));
  const std::string_view object = trim_json(body);
  if (kind_of(object) != JsonKind::object) return Failure(wrong_kind("the body", "a JSON object", object));

  NotifyRequest request;
  request.ttl_s = defaults.ttl_s;
  const auto members = json_members(object);
  for (auto member = members.begin(); member != members.end(); ++member) {
    const auto is_same = [&](const JsonMember& other) { return other.name == member->name; };
    if (std::any_of(members.begin(), member, is_same))
      return Failure(invalid(fmt::format("{}: the field is given twice", member->name)));
    if (auto complaint = read_field(request, *member)) return Failure(std::move(*complaint));
  }
  if (request.users.empty() && request.room.empty())
    return Failure(invalid("to: the field is missing; expected who gets the notification"));
  if (request.data.empty()) return Failure(invalid("data: the field is missing; expected any JSON"));
  if (!request.idempotency_key.empty()) request.fingerprint = fingerprint_of(object);
  return request;
}

}  // namespace carillon::api
