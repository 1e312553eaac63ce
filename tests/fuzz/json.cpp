// JSON: the reader agrees with simdjson about what is JSON and what it says; what was written is read as the same; and
// attachments do not grow beyond their limit.
//
//   input = attachments(1) text
//
// Covers: src/base/json.cpp
#include "base/json.hpp"

#include <simdjson.h>

#include <string>
#include <vector>

#include "values.hpp"

namespace carillon::fuzz {
namespace {

namespace dom = simdjson::dom;

// simdjson has its own opinion about these: numbers that no double or 64-bit integer holds, and escaped halves of a
// surrogate pair.
bool may_differ(simdjson::error_code error, std::string_view text) {
  const std::string_view message = simdjson::error_message(error);  // its names differ between versions
  if (message.contains("number") || message.contains("integer")) return true;
  return error == simdjson::STRING_ERROR && (text.contains("\\uD") || text.contains("\\ud"));
}

bool says_the_same(const Value& value, dom::element other);

bool says_the_same(const Array& items, dom::array other) {
  std::size_t at = 0;
  for (const dom::element element : other) {
    if (at == items.size() || !says_the_same(items[at], element)) return false;
    ++at;
  }
  return at == items.size();
}

bool says_the_same(const Object& members, dom::object other) {
  std::vector<std::pair<std::string_view, dom::element>> expected;
  for (const auto& [key, element] : other) {
    const auto found = std::find_if(expected.begin(), expected.end(), [&](const auto& e) { return e.first == key; });
    if (found == expected.end()) {
      expected.emplace_back(key, element);
    } else {
      found->second = element;
    }
  }
  return std::equal(members.begin(), members.end(), expected.begin(), expected.end(), [](const auto& a, const auto& b) {
    return a.first == b.first && says_the_same(a.second, b.second);
  });
}

bool says_the_same(const Value& value, dom::element other) {
  switch (other.type()) {
    case dom::element_type::ARRAY:
      return value.as_array() != nullptr && says_the_same(*value.as_array(), dom::array(other));
    case dom::element_type::OBJECT:
      return value.as_object() != nullptr && says_the_same(*value.as_object(), dom::object(other));
    case dom::element_type::INT64:
      return same(value, Value(std::int64_t(other)));
    case dom::element_type::UINT64:
      return same(value, Value(std::uint64_t(other)));
    case dom::element_type::DOUBLE:
      return same(value, Value(double(other)));
    case dom::element_type::STRING:
      return value.as_string() != nullptr && *value.as_string() == std::string_view(other);
    case dom::element_type::BOOL:
      return value == Value(bool(other));
    case dom::element_type::NULL_VALUE:
      return value.is_null();
  }
  return false;
}

void compare_with_simdjson(std::string_view text, const Result<Value, JsonError>& parsed) {
  static dom::parser parser;  // its depth is ours: 1,024
  dom::element other;
  const auto error = parser.parse(text.data(), text.size()).get(other);
  if (error == simdjson::SUCCESS) {
    check(parsed.has_value(), "what simdjson reads is read");
    check(says_the_same(*parsed, other), "and means the same");
  } else if (parsed) {
    check(may_differ(error, text), "what simdjson refuses is refused");
  }
}

std::size_t binary_bytes(const Value& value) {
  if (const Binary* binary = value.as_binary()) return binary->bytes.size();
  std::size_t bytes = 0;
  if (const Array* items = value.as_array())
    for (const Value& item : *items) bytes += binary_bytes(item);
  if (const Object* members = value.as_object())
    for (const auto& [key, member] : *members) bytes += binary_bytes(member);
  return bytes;
}

void write_and_read(const Value& value) {
  std::vector<Binary> attachments;
  std::string text;
  append_json(text, value, attachments);
  check(check_json(text).has_value() && text == to_json(value), "what was written is JSON");
  if (has_placeholder(value)) return;  // taken for binary
  auto again = parse_json(text, attachments);
  check(again.has_value(), "what was written is read");
  if (canary() && text.contains("\\u00")) *again = nullptr;
  check(same(value, *again), "and means the same");
}

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon;
  using namespace carillon::fuzz;
  Input input(data, size);
  const std::size_t attachment_count = input.below(4);
  const std::string text(input.rest());
  const auto parsed = parse_json(text);
  const auto checked = check_json(text);
  check(checked.has_value() == parsed.has_value(), "a check says what the reader does");
  if (!parsed) {
    check(parsed.error().offset == checked.error().offset && parsed.error().offset <= text.size(),
          "one place of error");
    check(!parsed.error().message.empty(), "an error has a name");
  }
  compare_with_simdjson(text, parsed);
  if (parsed) {
    check(is_utf8_slowly(text), "JSON is UTF-8");
    write_and_read(*parsed);
    if (parsed->as_string() != nullptr && text.starts_with('"'))
      check(text.find_first_not_of(" \t\r\n", skip_json_string(text)) == std::string::npos,
            "a string ends where it ends");
  }
  std::vector<Binary> attachments;
  for (std::size_t i = 0; i < attachment_count; ++i) attachments.push_back({std::string(i * 3, 'x')});
  std::size_t bytes = 0;
  for (const Binary& attachment : attachments) bytes += attachment.bytes.size();
  if (const auto filled = parse_json(text, attachments)) {
    check(parsed.has_value(), "attachments make nothing good");
    check(binary_bytes(*filled) <= json_attachment_uses_max * bytes, "attachments are used so often and no more");
  }
  Input again(data, size);
  write_and_read(make_value(again));
  return 0;
}
