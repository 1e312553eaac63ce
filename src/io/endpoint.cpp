#include "io/endpoint.hpp"

#include <algorithm>
#include <charconv>

namespace carillon::io {
namespace {

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<mode_t> parse_mode(std::string_view text) {
  mode_t mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (text.size() < 3 || text.size() > 4 || error != std::errc() || end != text.data() + text.size() || mode > 0777)
    return std::nullopt;
  return mode;
}

bool set_option(Endpoint& endpoint, std::string_view option) {
  if (take_prefix(option, "proxy_protocol=")) {
    endpoint.proxy_protocol = option == "true";
    return option == "true" || option == "false";
  }
  if (!endpoint.is_unix() || !take_prefix(option, "mode=")) return false;
  endpoint.mode = parse_mode(option);
  return endpoint.mode.has_value();
}

}  // namespace

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  Endpoint endpoint;
  const std::size_t question = std::min(text.find('?'), text.size());
  std::string_view where = text.substr(0, question);
  std::string_view options = text.substr(question);
  if (take_prefix(where, "unix:")) {
    if (where.empty() || where.size() > unix_path_bytes_max || where.contains('\0')) return std::nullopt;
    endpoint.path = where;
  } else {
    endpoint.tls = take_prefix(where, "https://");
    if (!endpoint.tls) take_prefix(where, "http://");
    const auto tcp = parse_host_port(where);
    if (!tcp || tcp->host.contains('/')) return std::nullopt;
    endpoint.tcp = *tcp;
  }
  while (!options.empty()) {
    options.remove_prefix(1);
    const std::size_t end = std::min(options.find('&'), options.size());
    if (!set_option(endpoint, options.substr(0, end))) return std::nullopt;
    options.remove_prefix(end);
  }
  return endpoint;
}

}  // namespace carillon::io
