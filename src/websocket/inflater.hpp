// The payload of permessage-deflate to messages, RFC 7692 section 7.2.2; deflater.hpp says what it looks like.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "websocket/deflate_stats.hpp"

struct z_stream_s;  // NOLINT(readability-identifier-naming): zlib's

namespace carillon::websocket {

enum class InflateError {
  bad_data,  // no DEFLATE data, or not all of it
  too_big,   // more than bytes_max
};

// Reads compressed messages. One for all connections of a shard; its state (about 40 KiB) is made on first use.
class Inflater {
 public:
  explicit Inflater(DeflateStats& stats);
  ~Inflater();

  // Appends what `payload` holds to `out`, at most `bytes_max` bytes. `window`: the last bytes of the messages before,
  // for a peer that takes its context over. Throws std::bad_alloc.
  Result<void, InflateError> inflate(std::string_view payload, std::string_view window, std::size_t bytes_max,
                                     std::string& out);

 private:
  enum class Step { more, whole, ended };
  void prepare(std::string_view window);
  Result<Step, InflateError> run(std::string_view bytes, std::size_t size_max, std::string& out);

  DeflateStats& stats_;
  std::unique_ptr<z_stream_s> stream_;
};

}  // namespace carillon::websocket
