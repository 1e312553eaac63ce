// Who can reach an address.
#pragma once

#include <string_view>

namespace carillon::app {

// Whether `text` is HOST:PORT of which only programs of this machine can make use: 127.0.0.0/8, ::1, localhost.
bool is_loopback(std::string_view text);

}  // namespace carillon::app
