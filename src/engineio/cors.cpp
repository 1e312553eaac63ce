#include "engineio/cors.hpp"

#include <algorithm>

namespace carillon::engineio {
namespace {

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
  return text;
}

}  // namespace

void add_cors(const CorsSettings& settings, std::string_view origin, std::vector<http::Header>& headers) {
  const auto& allowed = settings.origins;
  if (allowed.empty()) return;
  if (allowed.front() == "*") {
    headers.emplace_back("Access-Control-Allow-Origin", "*");
  } else {
    headers.emplace_back("Vary", "Origin");
    if (std::find(allowed.begin(), allowed.end(), origin) != allowed.end())
      headers.emplace_back("Access-Control-Allow-Origin", origin);
  }
  if (settings.credentials) headers.emplace_back("Access-Control-Allow-Credentials", "true");
  if (!settings.exposed_headers.empty())
    headers.emplace_back("Access-Control-Expose-Headers", joined(settings.exposed_headers));
}

http::Response preflight(const CorsSettings& settings, const http::Request& request) {
  http::Response response{204, {}, ""};
  add_cors(settings, request.header("origin").value_or(""), response.headers);
  response.headers.emplace_back("Access-Control-Allow-Methods", joined(settings.methods));
  if (!settings.allowed_headers.empty()) {
    response.headers.emplace_back("Access-Control-Allow-Headers", joined(settings.allowed_headers));
  } else {
    response.headers.emplace_back("Vary", "Access-Control-Request-Headers");
    if (const auto wanted = request.header("access-control-request-headers"))
      response.headers.emplace_back("Access-Control-Allow-Headers", *wanted);
  }
  if (settings.max_age_s > 0)
    response.headers.emplace_back("Access-Control-Max-Age", std::to_string(settings.max_age_s));
  return response;
}

}  // namespace carillon::engineio
