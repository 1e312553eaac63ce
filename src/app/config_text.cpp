#include "app/config_text.hpp"

#include <fmt/format.h>

#include <string_view>

#include "app/setting.hpp"

namespace carillon::app {
namespace {

std::string_view section_of(const Setting& setting) {
  return std::string_view(setting.key).substr(0, setting.key.rfind('.'));
}
std::string_view name_of(const Setting& setting) {
  return std::string_view(setting.key).substr(setting.key.rfind('.') + 1);
}

// Inside a table "|" would end the cell.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace

std::string default_config_toml() {
  const Config defaults;
  std::string text =
      "# The settings of `carillon serve --config FILE`, each at its default.\n"
      "# A flag goes before an environment variable (CARILLON_SECTION_KEY), that before this file.\n";
  std::string_view section;
  for (const Setting& setting : settings()) {
    if (section_of(setting) != section) text += fmt::format("\n[{}]\n", section_of(setting));
    section = section_of(setting);
    text += fmt::format("# {}\n# Expected: {}.\n{} = {}\n", setting.help, setting.expected, name_of(setting),
                        to_toml(setting.get(defaults)));
  }
  return text;
}

std::string config_reference_markdown() {
  const Config defaults;
  std::string text =
      "# Configuration\n\n"
      "<!-- Written by `carillon config reference`; a unit test holds it equal. -->\n\n"
      "`carillon serve` takes its settings from a flag, else from the environment, else from the file of `--config`, "
      "else\n"
      "from the defaults below. In the file they are TOML, `[section]` and `key = value`; `carillon config default` "
      "prints\n"
      "such a file, and `carillon config check FILE` says what is wrong with one, by line. The variable of "
      "`section.key` is\n"
      "`CARILLON_SECTION_KEY`, with lists separated by commas; an empty variable counts as unset. Every setting can "
      "be\n"
      "given as `--set section.key=VALUE` (a TOML value); some have a flag of their own.\n\n"
      "| setting | default | expected | what it does | flag |\n|---|---|---|---|---|\n";
  for (const Setting& setting : settings()) {
    const std::string flag =
        setting.flag.type.empty() ? setting.flag.name : setting.flag.name + " " + setting.flag.type;
    text += fmt::format("| `{}` | `{}` | {} | {} | {} |\n", setting.key, to_toml(setting.get(defaults)),
                        cell(setting.expected), cell(setting.help), flag.empty() ? "" : "`" + flag + "`");
  }
  return text;
}

}  // namespace carillon::app
