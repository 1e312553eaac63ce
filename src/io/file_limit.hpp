// How many files, and so connections, the process may have open.
#pragma once

#include <cstdint>

namespace carillon::io {

// Raises the soft limit (RLIMIT_NOFILE) to the hard one, and gives what holds then.
std::uint64_t raise_file_limit();

}  // namespace carillon::io
