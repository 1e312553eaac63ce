// permessage-deflate on one shard: what its WebSocket connections share.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "http/request.hpp"
#include "runtime/stats.hpp"
#include "websocket/deflate_agreement.hpp"
#include "websocket/deflater.hpp"
#include "websocket/inflater.hpp"
#include "websocket/message_inflater.hpp"

namespace carillon::runtime {

// Owned by one shard. Connections hold no zlib state: there is one for each direction here, made on first use.
class Deflation {
 public:
  Deflation(const websocket::DeflateSettings& settings, Stats& stats);

  // What the client offers and the settings allow; none: messages are not compressed. An error where the header is
  // against its grammar: RFC 6455 wants the connection to fail.
  struct Malformed {};
  Result<std::optional<websocket::DeflateAgreement>, Malformed> agree(const http::Request& request) const;

  // A connection that has agreed begins and ends. `window_bytes`: of the agreement.
  std::unique_ptr<websocket::MessageInflater> open(std::size_t window_bytes);
  void close(std::size_t window_bytes);

  websocket::Deflater& deflater() { return deflater_; }
  std::size_t threshold_bytes() const { return settings_.threshold_bytes; }

 private:
  const websocket::DeflateSettings& settings_;
  Stats& stats_;
  websocket::Deflater deflater_;
  websocket::Inflater inflater_;
};

}  // namespace carillon::runtime
