#include "app/config_load.hpp"

#include <fmt/format.h>

#include "app/address.hpp"
#include "io/endpoint.hpp"

namespace carillon::app {
namespace {

void append(std::vector<std::string>& all, std::vector<std::string> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

void check_listeners(const Config& config, std::vector<std::string>& errors) {
  std::vector<std::string> all = config.clients.listen;
  all.push_back(config.api.listen);
  bool tls = false;
  for (const std::string& listen : all) {
    const auto endpoint = io::parse_endpoint(listen);
    if (!endpoint) continue;
    tls |= endpoint->tls;
    if (endpoint->tls && (config.tls.certificate_file.empty() || config.tls.key_file.empty())) {
      errors.push_back(fmt::format("{}: TLS needs a certificate: set tls.certificate_file and tls.key_file", listen));
    }
    if (endpoint->proxy_protocol && config.clients.trusted_proxies.empty()) {
      errors.push_back(
          fmt::format("{}: the PROXY protocol needs proxies that are believed: set clients.trusted_proxies", listen));
    }
  }
  if (!tls && !(config.tls.certificate_file.empty() && config.tls.key_file.empty())) {
    errors.emplace_back("tls.certificate_file: no listener has TLS: let one begin with https://");
  }
}

}  // namespace

Result<Config, std::vector<std::string>> load_config(const ConfigSources& sources) {
  Config config;
  std::vector<std::string> errors;
  if (sources.file) {
    const auto assignments = assignments_from_file(*sources.file);
    if (!assignments) return Failure(std::vector{assignments.error()});
    append(errors, assign_all(config, *assignments));
  }
  append(errors, assign_all(config, assignments_from_environment(sources.environment)));
  append(errors, assign_all(config, sources.flags));
  if (errors.empty()) append(errors, check_together(config));
  if (!errors.empty()) return Failure(std::move(errors));
  return config;
}

std::vector<std::string> check_together(const Config& config) {
  std::vector<std::string> errors;
  check_listeners(config, errors);
  if (config.api.keys.empty() && !is_loopback(config.api.listen)) {
    errors.push_back(
        fmt::format("api.listen: without a key the API listens on loopback only, and {} is not: set api.keys, "
                    "or listen on 127.0.0.1",
                    config.api.listen));
  }
  if (config.auth.mode != "none" || config.auth.insecure) return errors;
  for (const auto& address : config.clients.listen) {
    if (is_loopback(address)) continue;
    errors.push_back(
        fmt::format("clients.listen: with auth.mode \"none\" clients are believed who they say they are, and "
                    "others than this machine can reach {}: listen on 127.0.0.1, or allow it with --insecure",
                    address));
  }
  return errors;
}

}  // namespace carillon::app
