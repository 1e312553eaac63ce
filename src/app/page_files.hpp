// The page's files, embedded into the program. Defined by a generated source (cmake/EmbedFiles.cmake).
#pragma once

#include <span>

#include "admin/page_file.hpp"

namespace carillon::app {

std::span<const admin::PageFile> page_files();

}  // namespace carillon::app
