// Who can reach an address.
#pragma once

#include <string_view>

namespace carillon::app {

// Whether only programs of this machine can make use of the endpoint (io/endpoint.hpp): 127.0.0.0/8, ::1, localhost, a
// Unix socket.
bool is_loopback(std::string_view text);

}  // namespace carillon::app
