// The configuration from all its sources: flag, environment, file, default, in this order of precedence.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/assignment.hpp"
#include "app/config.hpp"

namespace carillon::app {

struct ConfigSources {
  std::optional<std::string> file;
  std::span<const std::string_view> environment;  // "NAME=VALUE"
  std::span<const Assignment> flags;              // later ones win
};

// The error is every sentence that there is to say, in order; never empty.
Result<Config, std::vector<std::string>> load_config(const ConfigSources& sources);

// What is wrong with settings that are fine each, but not together: addresses that would be open to everybody, listeners
// that lack what they need.
std::vector<std::string> check_together(const Config& config);

}  // namespace carillon::app
