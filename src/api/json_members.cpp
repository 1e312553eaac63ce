#include "api/json_members.hpp"

#include <utility>

namespace carillon::api {
namespace {

constexpr std::string_view white_space = " \t\r\n";

std::string decode_name(std::string_view quoted) {
  if (!quoted.contains('\\')) return std::string(quoted.substr(1, quoted.size() - 2));
  const auto value = parse_json(quoted);
  return value && value->as_string() != nullptr ? *value->as_string() : std::string();
}

}  // namespace

std::size_t skip_json_value(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size();) {
    switch (text[at]) {
      case '"':
        at += skip_json_string(text.substr(at));
        if (depth == 0) return at;
        continue;
      case '[':
      case '{':
        ++depth;
        break;
      case ']':
      case '}':
        if (depth == 0) return at;  // of what is around a number or a word
        if (--depth == 0) return at + 1;
        break;
      case ',':
        if (depth == 0) return at;
        break;
      default:
        break;
    }
    ++at;
  }
  return text.size();
}

std::string_view trim_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(white_space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(white_space) - first + 1);
}

JsonKind kind_of(std::string_view text) {
  switch (text.empty() ? '\0' : text.front()) {
    case '{':
      return JsonKind::object;
    case '[':
      return JsonKind::array;
    case '"':
      return JsonKind::string;
    case 't':
    case 'f':
      return JsonKind::boolean;
    case 'n':
      return JsonKind::null;
    default:
      return JsonKind::number;
  }
}

std::string_view describe(JsonKind kind) {
  switch (kind) {
    case JsonKind::null:
      return "null";
    case JsonKind::boolean:
      return "a boolean";
    case JsonKind::number:
      return "a number";
    case JsonKind::string:
      return "a string";
    case JsonKind::array:
      return "an array";
    case JsonKind::object:
      return "an object";
  }
  return "something else";
}

std::vector<JsonMember> json_members(std::string_view object) {
  std::vector<JsonMember> members;
  std::string_view rest = object.substr(1);
  for (;;) {
    rest.remove_prefix(rest.find_first_not_of(", \t\r\n"));
    if (rest.front() == '}') return members;
    const std::size_t name_end = skip_json_string(rest);
    std::string name = decode_name(rest.substr(0, name_end));
    rest.remove_prefix(rest.find(':', name_end) + 1);
    rest.remove_prefix(rest.find_first_not_of(white_space));
    const std::size_t value_end = skip_json_value(rest);
    members.push_back({std::move(name), trim_json(rest.substr(0, value_end))});
    rest.remove_prefix(value_end);
  }
}

}  // namespace carillon::api
