// The configuration of a node, from its file, the environment and its flags.
#pragma once

#include <string>
#include <vector>

#include "app/commands.hpp"
#include "base/result.hpp"

namespace carillon::app {

// The errors are sentences, each with its place.
Result<Config, std::vector<std::string>> read_config(const ServeArguments& arguments);

}  // namespace carillon::app
