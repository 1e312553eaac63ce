// Files that are embedded into the program. Defined by generated sources (cmake/EmbedFiles.cmake).
#pragma once

#include <span>

#include "admin/page_file.hpp"

namespace carillon::app {

std::span<const admin::PageFile> page_files();
// Socket.IO's scripts for browsers, with their source maps.
std::span<const admin::PageFile> client_files();

}  // namespace carillon::app
