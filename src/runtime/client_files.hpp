// Socket.IO's scripts for browsers, served below the server's path.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "admin/page_file.hpp"
#include "http/static_files.hpp"

namespace carillon::runtime {

// The files that the reference server offers (socket.io.js, the minified ones, and their source maps): from `folder`,
// otherwise from those that the program carries. `folder` is the folder `dist` of the npm package socket.io-client;
// empty: none. Throws std::invalid_argument for a folder that cannot be read.
std::shared_ptr<const http::StaticFiles> load_client_files(const std::string& folder,
                                                           std::span<const admin::PageFile> carried);

}  // namespace carillon::runtime
