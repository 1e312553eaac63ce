// Why a connection ended, or a request was refused, before there was a session: the other half of the taxonomy of
// engineio/close_reason.hpp. docs/close-reasons.md is for its readers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/counter.hpp"
#include "http/request_parser.hpp"

namespace carillon::runtime {

enum class Refusal : std::uint8_t {
  // Before the first request.
  too_many_connections,   // of the node
  too_many_from_address,  // connections of one address
  handshake_timeout,      // the proxy's header or the TLS handshake took too long
  left,                   // the client closed during these
  untrusted_proxy,        // a proxy's header is required, and its peer is none that is trusted
  bad_proxy_header,       // missing or malformed
  plain_http,             // HTTP on a port for TLS
  tls_refused,            // the handshake failed
  // Of requests.
  idle,               // none came
  header_timeout,     // its header took too long
  body_timeout,       // its body did
  malformed_request,  // it is no HTTP/1.1
  target_too_long,
  header_too_large,
  body_too_large,
  unsupported_encoding,  // a transfer encoding that is not chunked
  too_many_requests,     // by one connection, lately
  too_much_pipelined,    // behind a request that is being answered
  bad_websocket_request,
  overloaded,  // an answer that the client does not take was given up: the node held too much
  // Of handshakes.
  too_many_sessions,    // of one address
  too_many_handshakes,  // of one address, lately
};
inline constexpr std::size_t refusal_count = 22;

// The name in logs and metrics: "too_many_connections".
std::string_view to_string(Refusal refusal);

// The status of the answer. None: the connection is closed without one.
std::optional<int> http_status(Refusal refusal);

Refusal refusal_of(http::ParseError error);

using RefusalCounters = std::array<Counter, refusal_count>;  // by Refusal

}  // namespace carillon::runtime
