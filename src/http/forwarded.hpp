// Which proxies are believed, and what they say about the client in X-Forwarded-For and X-Forwarded-Proto.
//
// The header "Forwarded" (RFC 7239) is not read: a proxy that writes one of the two passes on the other as the client
// sent it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/ip_address.hpp"
#include "base/result.hpp"
#include "http/request.hpp"

namespace carillon::http {

// Immutable, shared.
class TrustedProxies {
 public:
  // Networks such as "10.0.0.0/8", addresses, and "unix" for whoever connects to a Unix socket. The error is the text
  // that is none of these.
  static Result<TrustedProxies, std::string> parse(std::span<const std::string> texts);

  bool empty() const { return networks_.empty() && !unix_; }
  // No address: the peer of a Unix socket.
  bool trusts(const IpAddress& peer) const;

 private:
  std::vector<IpNetwork> networks_;
  bool unix_ = false;
};

// Where a request comes from.
struct Origin {
  IpAddress address;     // none: unknown, or by a Unix socket
  bool secure = false;   // by TLS
  bool trusted = false;  // a proxy whose word counts
};

// A trusted origin's headers name those behind it, the nearest last; each is believed as long as the one before it is a
// trusted proxy, too. So what a client makes up stays on the left, unread.
Origin origin_behind(const TrustedProxies& proxies, Origin nearest, std::span<const Header> headers);

}  // namespace carillon::http
