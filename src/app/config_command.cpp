#include <cstdio>

#include "app/commands.hpp"
#include "app/config_load.hpp"
#include "app/config_text.hpp"

namespace carillon::app {
namespace {

int print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

int check_config(const std::string& file) {
  const auto config = load_config({.file = file, .environment = {}, .flags = {}});
  if (config) return print(file + ": every setting is fine\n");
  for (const auto& sentence : config.error()) std::fprintf(stderr, "%s\n", sentence.c_str());
  return 1;
}

int print_default_config() { return print(default_config_toml()); }

int print_config_reference() { return print(config_reference_markdown()); }

}  // namespace carillon::app
