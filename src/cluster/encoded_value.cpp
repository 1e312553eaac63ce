#include "cluster/encoded_value.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "base/msgpack.hpp"
#include "socketio/packet.hpp"

namespace carillon::cluster {
namespace {

using Form = EncodedValue::Form;
using Kind = MsgpackToken::Kind;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::string_view trim_front(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

std::string_view trim(std::string_view text) {
  text = trim_front(text);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Length of the value at the start of checked text.
std::size_t json_length(std::string_view text) {
  if (text.starts_with('"')) return skip_json_string(text);
  if (!text.starts_with('{') && !text.starts_with('[')) return std::min(text.find_first_of(",]} \n\r\t"), text.size());
  std::size_t depth = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at += skip_json_string(text.substr(at));
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) break;
  }
  return at;
}

Malformed to_malformed(MsgpackError error) {
  return error == MsgpackError::too_deep ? Malformed::nested_too_deep : Malformed::not_msgpack;
}

bool is_event_name(std::string_view quoted) {
  if (quoted.find('\\') == std::string_view::npos)
    return !socketio::is_reserved_event(quoted.substr(1, quoted.size() - 2));
  const auto name = parse_json(quoted);
  return name && name->as_string() != nullptr && !socketio::is_reserved_event(*name->as_string());
}

bool is_json_event_data(std::string_view text) {
  if (!text.starts_with('[')) return false;
  const std::string_view first = trim_front(text.substr(1));
  if (first.starts_with('"')) return is_event_name(first.substr(0, skip_json_string(first)));
  return first.starts_with('-') || (!first.empty() && first.front() >= '0' && first.front() <= '9');
}

bool is_msgpack_event_data(std::string_view bytes) {
  MsgpackReader reader(bytes);
  MsgpackToken token;
  if (!reader.next(token) || !token.is(Kind::array) || token.size == 0 || !reader.next(token)) return false;
  if (token.is(Kind::text)) return !socketio::is_reserved_event(token.bytes);
  return token.is(Kind::integer) || token.is(Kind::natural) || token.is(Kind::real);
}

}  // namespace

Result<EncodedValue, Malformed> check_json_value(std::string_view text) {
  if (const auto checked = check_json(text); !checked)
    return Failure(checked.error().message == "nested too deeply" ? Malformed::nested_too_deep : Malformed::not_json);
  return EncodedValue{Form::json, trim(text)};
}

Result<EncodedValue, Malformed> check_msgpack_value(std::string_view bytes) {
  MsgpackReader reader(bytes);
  std::string_view value;
  if (!reader.skip(value)) return Failure(to_malformed(reader.error()));
  if (!reader.at_end()) return Failure(Malformed::not_msgpack);
  return EncodedValue{Form::msgpack, bytes};
}

MemberReader::MemberReader(const EncodedValue& object)
    : form_(object.form), rest_(object.bytes), reader_(object.bytes) {
  if (form_ == Form::json) {
    if (rest_.starts_with('{')) {
      rest_ = trim_front(rest_.substr(1));
    } else {
      form_ = Form::none;
    }
  } else if (form_ == Form::msgpack) {
    MsgpackToken head;
    if (reader_.next(head) && head.is(Kind::map)) members_left_ = head.size;
  }
}

bool MemberReader::next() {
  switch (form_) {
    case Form::none:
      return false;
    case Form::json:
      return next_json();
    case Form::msgpack:
      return next_msgpack();
  }
  return false;
}

bool MemberReader::next_json() {
  if (!rest_.starts_with('"')) return false;  // the last bracket
  const std::size_t name_end = skip_json_string(rest_);
  name_ = rest_.substr(1, name_end - 2);
  rest_ = trim_front(rest_.substr(name_end));
  rest_ = trim_front(rest_.substr(1));  // the colon
  const std::size_t length = json_length(rest_);
  value_ = {Form::json, rest_.substr(0, length)};
  rest_ = trim_front(rest_.substr(length));
  if (rest_.starts_with(',')) rest_ = trim_front(rest_.substr(1));
  return true;
}

bool MemberReader::next_msgpack() {
  MsgpackToken key;
  while (members_left_ > 0) {
    --members_left_;
    if (!reader_.next(key)) return false;
    if (key.is(Kind::array) || key.is(Kind::map)) return false;  // what follows is its inside
    value_.form = Form::msgpack;
    if (!reader_.skip(value_.bytes)) return false;
    if (!key.is(Kind::text)) continue;
    name_ = key.bytes;
    return true;
  }
  return false;
}

EncodedValue find_member(const EncodedValue& object, std::string_view name) {
  EncodedValue found;
  for (MemberReader reader(object); reader.next();)
    if (reader.name() == name) found = reader.value();
  return found;
}

Result<Value, Malformed> to_value(const EncodedValue& value) {
  switch (value.form) {
    case Form::none:
      return Value();
    case Form::json: {
      auto parsed = parse_json(value.bytes);
      if (!parsed) return Failure(Malformed::not_json);
      return std::move(*parsed);
    }
    case Form::msgpack: {
      auto parsed = parse_msgpack(value.bytes);
      if (!parsed) return Failure(to_malformed(parsed.error()));
      return std::move(*parsed);
    }
  }
  return Value();
}

bool is_event_data(const EncodedValue& value) {
  switch (value.form) {
    case Form::none:
      return false;
    case Form::json:
      return is_json_event_data(value.bytes);
    case Form::msgpack:
      return is_msgpack_event_data(value.bytes);
  }
  return false;
}

}  // namespace carillon::cluster
