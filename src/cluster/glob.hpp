// Redis' patterns (PSUBSCRIBE): a glob with * ? [...] and a backslash that takes these their meaning.
#pragma once

#include <string>
#include <string_view>

namespace carillon::cluster {

// A pattern that matches this text and nothing else.
std::string escape_glob(std::string_view text);

}  // namespace carillon::cluster
