// Options of the transports: what is compressed, and what is said in headers. Plain values; names and defaults follow
// the Socket.IO documentation where it has the option.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <carillon/handshake.hpp>

namespace carillon {

// WebSocket messages, permessage-deflate (RFC 7692). The server starts each message with an empty window
// (server_no_context_takeover), so a broadcast is compressed once for all its receivers and an idle connection holds no
// zlib state. What a client may send is limited after decompression, too: max_payload_bytes.
struct PerMessageDeflateOptions {
  bool enabled = false;
  std::size_t threshold_bytes = 1024;  // shorter messages are sent as they are
  int level = 6;                       // zlib's: 1 (fast) to 9 (small)
  // Windows are 2^bits bytes, 9 to 15. A client that can only take a smaller one than the server's goes uncompressed, and
  // so does a client that does not offer to limit its own where that is below 15.
  int server_max_window_bits = 15;
  int client_max_window_bits = 15;
  // Clients, too, start each message with an empty window. If not, the server keeps a window for each client, in
  // `window_bytes_max` bytes for the whole node; beyond that further clients are told to do without.
  bool client_no_context_takeover = true;
  std::size_t window_bytes_max = 64 * 1024 * 1024;
};

// Answers to long-polling, with gzip or deflate, whichever the client prefers.
struct HttpCompressionOptions {
  bool enabled = true;
  std::size_t threshold_bytes = 1024;
  int level = 6;
};

// The cookie with the session's id, set by the answer to a long-polling handshake: for load balancers that keep a
// client's requests on one server. Carillon itself does not read it.
struct CookieOptions {
  enum class SameSite : std::uint8_t { unsaid, lax, strict, none };
  std::string name = "io";
  std::string path = "/";                   // empty: unsaid
  std::string domain = {};                  // empty: unsaid
  std::optional<std::int64_t> max_age_s{};  // none: until the browser closes
  bool http_only = true;
  bool secure = false;
  SameSite same_site = SameSite::lax;
};

using Headers = std::vector<std::pair<std::string, std::string>>;
// Adds to the headers of an answer to a client; `request` is the handshake of its session. Called on the session's shard.
using HeadersHook = std::function<void(Headers& headers, const HandshakeRequest& request)>;

}  // namespace carillon
