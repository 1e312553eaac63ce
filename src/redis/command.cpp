#include "redis/command.hpp"

#include <array>
#include <charconv>
#include <cstddef>

namespace carillon::redis {
namespace {

void append_length(std::string& out, char kind, std::size_t length) {
  std::array<char, 24> text{};
  text[0] = kind;
  char* end = std::to_chars(text.data() + 1, text.data() + text.size() - 2, length).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(text.data(), end);
}

}  // namespace

void append_command_head(std::string& out, std::size_t words) { append_length(out, '*', words); }

void append_command_word(std::string& out, std::string_view word) {
  append_length(out, '$', word.size());
  out += word;
  out += "\r\n";
}

}  // namespace carillon::redis
