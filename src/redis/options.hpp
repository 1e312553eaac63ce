// What can be configured about the connections to Redis.
#pragma once

#include <cstddef>
#include <string>

#include "base/time.hpp"
#include "redis/url.hpp"

namespace carillon::redis {

struct ClientOptions {
  Url url;
  std::string name = "carillon";  // CLIENT SETNAME: what CLIENT LIST shows; blanks become "_"

  // False: publish only. No subscriber connection and no canary; ready once Redis has answered the handshake.
  bool subscribes = true;

  Milliseconds connect_timeout_ms{5'000};
  // Each connection is probed after this much silence, and given up when an answer is overdue by ping_timeout_ms.
  Milliseconds ping_interval_ms{5'000};
  Milliseconds ping_timeout_ms{5'000};
  // The canary gets ping_timeout_ms of silence, and this much in all: what others publish may come before it.
  Milliseconds canary_timeout_ms{60'000};
  // Full jitter: the wait before attempt N is uniform in [0, min(backoff_max_ms, backoff_min_ms * 2^N)].
  Milliseconds backoff_min_ms{100};
  Milliseconds backoff_max_ms{5'000};

  // Channels in one SUBSCRIBE command; more are sent when these have been confirmed.
  std::size_t subscribe_batch_max = 1'000;

  // Messages waiting for Redis: beyond this many bytes the newest is dropped, beyond this age the oldest.
  std::size_t queue_bytes_max = 16 * 1024 * 1024;
  Milliseconds queue_age_max_ms{30'000};

  // A longer reply or message breaks the connection (it is not kept in memory).
  std::size_t reply_bytes_max = 64 * 1024 * 1024;

  // The canary's channel is this and random characters. An ACL that limits channels must allow it.
  std::string canary_prefix = "socket.io-canary#";
};

}  // namespace carillon::redis
