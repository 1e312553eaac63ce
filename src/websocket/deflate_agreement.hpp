// permessage-deflate (RFC 7692): what client and server agree on in the handshake.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "websocket/extensions.hpp"

namespace carillon::websocket {

// What the server is willing to do.
struct DeflateSettings {
  bool enabled = false;
  std::size_t threshold_bytes = 1024;      // shorter messages are sent as they are
  int level = 6;                           // zlib's: 1 (fast) to 9 (small)
  int server_window_bits = 15;             // 9 to 15: the server's window is 2^bits bytes
  int client_window_bits = 15;             // 9 to 15: the most that a client may use
  bool client_no_context_takeover = true;  // clients start each message with an empty window, so none has to be kept
  // What the windows of all connections may take, in bytes, where clients keep theirs. Beyond it new connections are
  // told to do without.
  std::size_t window_bytes_max = 64 * 1024 * 1024;
};

// The server never takes its context over from one message to the next: so a compressed frame stands for itself and is
// shared by all receivers of a broadcast, and an idle connection needs no compressor.
struct DeflateAgreement {
  int server_window_bits = 15;
  int client_window_bits = 15;
  bool client_no_context_takeover = true;
  bool says_server_window = false;  // the answer names the window: where it is below 15, or was asked for
  bool says_client_window = false;

  // What has to be kept of a client's messages.
  std::size_t window_bytes() const { return client_no_context_takeover ? 0 : std::size_t{1} << client_window_bits; }
};

// The first of the offers that is valid and that `settings` allow. `window_allowed`: there is memory left for a client
// that takes its context over. Other extensions, unknown parameters and invalid values are declined, as the RFC asks.
std::optional<DeflateAgreement> agree_on_deflate(std::span<const ExtensionOffer> offers,
                                                 const DeflateSettings& settings, bool window_allowed);

// The value of the answer's Sec-WebSocket-Extensions.
std::string to_header(const DeflateAgreement& agreement);

}  // namespace carillon::websocket
