// What a node of a Redis Cluster answers to what is not its own.
//
//   "MOVED" SP slot SP address        the slot belongs to that node now
//   "ASK" SP slot SP address          this key may be there already: ask there, with ASKING before
//   "TRYAGAIN" ... / "CLUSTERDOWN" ...   later
//   "CROSSSLOT" ...                   keys of several slots in one command
//   address = [ host / "?" ] ":" port    no host, or one that is not known: that of the node that answered
//
// Source: the Redis Cluster specification, "MOVED Redirection" and "ASK redirection"; an IPv6 address has no brackets.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "redis/url.hpp"

namespace carillon::redis {

struct Redirection {
  enum class Kind : std::uint8_t { moved, ask, later, never };
  Kind kind = Kind::later;
  std::uint16_t slot = 0;  // moved, ask
  Address address{};       // moved, ask
};

// Of an error of the kind ErrorReply::cluster; `asked` is who answered. None: it makes no sense.
std::optional<Redirection> parse_redirection(std::string_view error, const Address& asked);

}  // namespace carillon::redis
