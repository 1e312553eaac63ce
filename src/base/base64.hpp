// Base64 (RFC 4648 section 4: standard alphabet, padded), as Engine.IO uses it for binary in text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace carillon {

void append_base64(std::string& out, std::string_view bytes);
std::string base64(std::string_view bytes);

// Strict about the alphabet; padding may be missing. None for anything else.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace carillon
