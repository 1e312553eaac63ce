// The cookie that holds a session's id, for load balancers that keep a client's requests on one server.
//
//   set-cookie = name "=" value *( "; " attribute )      ; RFC 6265 section 4.1.1
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <carillon/transport_options.hpp>

namespace carillon::engineio {

// What is wrong with the options, as a sentence, or nothing.
std::optional<std::string> check_cookie(const CookieOptions& options);

// The value of Set-Cookie. `sid` holds nothing that would have to be escaped.
std::string set_cookie(const CookieOptions& options, std::string_view sid);

}  // namespace carillon::engineio
