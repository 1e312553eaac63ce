// The settings, written down for people.
#pragma once

#include <string>

namespace carillon::app {

// A TOML file with every setting at its default: what `carillon config default` prints.
std::string default_config_toml();

// Markdown: what docs/configuration.md holds.
std::string config_reference_markdown();

}  // namespace carillon::app
