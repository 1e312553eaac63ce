// Which stream a namespace's messages are in (@socket.io/redis-streams-adapter).
//
//   stream = name                      ; there is one
//          / name "-" number           ; of several: the namespace's hash modulo their count
//
// The hash is Java's of a string: over UTF-16 units, 32 bits, signed; and so is the remainder. So a namespace may write to
// "name--3", which no published server reads: its broadcasts are heard by our kind alone, and nobody of ours can change
// that without missing what the others write there.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace carillon::cluster {

// `name_space` is UTF-8; `count` at least 1.
std::string stream_name(std::string_view name, unsigned count, std::string_view name_space);
// Which of those in stream_names() that is.
std::size_t stream_index(unsigned count, std::string_view name_space);
// All that there may be.
std::vector<std::string> stream_names(std::string_view name, unsigned count);

}  // namespace carillon::cluster
