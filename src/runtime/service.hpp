// What a listener serves: who answers, within which limits.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "base/rate_limit.hpp"
#include "base/time.hpp"
#include "engineio/engine.hpp"
#include "http/exchange.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"

namespace carillon::runtime {

struct ServiceLimits {
  http::ParserLimits parser;
  RateLimit requests;                          // on one connection
  Milliseconds handshake_timeout{10'000};      // from the connection to the end of its proxy's header and TLS handshake
  Milliseconds head_timeout{15'000};           // from the first byte of a request to the end of its head
  Milliseconds body_timeout{30'000};           // for the body
  Milliseconds idle_timeout{75'000};           // keep-alive without a request
  Milliseconds close_timeout{3'000};           // for the peer to close after us
  std::size_t write_early_bytes = 256 * 1024;  // queued for one client in one turn: written before its end
};

// Owned by one shard; outlives the connections that use it.
struct Service {
  http::Handler* handler = nullptr;
  engineio::Engine* engine = nullptr;  // takes WebSocket messages; null: HTTP only
  ServiceLimits limits;
  // How this listener words an error of the HTTP layer: a parser's (400, 413, 431, 501) or a stalled request (408).
  std::function<http::Response(int status)> error_response;
  bool moves = false;  // requests may belong to another shard (they carry a session id)
};

}  // namespace carillon::runtime
