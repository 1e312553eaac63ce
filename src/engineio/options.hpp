// Settings of the Engine.IO layer; the names and defaults of the reference server where it has them.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <carillon/transport_options.hpp>

#include "base/rate_limit.hpp"
#include "base/time.hpp"
#include "engineio/cors.hpp"
#include "http/content_coding.hpp"
#include "http/static_files.hpp"
#include "websocket/deflate_agreement.hpp"

namespace carillon::engineio {

struct Options {
  std::string path = "/engine.io/";                    // begins and ends with '/'
  Milliseconds ping_interval{25'000};                  // from handshake or pong to the next ping
  Milliseconds ping_timeout{20'000};                   // from ping to pong
  Milliseconds upgrade_timeout{10'000};                // for an upgrade attempt to finish
  Milliseconds close_timeout{30'000};                  // for a closed polling session's last words to be fetched
  std::size_t max_payload_bytes = 1'000'000;           // of one message or POST body from a client
  std::size_t send_queue_bytes_max = 4 * 1024 * 1024;  // waiting for one client
  websocket::DeflateSettings per_message_deflate;      // its window_bytes_max is for one shard
  RateLimit packets{5'000, 50'000};                    // from one client; WebSocket control frames and fragments count
  bool allow_eio3 = false;                             // clients of version 3, too
  Milliseconds allow_request_timeout{10'000};          // for the application to allow a handshake
  http::CompressionSettings http_compression;          // of answers to polls
  CorsSettings cors;
  std::optional<CookieOptions> cookie;                    // with the session's id, set over polling
  std::shared_ptr<const http::StaticFiles> client_files;  // served below `path`; null: none
};

}  // namespace carillon::engineio
