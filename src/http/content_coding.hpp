// Compressed bodies: which coding a client wants (Accept-Encoding, RFC 9110 section 12.5.3), and the coding itself.
//
//   Accept-Encoding = [ coding [ ";" "q" "=" qvalue ] *( "," ... ) ]   ; coding "*" stands for all that are not named
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace carillon::http {

enum class Coding : std::uint8_t { identity, gzip, deflate };  // deflate: the zlib format

struct CompressionSettings {
  bool enabled = true;
  std::size_t threshold_bytes = 1024;  // shorter bodies go as they are
  int level = 6;                       // zlib's: 1 (fast) to 9 (small)
};

// gzip or deflate, whichever the client likes better; of equals the one that it names first. identity where it takes
// neither; a weight that is no number from 0 to 1 counts as 0.
Coding preferred_coding(std::string_view accept_encoding);

// The name in Content-Encoding.
std::string_view to_string(Coding coding);

// Throws std::bad_alloc.
std::string encode(std::string_view body, Coding coding, int level);

}  // namespace carillon::http
