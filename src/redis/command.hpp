// Commands as bytes: an array of bulk strings (the Redis serialization protocol, version 2).
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace carillon::redis {

// For commands written piece by piece: the head, then `words` words.
void append_command_head(std::string& out, std::size_t words);
void append_command_word(std::string& out, std::string_view word);

}  // namespace carillon::redis
