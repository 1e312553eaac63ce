// RequestParser: bytes in pieces of any size give the same requests and the same error as in one piece, within the
// limits; and a request that is written down again is read as the same.
//
//   input = pieces(1) limits(1) bytes
//
// Covers: src/http/request_parser.cpp src/http/chunked_body.cpp
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "http/request_parser.hpp"

namespace carillon::fuzz {
namespace {

using http::ParseError;
using http::ParserLimits;
using http::RequestParser;

struct Seen {
  http::Request request;
  std::string body;
  bool complete = false;
  friend bool operator==(const Seen& a, const Seen& b) {
    return a.request.method == b.request.method && a.request.target == b.request.target &&
           a.request.headers == b.request.headers && a.request.keep_alive == b.request.keep_alive && a.body == b.body &&
           a.complete == b.complete;
  }
};

struct Outcome {
  std::vector<Seen> requests;  // the last one may be incomplete
  std::optional<ParseError> error;
  bool started = false;  // another one
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Seen see(const RequestParser& parser, const ParserLimits& limits) {
  Seen seen{parser.request(), parser.complete() ? std::string(parser.body()) : "", parser.complete()};
  check(seen.request.headers.size() <= limits.header_count_max, "no more headers than allowed");
  std::size_t bytes = seen.request.method.size() + seen.request.target.size();
  for (const auto& [name, value] : seen.request.headers) bytes += name.size() + value.size();
  check(bytes <= limits.header_bytes_max, "no more bytes of headers than allowed");
  check(seen.request.target.size() <= limits.target_bytes_max, "no longer target than allowed");
  check(parser.body().size() <= limits.body_bytes_max, "no more bytes of body than allowed");
  // What the layers above ask for.
  check(!seen.request.path().empty(), "there is a path");
  check(seen.request.target.contains(seen.request.query()), "the query is a part of the target");
  (void)seen.request.parameter("sid");
  (void)seen.request.wants_websocket();
  return seen;
}

// As the connection does it.
Outcome run(const ParserLimits& limits, std::string_view bytes, std::uint32_t seed) {
  RequestParser parser(limits);
  Outcome outcome;
  for (Pieces pieces(bytes, seed); !pieces.done();) {
    std::string_view rest = pieces.next();
    while (!rest.empty()) {
      const auto used = parser.feed(rest);
      if (!used) {
        outcome.error = used.error();
        check(http::status_of(used.error()) >= 400, "an error has its answer");
        if (parser.head_complete()) outcome.requests.push_back(see(parser, limits));
        check(!parser.complete(), "a request in error is not complete");
        const auto again = parser.feed(rest);
        check(!again && again.error() == used.error(), "an error is final");
        return outcome;
      }
      check(*used <= rest.size(), "no more is used than was given");
      check(*used > 0, "there is progress");
      rest.remove_prefix(*used);
      if (parser.expects_continue()) check(parser.head_complete(), "nobody is told to go on who has not asked for it");
      if (!parser.complete()) continue;
      check(!parser.expects_continue(), "a complete request waits for nothing");
      outcome.requests.push_back(see(parser, limits));
      // A mistake that shows only where a body comes in pieces.
      if (canary() && seed > 0 && outcome.requests.back().body.size() > 3) outcome.requests.back().body.pop_back();
      parser.next();
    }
  }
  outcome.started = parser.started();
  if (parser.head_complete()) outcome.requests.push_back(see(parser, limits));
  return outcome;
}

void check_written_again(const ParserLimits& limits, const Seen& seen) {
  if (!seen.complete || seen.request.header("transfer-encoding")) return;
  std::string text = seen.request.method + " " + seen.request.target + " HTTP/1.1\r\n";
  for (const auto& [name, value] : seen.request.headers) text.append(name).append(": ").append(value).append("\r\n");
  text.append("\r\n");
  if (text.size() > limits.header_bytes_max) return;
  text.append(seen.body);
  const Outcome outcome = run(limits, text, 0);
  check(outcome.requests.size() == 1 && !outcome.error, "a request that was written again is one request");
  const Seen& other = outcome.requests[0];
  check(other.request.method == seen.request.method && other.request.target == seen.request.target &&
            other.request.headers == seen.request.headers && other.body == seen.body,
        "a request that was written again is the same");
}

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon::fuzz;
  Input input(data, size);
  const std::uint32_t seed = input.byte() + 1U;
  const std::uint8_t kind = input.byte();
  ParserLimits limits;
  if ((kind & 1U) != 0) limits.header_bytes_max = 128;
  if ((kind & 2U) != 0) limits.header_count_max = 3;
  if ((kind & 4U) != 0) limits.body_bytes_max = 32;
  if ((kind & 8U) != 0) limits.target_bytes_max = 20;
  const std::string_view bytes = input.rest();
  const Outcome whole = run(limits, bytes, 0);
  check(run(limits, bytes, seed) == whole, "pieces make no difference");
  check(run(limits, bytes, 1) == whole, "nor do single bytes");
  for (const Seen& seen : whole.requests) check_written_again(limits, seen);
  return 0;
}
