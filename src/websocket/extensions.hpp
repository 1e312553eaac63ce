// The Sec-WebSocket-Extensions header.
//
//   extensions = extension *( "," extension )
//   extension  = token *( ";" parameter )
//   parameter  = token [ "=" ( token / quoted-string ) ]   ; unquoted, a quoted-string must be a token
//
// White space may stand around "," and ";". Source: RFC 6455 section 9.1.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace carillon::websocket {

struct ExtensionParameter {
  std::string_view name;
  std::optional<std::string> value;
};

// One extension as a client offers it. Names are borrowed from the header.
struct ExtensionOffer {
  std::string_view name;
  std::vector<ExtensionParameter> parameters;
};

// In the order of the header; none if it is malformed.
std::optional<std::vector<ExtensionOffer>> parse_extensions(std::string_view header);

}  // namespace carillon::websocket
