// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace carillon {

bool is_utf8(std::string_view bytes);

// Of valid UTF-8. JavaScript counts text in UTF-16 code units: two for a character above U+FFFF.
std::size_t utf16_length(std::string_view text);
// The bytes at the start of `text` that make `units` code units; none if it has fewer, or a character would be cut.
std::optional<std::size_t> bytes_of_utf16(std::string_view text, std::size_t units);

}  // namespace carillon
