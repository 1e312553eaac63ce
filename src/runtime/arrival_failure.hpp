// Why a connection did not come as far as its first request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace carillon::runtime {

enum class ArrivalFailure : std::uint8_t {
  timeout,           // the proxy's header or the TLS handshake took too long
  left,              // the client closed
  untrusted_proxy,   // a proxy's header is required, and its peer is none that is trusted
  bad_proxy_header,  // missing or malformed
  plain_http,        // HTTP on a port for TLS: answered with 400
  tls_refused,       // the handshake failed
};
inline constexpr std::size_t arrival_failure_count = 6;

constexpr std::string_view to_string(ArrivalFailure failure) {
  switch (failure) {
    case ArrivalFailure::timeout:
      return "timeout";
    case ArrivalFailure::left:
      return "left";
    case ArrivalFailure::untrusted_proxy:
      return "untrusted_proxy";
    case ArrivalFailure::bad_proxy_header:
      return "bad_proxy_header";
    case ArrivalFailure::plain_http:
      return "plain_http";
    case ArrivalFailure::tls_refused:
      return "tls_refused";
  }
  return "";
}

}  // namespace carillon::runtime
