// Cross-Origin Resource Sharing, as the Fetch standard has it and the reference server's `cors` option does it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/request.hpp"
#include "http/response.hpp"

namespace carillon::engineio {

struct CorsSettings {
  std::vector<std::string> origins;  // empty: no CORS headers at all; "*" alone: any
  bool credentials = false;          // cookies and the like may be sent along
  std::vector<std::string> methods{"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"};
  std::vector<std::string> allowed_headers;  // of requests; empty: whatever the browser asks for
  std::vector<std::string> exposed_headers;  // of responses
  std::uint32_t max_age_s = 0;               // how long a browser may remember the preflight; 0: as long as it likes
};

// For a response to a request from `origin` (its Origin header; empty: none).
void add_cors(const CorsSettings& settings, std::string_view origin, std::vector<http::Header>& headers);

// The answer to an OPTIONS request.
http::Response preflight(const CorsSettings& settings, const http::Request& request);

}  // namespace carillon::engineio
