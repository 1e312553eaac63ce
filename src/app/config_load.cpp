#include "app/config_load.hpp"

#include <fmt/format.h>

#include "app/address.hpp"

namespace carillon::app {
namespace {

void append(std::vector<std::string>& all, std::vector<std::string> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
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
