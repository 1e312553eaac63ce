#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "app/assignment.hpp"

namespace carillon::app {
namespace {

std::string describe(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list that holds something else than texts";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
    default:
      return "something else";
  }
}

SettingValue to_value(const toml::node& node) {
  if (const auto* value = node.as_boolean()) return value->get();
  if (const auto* value = node.as_integer()) return value->get();
  if (const auto* value = node.as_floating_point()) return value->get();
  if (const auto* value = node.as_string()) return value->get();
  if (const auto* array = node.as_array()) {
    std::vector<std::string> items;
    for (const auto& item : *array) {
      if (const auto* text = item.as_string()) items.push_back(text->get());
    }
    if (items.size() == array->size()) return items;
  }
  return Foreign{describe(node)};
}

bool is_section(std::string_view key) {
  return std::any_of(settings().begin(), settings().end(), [key](const Setting& setting) {
    return setting.key.size() > key.size() && setting.key.starts_with(key) && setting.key[key.size()] == '.';
  });
}

struct Found {
  std::uint32_t line;
  std::string key;
  SettingValue value;
};

// Sections are entered; everything else is a setting, or meant to be one.
void collect(const toml::table& table, const std::string& prefix, std::vector<Found>& found) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    const auto* inner = node.as_table();
    if (inner != nullptr && is_section(key)) {
      collect(*inner, key + ".", found);
    } else {
      found.push_back({name.source().begin.line, key, to_value(node)});
    }
  }
}

}  // namespace

Result<std::vector<Assignment>, std::string> assignments_from_toml(std::string_view text, std::string_view name) {
  try {
    std::vector<Found> found;
    collect(toml::parse(text), "", found);
    std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.line < b.line; });
    std::vector<Assignment> assignments;
    assignments.reserve(found.size());
    for (auto& [line, key, value] : found) {
      assignments.push_back({std::move(key), std::move(value), fmt::format("{}:{}", name, line)});
    }
    return assignments;
  } catch (const toml::parse_error& error) {
    return Failure(fmt::format("{}:{}: this is not TOML: {}", name, error.source().begin.line, error.description()));
  }
}

Result<std::vector<Assignment>, std::string> assignments_from_file(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return Failure(fmt::format("{}: expected a TOML file, and this is a folder", path));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return Failure(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return assignments_from_toml(text, path);
}

Result<Assignment, std::string> assignment_from_set(std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string key(text.substr(0, equals));
  if (equals == std::string_view::npos || key.empty()) {
    return Failure(fmt::format("--set {}: expected SECTION.KEY=VALUE, such as log.level=\"debug\"", text));
  }
  const auto wrong = [&key] {
    return Failure(
        fmt::format("--set: {}: expected a TOML value; a text needs quotes, which the shell must leave alone: "
                    "--set '{}=\"...\"'",
                    key, key));
  };
  try {
    const toml::table table = toml::parse("value = " + std::string(text.substr(equals + 1)));
    if (table.size() != 1) return wrong();
    return Assignment{key, to_value(table.begin()->second), "--set"};
  } catch (const toml::parse_error&) {
    return wrong();
  }
}

}  // namespace carillon::app
