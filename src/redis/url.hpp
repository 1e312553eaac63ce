// Where Redis is and how to log in.
//
//   url      = single / unix / sentinel / cluster
//   single   = ( "redis" / "rediss" ) "://" [ login "@" ] address [ "/" [ db ] ] [ "?" options ]
//   unix     = "redis+unix://" [ login "@" ] path [ "?" options ]
//   sentinel = ( "redis+sentinel" / "rediss+sentinel" ) "://" [ login "@" ] addresses "/" master [ "/" [ db ] ]
//              [ "?" options ]
//   cluster  = ( "redis+cluster" / "rediss+cluster" ) "://" [ login "@" ] addresses [ "/" ] [ "?" options ]
//   login     = [ user ] [ ":" password ]
//   addresses = address *( "," address )
//   address   = ( name / IPv4 / "[" IPv6 "]" ) [ ":" port ]
//   options   = option *( "&" option )       option = name "=" value
//
// User, password, host, path, master and values may be percent-encoded. Options: with "redis+unix" `db`; with "rediss..."
// (TLS) `ca_file`, `cert_file`, `key_file`, `server_name`, `verify` (true or false); with "...sentinel" `sentinel_user`,
// `sentinel_password`.
//
// Source: the "redis" and "rediss" schemes as registered with IANA, and redis-cli -u; the rest is our own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace carillon::redis {

struct Address {
  std::string host = "127.0.0.1";  // a name or an address, without brackets
  std::uint16_t port = 6379;
  std::string path = {};  // of a Unix socket; if not empty there is neither host nor port

  bool operator==(const Address&) const = default;
};

struct UrlTls {
  std::string ca_file = {};      // PEM: who signs servers' certificates; empty: those that the system trusts
  std::string cert_file = {};    // PEM: the client's certificate; empty: none
  std::string key_file = {};     // PEM: its key
  std::string server_name = {};  // that the certificate must have; empty: the host that is connected to
  bool verify = true;            // false: any certificate will do
};

struct Url {
  enum class Kind : std::uint8_t {
    single,
    sentinel,  // addresses are those of sentinels
    cluster,   // addresses are those of some nodes
  };
  Kind kind = Kind::single;
  std::vector<Address> addresses{Address{}};  // at least one
  std::string master_name = {};               // sentinel: what they call the master
  std::string user = {};                      // empty: the default user
  std::string password = {};                  // empty: no login
  std::string sentinel_user = {};
  std::string sentinel_password = {};
  unsigned database = 0;
  std::optional<UrlTls> tls = {};  // none: plain TCP. For sentinels, too.
};

// The error is a sentence for the user: what was found, what was expected. It never holds the password.
Result<Url, std::string> parse_url(std::string_view text);

// For messages: "host:port" (an IPv6 address in brackets), a list of those, the path of a Unix socket.
std::string endpoint(const Url& url);
std::string endpoint(const Address& address);

}  // namespace carillon::redis
