#include "websocket/handshake.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/base64.hpp"
#include "http/response.hpp"
#include "http/text.hpp"

namespace carillon::websocket {
namespace {

constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t key_bytes = 16;
constexpr std::size_t key_characters = 24;

bool is_key(std::string_view key) {
  if (key.size() != key_characters || !key.ends_with("==")) return false;
  const auto bytes = from_base64(key);
  return bytes && bytes->size() == key_bytes;
}

// The first of the offered subprotocols, or none where there is no sensible one.
std::string_view first_protocol(const http::Request& request) {
  std::string_view offered;
  for (auto header = request.headers.begin(); header != request.headers.end() && offered.empty(); ++header)
    if (http::same_in_any_case(header->first, "sec-websocket-protocol")) offered = header->second;
  const std::string_view first = http::trim(offered.substr(0, offered.find(',')));
  return std::ranges::all_of(first, http::is_token_character) ? first : std::string_view();
}

// The headers of a response that answers with 101.
std::optional<std::vector<http::Header>> switching_headers(std::string_view head) {
  if (!head.starts_with("HTTP/1.1 101") || head.size() < 13 || (head[12] != ' ' && head[12] != '\r'))
    return std::nullopt;
  std::vector<http::Header> headers;
  std::size_t at = head.find("\r\n");
  while (at != std::string_view::npos) {
    at += 2;
    const std::size_t end = head.find("\r\n", at);
    const std::string_view line = head.substr(at, end == std::string_view::npos ? end : end - at);
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    headers.emplace_back(line.substr(0, colon), http::trim(line.substr(colon + 1)));
    at = end;
  }
  return headers;
}

}  // namespace

std::string accept_key(std::string_view key) {
  std::string text(key);
  text += guid;
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Result<std::string, HandshakeError> accept(const http::Request& request,
                                           const std::vector<http::Header>& extra_headers) {
  if (request.method != "GET") return Failure(HandshakeError::not_get);
  const auto key = request.header("sec-websocket-key");
  if (!key || !is_key(*key)) return Failure(HandshakeError::bad_key);
  if (request.header("sec-websocket-version") != "13") return Failure(HandshakeError::bad_version);
  std::string out =
      "HTTP/1.1 101 Switching Protocols\r\n"
      "Upgrade: websocket\r\n"
      "Connection: Upgrade\r\n"
      "Sec-WebSocket-Accept: ";
  out += accept_key(*key);
  out += "\r\n";
  if (const std::string_view protocol = first_protocol(request); !protocol.empty()) {
    out += "Sec-WebSocket-Protocol: ";
    out += protocol;
    out += "\r\n";
  }
  for (const auto& [name, value] : extra_headers) http::append_header(out, name, value);
  out += "\r\n";
  return out;
}

std::string client_request(std::string_view host, std::string_view target, std::string_view key,
                           std::string_view extra_headers) {
  std::string out = "GET ";
  out += target;
  out += " HTTP/1.1\r\nHost: ";
  out += host;
  out += "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ";
  out += key;
  out += "\r\n";
  out += extra_headers;
  out += "\r\n";
  return out;
}

bool is_accepted(std::string_view response_head, std::string_view key) {
  const auto headers = switching_headers(response_head);
  if (!headers) return false;
  const auto says = [&](std::string_view name, std::string_view token) {
    const auto value = http::find_header(*headers, name);
    return value && http::has_token(*value, token);
  };
  // An extension would change the frames, and Decoder knows none.
  return says("upgrade", "websocket") && says("connection", "upgrade") &&
         http::find_header(*headers, "sec-websocket-accept") == accept_key(key) &&
         !http::find_header(*headers, "sec-websocket-extensions");
}

}  // namespace carillon::websocket
