// A static file of the page, embedded into the program (cmake/EmbedFiles.cmake).
#pragma once

#include <string_view>

namespace carillon::admin {

// Refers to data with static lifetime.
struct PageFile {
  std::string_view path;  // "/page.css"; the index is "/"
  std::string_view content_type;
  std::string_view etag;  // with its quotes; changes with the content
  std::string_view content;
};

}  // namespace carillon::admin
