// HTTP/1.1 requests, RFC 9112. Beast knows the grammar of a head; the limits, the framing rules that guard against request
// smuggling and the gathering of split heads are here, because Beast's header limit counts per part and it leaves
// unconsumed bytes to its caller. Chunks have a decoder of our own (chunked_body.cpp says why).
#include "http/request_parser.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "http/chunked_body.hpp"
#include "http/text.hpp"

namespace carillon::http {
namespace {

namespace beast = boost::beast;
using BeastParser = beast::http::request_parser<beast::http::string_body>;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

ParseError to_parse_error(const beast::error_code& error) {
  if (error == beast::http::error::header_limit) return ParseError::header_too_large;
  if (error == beast::http::error::body_limit) return ParseError::body_too_large;
  return ParseError::malformed;
}

ParseError to_parse_error(ChunkError error) {
  switch (error) {
    case ChunkError::malformed:
      return ParseError::malformed;
    case ChunkError::line_too_long:
      return ParseError::header_too_large;
    case ChunkError::body_too_large:
      return ParseError::body_too_large;
  }
  return ParseError::malformed;
}

// Looks for the empty line from `from` on. A line feed without a carriage return is an error here and in Beast; found
// early, it does not leave the client waiting for an answer until the head times out.
struct HeadScan {
  std::size_t end = 0;  // one past the empty line, 0: not there yet
  std::size_t bare_line_feed = std::string_view::npos;
};
HeadScan scan_head(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find('\n', from); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    if (at == 0 || text[at - 1] != '\r') return {.bare_line_feed = at};
    if (at >= 3 && text[at - 2] == '\n') return {.end = at + 1};
  }
  return {};
}

constexpr std::size_t method_bytes = 32;  // of a request with a method that exists, and the space behind it

// The request line, as much of it as has come: whether method or target is too long. Of `before` bytes this is known; so a
// slow client's bytes, which come one by one, are not looked at again and again.
std::optional<ParseError> check_request_line(std::string_view head, std::size_t before, std::size_t target_bytes_max) {
  if (before > method_bytes + target_bytes_max) return std::nullopt;
  const std::size_t space = head.substr(0, method_bytes).find_first_of(" \r");
  if (space == std::string_view::npos)
    return head.size() < method_bytes ? std::nullopt : std::optional(ParseError::malformed);
  if (head[space] != ' ') return std::nullopt;  // no request line: Beast says so when the head is complete
  const std::string_view target = head.substr(space + 1);
  if (target.size() <= target_bytes_max || target.find_first_of(" \r") <= target_bytes_max) return std::nullopt;
  return ParseError::target_too_long;
}

bool may_start_method(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

}  // namespace

int status_of(ParseError error) {
  switch (error) {
    case ParseError::malformed:
      return 400;
    case ParseError::target_too_long:
      return 414;
    case ParseError::header_too_large:
      return 431;
    case ParseError::body_too_large:
      return 413;
    case ParseError::unsupported:
      return 501;
  }
  return 400;
}

struct RequestParser::State {
  BeastParser parser;
  Request request;
  std::optional<ChunkedBody> chunks;  // where the body comes in such
  std::string pending;                // head of which a part has come
  bool head_complete = false;
  bool body_started = false;
  std::optional<ParseError> failure;

  Result<std::size_t, ParseError> fail(ParseError reason) {
    pending = {};
    failure = reason;
    return Failure(reason);
  }

