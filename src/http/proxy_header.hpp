// The PROXY protocol, versions 1 and 2: what a proxy says about a connection before the connection's own bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ip_address.hpp"
#include "base/result.hpp"

namespace carillon::http {

inline constexpr std::size_t proxy_header_bytes_max = 4096;  // TLVs included

struct ProxyHeader {
  // Who: an address; or somebody without one (a Unix socket, what the proxy does not know); or nobody but the proxy
  // itself, such as its health check.
  enum class Source : std::uint8_t { address, unknown, proxy };
  Source source = Source::unknown;
  IpAddress address = {};
  bool tls = false;      // the client spoke TLS with the proxy (version 2, TLV PP2_TYPE_SSL)
  std::size_t size = 0;  // bytes of the header: the connection's own follow
};

enum class ProxyHeaderError : std::uint8_t {
  missing,    // the bytes are something else
  malformed,  // begins as one, but does not go on so; or it is longer than proxy_header_bytes_max
};

// `bytes`: the beginning of a connection. Nothing inside the result: more bytes are needed.
Result<std::optional<ProxyHeader>, ProxyHeaderError> parse_proxy_header(std::string_view bytes);

}  // namespace carillon::http
