#include "cluster/operation_codec.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "base/json.hpp"

namespace carillon::cluster {
namespace {

constexpr std::int64_t timeout_max_ms = 24 * 60 * 60 * 1'000;  // of what others ask for

Result<void, Malformed> read_flags(const Value* flags, BroadcastFlags& out) {
  if (flags == nullptr || flags->as_object() == nullptr) return {};
  const auto is_set = [&](std::string_view key) {
    const Value* flag = flags->find(key);
    return flag != nullptr && flag->as_bool() != nullptr ? std::optional(*flag->as_bool()) : std::nullopt;
  };
  out.is_volatile = is_set("volatile").value_or(false);
  out.compress = is_set("compress").value_or(true);
  if (const Value* timeout = flags->find("timeout"); timeout != nullptr && timeout->is_number())
    out.timeout = std::chrono::milliseconds(std::clamp<std::int64_t>(timeout->as_int64(), 0, timeout_max_ms));
  return {};
}

Value flags_value(const BroadcastFlags& flags) {
  Object value;
  if (flags.is_volatile) value.append("volatile", true);
  if (!flags.compress) value.append("compress", false);
  if (flags.timeout.count() > 0) value.append("timeout", flags.timeout.count());
  return value;
}

}  // namespace

std::optional<std::vector<std::string>> read_rooms(const Value* value) {
  std::vector<std::string> rooms;
  if (value == nullptr || value->is_null()) return rooms;
  if (value->as_array() == nullptr) return std::nullopt;
  for (const Value& room : *value->as_array()) {
    if (const std::string* text = room.as_string()) {
      rooms.push_back(*text);
    } else if (room.is_number()) {
      rooms.push_back(to_json(room));
    } else {
      return std::nullopt;
    }
  }
  return rooms;
}

Value rooms_value(const std::vector<std::string>& rooms) {
  Array value;
  value.reserve(rooms.size());
  for (const std::string& room : rooms) value.emplace_back(room);
  return value;
}

Result<void, Malformed> read_selection(const Value* options, socketio::Selection& selection) {
  if (options == nullptr || options->is_null()) return {};
  if (options->as_object() == nullptr && !(options->as_array() != nullptr && options->as_array()->empty()))
    return Failure(Malformed::bad_request);
  auto rooms = read_rooms(options->find("rooms"));
  auto except = read_rooms(options->find("except"));
  if (!rooms || !except) return Failure(Malformed::bad_request);
  selection.rooms = std::move(*rooms);
  selection.except = std::move(*except);
  return read_flags(options->find("flags"), selection.flags);
}

Value selection_value(const socketio::Selection& selection) {
  return Object{{"rooms", rooms_value(selection.rooms)},
                {"except", rooms_value(selection.except)},
                {"flags", flags_value(selection.flags)}};
}

bool read_event_data(const Value* data, std::string& event, Args& args) {
  const Array* elements = data == nullptr ? nullptr : data->as_array();
  if (elements == nullptr || elements->empty()) return false;
  const Value& name = elements->front();
  if (const std::string* text = name.as_string()) {
    event = *text;
  } else if (name.is_number()) {
    event = to_json(name);
  } else {
    return false;
  }
  args = Args(Array(elements->begin() + 1, elements->end()));
  return true;
}

std::optional<Value> event_data(const std::string& event, const Args& args) {
  std::string elements;
  elements.reserve(args.text().size() + 2);
  elements.append("[").append(args.text()).append("]");
  auto values = parse_json(elements, args.attachments());
  if (!values) return std::nullopt;
  Array data{Value(event)};
  for (Value& value : std::get<Array>(values->storage())) data.push_back(std::move(value));
  return data;
}

std::optional<std::string> text_member(const Value& object, std::string_view key) {
  const Value* member = object.find(key);
  if (member == nullptr || member->as_string() == nullptr) return std::nullopt;
  return *member->as_string();
}

bool has_binary(const Value& value) {
  if (value.as_binary() != nullptr) return true;
  if (const Array* array = value.as_array()) return std::any_of(array->begin(), array->end(), has_binary);
  if (const Object* object = value.as_object())
    return std::any_of(object->begin(), object->end(), [](const auto& member) { return has_binary(member.second); });
  return false;
}

}  // namespace carillon::cluster
