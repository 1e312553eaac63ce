// JSON text to and from Value, and a scanner that checks text without building anything.
//
// Grammar: RFC 8259. Two things are as JavaScript has them, because official clients are JavaScript: an escaped lone
// surrogate ("\ud83d", half an emoji cut by a program) is accepted, and numbers are doubles unless they are whole.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/value.hpp>

#include "base/result.hpp"

namespace carillon {

inline constexpr std::size_t json_depth_max = 1024;  // arrays and objects inside each other

struct JsonError {
  std::size_t offset;        // in bytes
  std::string_view message;  // "unexpected end", "nested too deeply", ...
};

// Checks one JSON text (whitespace around it allowed). Invalid UTF-8 inside strings is an error.
Result<void, JsonError> check_json(std::string_view text);

Result<Value, JsonError> parse_json(std::string_view text);

// Repeated placeholders may make at most so many times the bytes of all attachments together.
inline constexpr std::size_t json_attachment_uses_max = 4;

// As parse_json, with {"_placeholder":true,"num":N} replaced by a copy of attachments[N]; an N that is none of them is
// an error.
Result<Value, JsonError> parse_json(std::string_view text, const std::vector<Binary>& attachments);

// The end of the JSON string that starts at text[0] == '"' (one past the closing quote), or npos. For text that
// check_json has accepted.
std::size_t skip_json_string(std::string_view text);

void append_json_string(std::string& out, std::string_view text);

// Appends the text of `value`; binary is moved to `attachments` and replaced by a placeholder with its index there.
void append_json(std::string& out, const Value& value, std::vector<Binary>& attachments);

}  // namespace carillon
