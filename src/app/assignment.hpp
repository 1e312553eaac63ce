// What a user has said about settings, and where: the file, the environment and the flags all become assignments.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/setting.hpp"
#include "base/result.hpp"

namespace carillon::app {

struct Assignment {
  std::string key;
  SettingValue value;
  std::string where;  // "carillon.toml:7", "CARILLON_LOG_LEVEL", "--set log.level": opens messages
};

// All that a TOML text assigns, in the order of its lines. The error is a sentence: `name` is not TOML, and why.
Result<std::vector<Assignment>, std::string> assignments_from_toml(std::string_view text, std::string_view name);

// As `assignments_from_toml`, from a file.
Result<std::vector<Assignment>, std::string> assignments_from_file(const std::string& path);

// The settings among the variables "NAME=VALUE". An empty variable counts as unset. Lists are comma-separated or TOML.
std::vector<Assignment> assignments_from_environment(std::span<const std::string_view> variables);

// "SECTION.KEY=VALUE" with a TOML value.
Result<Assignment, std::string> assignment_from_set(std::string_view text);

// A setting's own flag, as often as it was given.
Assignment assignment_from_flag(const Setting& setting, const std::vector<std::string>& texts);

// Applies them in order. The errors are sentences: where, which key, what was expected.
std::vector<std::string> assign_all(Config& config, std::span<const Assignment> assignments);

}  // namespace carillon::app
