// The opening handshake, RFC 6455 section 4.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/request.hpp"

namespace carillon::websocket {

enum class HandshakeError {
  not_get,         // 400
  bad_key,         // 400: Sec-WebSocket-Key is missing or not 16 bytes in base64
  bad_version,     // 426 with Sec-WebSocket-Version: 13
  bad_extensions,  // 400: Sec-WebSocket-Extensions is against its grammar, where one of them could be accepted
};

// Sec-WebSocket-Accept for Sec-WebSocket-Key.
std::string accept_key(std::string_view key);

// The bytes of the 101 answer to `request`. Of offered subprotocols the first is echoed, as the reference server does.
// An extension that was agreed on is one of the `extra_headers`.
Result<std::string, HandshakeError> accept(const http::Request& request,
                                           const std::vector<http::Header>& extra_headers = {});

// The client's side: a request for `target` at `host`, and whether `response_head` accepts it.
std::string client_request(std::string_view host, std::string_view target, std::string_view key,
                           std::string_view extra_headers = {});
bool is_accepted(std::string_view response_head, std::string_view key);

}  // namespace carillon::websocket
