// A parsed HTTP/1.1 request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace carillon::http {

using Header = std::pair<std::string, std::string>;

// The value of the last header of that name (in any case), or none.
std::optional<std::string_view> find_header(const std::vector<Header>& headers, std::string_view name);

// Whether a comma-separated header value holds `token`, in any case ("keep-alive, Upgrade" holds "upgrade").
bool has_token(std::string_view list, std::string_view token);

struct Request {
  std::string method;  // as sent: "GET"
  std::string target;  // as sent: "/socket.io/?EIO=4"
  std::vector<Header> headers;
  bool keep_alive = true;
  // Filled in by the connection before the request is handed on.
  std::string address;  // of the peer: "127.0.0.1"
  bool secure = false;  // over TLS
  std::int64_t received_unix_ms = 0;

  std::string_view path() const;   // target up to '?'
  std::string_view query() const;  // target after '?', undecoded
  std::optional<std::string_view> header(std::string_view name) const { return find_header(headers, name); }
  // Parameter of the query, decoded; the last one where it is repeated, as Node.js has it.
  std::optional<std::string> parameter(std::string_view name) const;
  bool wants_websocket() const;  // Connection: Upgrade, Upgrade: websocket
};

// Parameter of a query string, decoded ('+' is a space, %XX a byte; a broken escape stays as it is).
std::optional<std::string> query_parameter(std::string_view query, std::string_view name);
// All of them, each once with its last value, in the order in which they come first.
std::vector<std::pair<std::string, std::string>> query_parameters(std::string_view query);
std::string percent_decode(std::string_view text, bool plus_is_space);

}  // namespace carillon::http
