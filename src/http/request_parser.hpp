// Bytes to requests: Boost.Beast's parser, fed by hand.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/request.hpp"

namespace carillon::http {

struct ParserLimits {
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t header_count_max = 100;
  std::size_t target_bytes_max = 8 * 1024;
  std::size_t body_bytes_max = 1'000'000;
};

enum class ParseError {
  malformed,         // 400
  target_too_long,   // 414
  header_too_large,  // 431
  body_too_large,    // 413: more than body_bytes_max, by content-length or by what came
  unsupported,       // 501: a transfer encoding that is not chunked
};
int status_of(ParseError error);

// One request after the other from one connection (keep-alive, pipelining). Owned by one shard.
// Beast allocates per request only; between requests the parser holds next to nothing.
class RequestParser {
 public:
  explicit RequestParser(ParserLimits limits);
  ~RequestParser();

  // Takes bytes up to the end of the head or of the request, whichever comes first, and says how many were used.
  // Call again with the rest while it makes progress; what it says to have used need not be kept. Nothing is used while
  // complete(). After an error the connection is to be answered and closed; head_complete() says whether request() can
  // be read for that, as it can where content-length is over the limit.
  Result<std::size_t, ParseError> feed(std::string_view bytes);

  bool head_complete() const;     // request() may be read
  bool complete() const;          // body() may be read; call next() before feeding further
  bool started() const;           // some byte of the request has come in
  bool expects_continue() const;  // "Expect: 100-continue", head complete, body still to come
  const Request& request() const;
  std::string_view body() const;
  void next();  // forget this request

 private:
  struct State;
  ParserLimits limits_;
  std::unique_ptr<State> state_;
};

}  // namespace carillon::http
