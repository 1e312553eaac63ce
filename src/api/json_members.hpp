// The members of a JSON object as they stand in its text: what is only passed on need not be built and written again,
// and limits hold for what was sent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace carillon::api {

struct JsonMember {
  std::string name;       // decoded
  std::string_view text;  // of the value, without white space around it; into the object's text
};

enum class JsonKind { null, boolean, number, string, array, object };
// Of a whole JSON text without white space before it.
JsonKind kind_of(std::string_view text);
// "an array", "null": for messages.
std::string_view describe(JsonKind kind);

// `object` is a text that check_json has accepted and whose kind is object, without white space around it.
std::vector<JsonMember> json_members(std::string_view object);

// The end of the value that starts at text[0], of a text that check_json has accepted; behind it may be more.
std::size_t skip_json_value(std::string_view text);

// Without JSON's white space on both sides.
std::string_view trim_json(std::string_view text);

}  // namespace carillon::api
