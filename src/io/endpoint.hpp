// Where a listener is and how its connections begin, as users write it.
//
//   endpoint = [ "http://" / "https://" ] HOST ":" PORT [ options ]
//            / "unix:" PATH [ options ]
//   options  = "?" option *( "&" option )
//   option   = "proxy_protocol=" ( "true" / "false" )
//            / "mode=" 3*4octal                          ; of a Unix socket's file
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "io/address.hpp"

namespace carillon::io {

struct Endpoint {
  std::string path = {};  // of a Unix socket; empty: it is a TCP port
  HostPort tcp = {};
  bool tls = false;
  bool proxy_protocol = false;  // every connection must begin with a proxy's header
  std::optional<mode_t> mode = {};

  bool is_unix() const { return !path.empty(); }
};

std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace carillon::io
