// Where Redis is and how to log in.
//
//   url  = "redis://" [ [ user ] [ ":" password ] "@" ] host [ ":" port ] [ "/" [ db ] ]
//   host = name / IPv4 / "[" IPv6 "]"       ; user, password and host may be percent-encoded
//
// Source: the "redis" scheme as registered with IANA, and redis-cli -u.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace carillon::redis {

struct Url {
  std::string host = "127.0.0.1";  // a name or an address, without brackets
  std::uint16_t port = 6379;
  std::string user;      // empty: the default user
  std::string password;  // empty: no login
  unsigned database = 0;
};

// The error is a sentence for the user: what was found, what was expected. It never holds the password.
Result<Url, std::string> parse_url(std::string_view text);

// "host:port", for messages; an IPv6 address in brackets.
std::string endpoint(const Url& url);

}  // namespace carillon::redis