  Result<std::size_t, ParseError> feed_head(std::string_view bytes, const ParserLimits& limits);
  std::optional<ParseError> parse_head(std::string_view head, const ParserLimits& limits);
  std::optional<ParseError> check_framing(const ParserLimits& limits);
  Result<std::size_t, ParseError> feed_body(std::string_view bytes);
  bool body_complete() const { return chunks ? chunks->done() : parser.is_done(); }
};

Result<std::size_t, ParseError> RequestParser::State::feed_head(std::string_view bytes, const ParserLimits& limits) {
  const std::size_t before = pending.size();
  if (before == 0 && !may_start_method(bytes.front())) return fail(ParseError::malformed);
  // One byte is taken beyond the limit: it tells a head that is too large from one that is not complete.
  const std::string_view part = bytes.substr(0, limits.header_bytes_max + 1 - before);
  std::string_view head = part;
  if (before != 0) {
    pending += part;
    head = pending;
  }
  const HeadScan scan = scan_head(head, before);
  // What comes first counts, also where both came in one piece.
  const std::string_view sound = head.substr(0, scan.bare_line_feed);
  if (const auto problem = check_request_line(sound, before, limits.target_bytes_max)) return fail(*problem);
  if (scan.bare_line_feed != std::string_view::npos) return fail(ParseError::malformed);
  if (scan.end > limits.header_bytes_max || (scan.end == 0 && head.size() > limits.header_bytes_max))
    return fail(ParseError::header_too_large);
  if (scan.end == 0) {
    if (before == 0) pending = part;
    return bytes.size();
  }
  const auto problem = parse_head(head.substr(0, scan.end), limits);
  pending = {};
  if (problem) return fail(*problem);
  return scan.end - before;
}

std::optional<ParseError> RequestParser::State::parse_head(std::string_view head, const ParserLimits& limits) {
  parser.eager(false);
  parser.header_limit(std::numeric_limits<std::uint32_t>::max());  // checked already, over the whole head
  parser.body_limit(boost::none);                                  // see check_framing()
  beast::error_code error;
  try {
    const std::size_t used = parser.put(boost::asio::buffer(head.data(), head.size()), error);
    if (error) return to_parse_error(error);
    if (used != head.size() || !parser.is_header_done()) return ParseError::malformed;
  } catch (const std::length_error&) {  // Beast's fields end at 64 KiB each
    return ParseError::header_too_large;
  }
  const auto& message = parser.get();
  request.method = view(message.method_string());
  request.target = view(message.target());
  request.keep_alive = parser.keep_alive();
  for (const auto& field : message.base()) {
    if (request.headers.size() == limits.header_count_max) return ParseError::header_too_large;
    request.headers.emplace_back(view(field.name_string()), view(field.value()));
  }
  head_complete = true;
  return check_framing(limits);
}

// How long the body is must be beyond doubt, and whom the request is for, or a proxy in front may see other requests than
// we do. A request without a host is served all the same: health checks of load balancers send such.
std::optional<ParseError> RequestParser::State::check_framing(const ParserLimits& limits) {
  const auto count = [&](std::string_view name) {
    return std::ranges::count_if(request.headers, [&](const Header& h) { return same_in_any_case(h.first, name); });
  };
  if (count("host") > 1) return ParseError::malformed;
  if (const auto encodings = count("transfer-encoding"); encodings > 0) {
    if (count("content-length") > 0 || parser.get().version() < 11) return ParseError::malformed;
    if (encodings > 1 || !same_in_any_case(*request.header("transfer-encoding"), "chunked"))
      return ParseError::unsupported;
    chunks.emplace(limits.header_bytes_max, limits.body_bytes_max);
    return std::nullopt;
  }
  // Beast would say so too, but before the request can be read.
  if (parser.content_length().value_or(0) > limits.body_bytes_max) return ParseError::body_too_large;
  return std::nullopt;
}

Result<std::size_t, ParseError> RequestParser::State::feed_body(std::string_view bytes) {
  body_started = true;
  if (chunks) {
    const auto used = chunks->feed(bytes);
    if (!used) return fail(to_parse_error(used.error()));
    return *used;
  }
  beast::error_code error;
  std::size_t used = 0;
  while (used < bytes.size() && !parser.is_done()) {
    used += parser.put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
    if (error) return fail(to_parse_error(error));
  }
  return used;
}

RequestParser::RequestParser(ParserLimits limits) : limits_(limits) {}
RequestParser::~RequestParser() = default;

Result<std::size_t, ParseError> RequestParser::feed(std::string_view bytes) {
  if (state_ != nullptr && state_->failure) return Failure(*state_->failure);
  if (complete()) return 0;
  std::size_t skipped = 0;
  if (state_ == nullptr) {
    // Empty lines before a request are to be ignored (RFC 9112 section 2.2).
    while (skipped < bytes.size() && (bytes[skipped] == '\r' || bytes[skipped] == '\n')) ++skipped;
    bytes.remove_prefix(skipped);
  }
  if (bytes.empty()) return skipped;
  if (state_ == nullptr) state_ = std::make_unique<State>();
  auto used = state_->head_complete ? state_->feed_body(bytes) : state_->feed_head(bytes, limits_);
  if (used) *used += skipped;
  return used;
}

bool RequestParser::head_complete() const { return state_ != nullptr && state_->head_complete; }
bool RequestParser::complete() const { return head_complete() && !state_->failure && state_->body_complete(); }
bool RequestParser::started() const { return state_ != nullptr; }

bool RequestParser::expects_continue() const {
  if (!head_complete() || state_->failure || state_->body_started || complete()) return false;
  const auto expect = state_->request.header("expect");
  return expect && same_in_any_case(*expect, "100-continue") && state_->parser.get().version() >= 11;
}

const Request& RequestParser::request() const {
  static const Request none;
  return state_ != nullptr ? state_->request : none;
}

std::string_view RequestParser::body() const {
  if (state_ == nullptr) return {};
  return state_->chunks ? state_->chunks->body() : state_->parser.get().body();
}

void RequestParser::next() { state_.reset(); }

}  // namespace carillon::http
