#include <carillon/handshake.hpp>

#include "http/request.hpp"

namespace carillon {

std::optional<std::string> Handshake::auth(std::string_view key) const {
  const Value* value = auth_.find(key);
  if (value == nullptr) return std::nullopt;
  if (const std::string* text = value->as_string()) return *text;
  if (value->is_number() || value->as_bool() != nullptr) return to_json(*value);
  return std::nullopt;
}

std::optional<std::string> HandshakeRequest::query(std::string_view key) const {
  const std::size_t mark = url.find('?');
  if (mark == std::string::npos) return std::nullopt;
  return http::query_parameter(std::string_view(url).substr(mark + 1), key);
}

std::vector<std::pair<std::string, std::string>> HandshakeRequest::query() const {
  const std::size_t mark = url.find('?');
  if (mark == std::string::npos) return {};
  return http::query_parameters(std::string_view(url).substr(mark + 1));
}

std::optional<std::string> HandshakeRequest::header(std::string_view name) const {
  const auto value = http::find_header(headers, name);
  if (!value) return std::nullopt;
  return std::string(*value);
}

}  // namespace carillon
