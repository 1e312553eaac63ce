// Values out of an input, and whether two mean the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <carillon/value.hpp>

#include "fuzz.hpp"

namespace carillon::fuzz {

// RFC 3629, byte by byte: an opinion of its own about UTF-8.
bool is_utf8_slowly(std::string_view bytes);
// The bytes if they are UTF-8, otherwise what ASCII can be made of them.
std::string text_of(std::string_view bytes);

// Any value; `binary`: bytes may be in it. Keys of an object differ from each other and from "_placeholder".
Value make_value(Input& input, bool binary = true, int depth = 0);

// Names of rooms, three at most.
std::vector<std::string> make_rooms(Input& input);

// Equal as JavaScript has it: 1 and 1.0 are the same, and what is no finite number is null in JSON.
bool same(const Value& a, const Value& b);

// Whether there is an object inside that stands for binary in JSON.
bool has_placeholder(const Value& value);

// As JavaScript has objects: of a repeated key the place of the first and the value of the last.
Value without_repeated_keys(const Value& value);

}  // namespace carillon::fuzz
