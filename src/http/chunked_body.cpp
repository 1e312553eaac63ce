//   chunked-body = *chunk last-chunk *( field-line CRLF ) CRLF
//   chunk        = 1*HEXDIG [ chunk-ext ] CRLF *OCTET CRLF
//   last-chunk   = 1*"0" [ chunk-ext ] CRLF
//   chunk-ext    = *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )
//
// RFC 9112 section 7.1. Ours, not Beast's: that one reads an extension beyond the end of its line when more has come already.
// Extensions mean nothing to us, and a line ends nowhere but at CRLF; so behind the ";" we ask for no more than that a line
// holds neither control characters nor a lone CR or LF: that is what a proxy in front may read in another way.
#include "http/chunked_body.hpp"

#include <algorithm>
#include <array>

#include "http/text.hpp"

namespace carillon::http {
namespace {

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

// -1: no hexadecimal digit.
int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What may decide how long a request is, or whom it is for, has no place behind it (RFC 9110 section 6.5.1).
bool is_forbidden_trailer(std::string_view name) {
  constexpr std::array forbidden = {std::string_view("content-length"), std::string_view("transfer-encoding"),
                                    std::string_view("host")};
  return std::ranges::any_of(forbidden, [&](std::string_view other) { return same_in_any_case(name, other); });
}

}  // namespace

ChunkedBody::ChunkedBody(std::size_t line_bytes_max, std::size_t body_bytes_max)
    : line_bytes_max_(line_bytes_max), body_bytes_max_(body_bytes_max) {}

Result<std::size_t, ChunkError> ChunkedBody::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && state_ != State::done) {
    const std::string_view rest = bytes.substr(used);
    Result<std::size_t, ChunkError> step = 0;
    switch (state_) {
      case State::size:
      case State::trailer:
        step = take_line(rest);
        break;
      case State::data:
        step = take_data(rest);
        break;
      case State::data_end:
        step = take_data_end(rest);
        break;
      case State::done:
        break;
    }
    if (!step) return step;
    used += *step;
  }
  return used;
}

Result<std::size_t, ChunkError> ChunkedBody::take_line(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const char c = bytes[at];
    const bool behind_cr = line_.ends_with('\r');
    if (behind_cr != (c == '\n') || (is_control(c) && c != '\r' && c != '\n')) return Failure(ChunkError::malformed);
    if (trailers_bytes_ + line_.size() == line_bytes_max_) return Failure(ChunkError::line_too_long);
    if (c != '\n') {
      line_ += c;
      continue;
    }
    line_.pop_back();
    const auto end = state_ == State::size ? end_of_size_line() : end_of_trailer();
    if (!end) return Failure(end.error());
    line_.clear();
    return at + 1;
  }
  return bytes.size();
}

Result<void, ChunkError> ChunkedBody::end_of_size_line() {
  std::size_t digits = 0;
  std::uint64_t size = 0;
  for (; digits < line_.size() && digit_value(line_[digits]) >= 0; ++digits) {
    if (size >> 60 != 0) return Failure(ChunkError::malformed);
    size = size * 16 + static_cast<std::uint64_t>(digit_value(line_[digits]));
  }
  if (digits == 0) return Failure(ChunkError::malformed);
  const std::string_view behind = trim(std::string_view(line_).substr(digits));
  if (!behind.empty() && (behind[0] != ';' || behind.size() == 1)) return Failure(ChunkError::malformed);
  if (size > body_bytes_max_ - body_.size()) return Failure(ChunkError::body_too_large);
  chunk_bytes_left_ = static_cast<std::size_t>(size);
  state_ = size == 0 ? State::trailer : State::data;
  return {};
}

std::size_t ChunkedBody::take_data(std::string_view bytes) {
  const std::size_t used = std::min(bytes.size(), chunk_bytes_left_);
  body_.append(bytes.substr(0, used));
  chunk_bytes_left_ -= used;
  if (chunk_bytes_left_ == 0) state_ = State::data_end;
  return used;
}

Result<std::size_t, ChunkError> ChunkedBody::take_data_end(std::string_view bytes) {
  if (bytes[0] != (line_.empty() ? '\r' : '\n')) return Failure(ChunkError::malformed);
  if (line_.empty()) {
    line_ = "\r";
  } else {
    line_.clear();
    state_ = State::size;
  }
  return 1;
}

Result<void, ChunkError> ChunkedBody::end_of_trailer() {
  if (line_.empty()) {
    state_ = State::done;
    line_ = {};
    return {};
  }
  const std::string_view name = std::string_view(line_).substr(0, line_.find(':'));
  if (name.size() == line_.size() || name.empty() || !std::ranges::all_of(name, is_token_character) ||
      is_forbidden_trailer(name))
    return Failure(ChunkError::malformed);
  trailers_bytes_ += line_.size() + 2;
  return {};
}

}  // namespace carillon::http
