// The two sides of HTTP inside Carillon: who answers requests, and through what.
#pragma once

#include <string_view>

#include "http/request.hpp"
#include "http/response.hpp"

namespace carillon::http {

// A connection with one request pending. Implemented by runtime/ and by tests. Owned by one shard.
class Exchange {
 public:
  virtual ~Exchange() = default;
  // Answers the pending request: exactly once per request, now or later, on the same shard.
  virtual void respond(Response response) = 0;
};

// Answers requests. `exchange` stays valid until it has been answered or on_closed() was called.
class Handler {
 public:
  virtual ~Handler() = default;
  // The head has arrived. True: the body is wanted, on_body() follows when it is complete. False: answered, or will be;
  // a body is thrown away.
  virtual bool on_request(Exchange& exchange, const Request& request) = 0;
  // The whole body, of at most the listener's limit; valid during the call.
  virtual void on_body(Exchange& exchange, std::string_view body) = 0;
  // The connection ended while the request was unanswered.
  virtual void on_closed(Exchange& exchange) = 0;
  // The body was over the listener's limit, and the connection has answered 413 itself: the request is to be forgotten.
  virtual void on_body_refused(Exchange& exchange) { on_closed(exchange); }
};

}  // namespace carillon::http
