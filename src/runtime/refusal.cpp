#include "runtime/refusal.hpp"

namespace carillon::runtime {

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::too_many_connections:
      return "too_many_connections";
    case Refusal::too_many_from_address:
      return "too_many_from_address";
    case Refusal::handshake_timeout:
      return "handshake_timeout";
    case Refusal::left:
      return "left";
    case Refusal::untrusted_proxy:
      return "untrusted_proxy";
    case Refusal::bad_proxy_header:
      return "bad_proxy_header";
    case Refusal::plain_http:
      return "plain_http";
    case Refusal::tls_refused:
      return "tls_refused";
    case Refusal::idle:
      return "idle";
    case Refusal::header_timeout:
      return "header_timeout";
    case Refusal::body_timeout:
      return "body_timeout";
    case Refusal::malformed_request:
      return "malformed_request";
    case Refusal::target_too_long:
      return "target_too_long";
    case Refusal::header_too_large:
      return "header_too_large";
    case Refusal::body_too_large:
      return "body_too_large";
    case Refusal::unsupported_encoding:
      return "unsupported_encoding";
    case Refusal::too_many_requests:
      return "too_many_requests";
    case Refusal::too_much_pipelined:
      return "too_much_pipelined";
    case Refusal::bad_websocket_request:
      return "bad_websocket_request";
    case Refusal::overloaded:
      return "overloaded";
    case Refusal::too_many_sessions:
      return "too_many_sessions";
    case Refusal::too_many_handshakes:
      return "too_many_handshakes";
  }
  return "unknown";
}

std::optional<int> http_status(Refusal refusal) {
  switch (refusal) {
    case Refusal::too_many_connections:
    case Refusal::too_many_from_address:
    case Refusal::handshake_timeout:
    case Refusal::left:
    case Refusal::untrusted_proxy:
    case Refusal::bad_proxy_header:
    case Refusal::tls_refused:
    case Refusal::idle:
    case Refusal::too_much_pipelined:
    case Refusal::overloaded:
      return std::nullopt;
    case Refusal::plain_http:
    case Refusal::malformed_request:
    case Refusal::bad_websocket_request:  // 426 for another version of the protocol
      return 400;
    case Refusal::header_timeout:
    case Refusal::body_timeout:
      return 408;
    case Refusal::body_too_large:
      return 413;
    case Refusal::target_too_long:
      return 414;
    case Refusal::header_too_large:
      return 431;
    case Refusal::too_many_requests:
    case Refusal::too_many_sessions:
    case Refusal::too_many_handshakes:
      return 429;
    case Refusal::unsupported_encoding:
      return 501;
  }
  return 400;
}

Refusal refusal_of(http::ParseError error) {
  switch (error) {
    case http::ParseError::malformed:
      return Refusal::malformed_request;
    case http::ParseError::target_too_long:
      return Refusal::target_too_long;
    case http::ParseError::header_too_large:
      return Refusal::header_too_large;
    case http::ParseError::body_too_large:
      return Refusal::body_too_large;
    case http::ParseError::unsupported:
      return Refusal::unsupported_encoding;
  }
  return Refusal::malformed_request;
}

}  // namespace carillon::runtime
