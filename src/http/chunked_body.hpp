// The chunked transfer coding, RFC 9112 section 7.1: bytes to the body of a request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace carillon::http {

enum class ChunkError : std::uint8_t {
  malformed,
  line_too_long,   // the line of a chunk, or all trailers together
  body_too_large,  // by the size that a chunk announces
};

// One body. Decides byte by byte, so the result does not depend on the pieces in which they come. Owned by its parser.
class ChunkedBody {
 public:
  // `line_bytes_max` holds for the line that begins a chunk, and for all trailers together; `body_bytes_max` for the body.
  ChunkedBody(std::size_t line_bytes_max, std::size_t body_bytes_max);

  // Takes bytes up to the end of the body and says how many were used: all, unless done(). Not to be called after an error.
  Result<std::size_t, ChunkError> feed(std::string_view bytes);

  bool done() const { return state_ == State::done; }
  const std::string& body() const { return body_; }  // what has come of it

 private:
  enum class State : std::uint8_t { size, data, data_end, trailer, done };

  Result<std::size_t, ChunkError> take_line(std::string_view bytes);
  Result<std::size_t, ChunkError> take_data_end(std::string_view bytes);
  std::size_t take_data(std::string_view bytes);
  Result<void, ChunkError> end_of_size_line();
  Result<void, ChunkError> end_of_trailer();

  std::size_t line_bytes_max_;
  std::size_t body_bytes_max_;
  State state_ = State::size;
  std::string line_;  // as much as has come, with its CR
  std::size_t trailers_bytes_ = 0;
  std::size_t chunk_bytes_left_ = 0;
  std::string body_;
};

}  // namespace carillon::http
