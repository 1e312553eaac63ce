#include "app/serve_config.hpp"

#include <unistd.h>

#include <string_view>
#include <utility>

#include "app/config_load.hpp"

namespace carillon::app {

// The flags' own words come last: a flag of its own says more plainly what is meant than --set.
Result<Config, std::vector<std::string>> read_config(const ServeArguments& arguments) {
  std::vector<Assignment> flags;
  for (const auto& text : arguments.sets) {
    auto assignment = assignment_from_set(text);
    if (!assignment) return Failure(std::vector{assignment.error()});
    flags.push_back(std::move(*assignment));
  }
  flags.insert(flags.end(), arguments.flags.begin(), arguments.flags.end());
  std::vector<std::string_view> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) environment.emplace_back(*variable);
  return load_config({.file = arguments.config_file, .environment = environment, .flags = flags});
}

}  // namespace carillon::app
