#include "engineio/jsonp.hpp"

#include "base/json.hpp"
#include "http/request.hpp"

namespace carillon::engineio {
namespace {

// JSON, but for two line separators (U+2028, U+2029) that old JavaScript takes for the end of a line.
std::string script_string(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  std::string script;
  script.reserve(json.size());
  for (std::string_view rest = json; !rest.empty();) {
    if (rest.starts_with("\xe2\x80\xa8") || rest.starts_with("\xe2\x80\xa9")) {
      script.append(rest[2] == '\xa8' ? "\\u2028" : "\\u2029");
      rest.remove_prefix(3);
    } else {
      script.push_back(rest.front());
      rest.remove_prefix(1);
    }
  }
  return script;
}

}  // namespace

std::string jsonp_head(std::string_view index) {
  std::string head = "___eio[";
  for (const char c : index)
    if (c >= '0' && c <= '9') head.push_back(c);
  return head.append("](");
}

std::string jsonp_answer(std::string_view head, std::string_view payload) {
  return std::string(head).append(script_string(payload)).append(");");
}

std::optional<std::string> decode_jsonp_form(std::string_view body) {
  const auto field = http::query_parameter(body, "d");
  if (!field) return std::nullopt;
  std::string payload;
  payload.reserve(field->size());
  for (std::string_view rest = *field; !rest.empty();) {
    if (rest.starts_with("\\\\n")) {
      payload.append("\\n");
      rest.remove_prefix(3);
    } else if (rest.starts_with("\\n")) {
      payload.push_back('\n');
      rest.remove_prefix(2);
    } else {
      payload.push_back(rest.front());
      rest.remove_prefix(1);
    }
  }
  return payload;
}

}  // namespace carillon::engineio
