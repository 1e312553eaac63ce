// A connection on its way: from a listener to a shard, or from one shard to another.
#pragma once

#include <string>

#include "base/rate_limit.hpp"
#include "http/forwarded.hpp"
#include "io/stream.hpp"
#include "runtime/client_ledger.hpp"

namespace carillon::runtime {

// What comes before the first request, in this order. Owned by the listener's shard, or empty.
struct Entrance {
  bool proxy_protocol = false;              // a proxy's header
  const io::TlsCredentials* tls = nullptr;  // a TLS handshake; outlives the shards
};

struct Handover {
  io::Stream stream;
  http::Origin origin;
  Entrance entrance = {};   // still to come
  std::string unread = {};  // plaintext that another shard has read already
  std::string unsent = {};  // plaintext that it could not write
  ClientLedger::Pass pass = {};
  TokenBucket requests = {};  // that it may send
};

}  // namespace carillon::runtime
