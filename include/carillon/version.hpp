// The version of the library that a program is linked with. Any thread.
#pragma once

#include <string_view>

namespace carillon {

// "0.1.0", as in `carillon version` and in CHANGELOG.md.
std::string_view version();

}  // namespace carillon
