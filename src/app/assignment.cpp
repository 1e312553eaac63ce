#include "app/assignment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>

namespace carillon::app {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (!trimmed(text).empty()) {
    const std::size_t comma = text.find(',');
    items.emplace_back(trimmed(text.substr(0, comma)));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return items;
}

// Outside a file texts need no quotes, because the setting says what it is. What is not of the setting's kind stays a
// text, for the setting to complain about.
SettingValue value_from_text(const Setting& setting, std::string_view text) {
  switch (setting.kind) {
    case SettingKind::boolean:
      if (text == "true" || text == "false") return text == "true";
      break;
    case SettingKind::number: {
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error == std::errc() && end == text.data() + text.size()) return number;
      break;
    }
    case SettingKind::list:
      if (!trimmed(text).starts_with('[')) return split_list(text);
      if (auto parsed = assignment_from_set(setting.key + "=" + std::string(text))) return std::move(parsed->value);
      break;
    case SettingKind::text:
      break;
  }
  return std::string(text);
}

// How many letters must change to get from one text to the other (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string unknown_key(std::string_view key) {
  const auto by_distance = [key](const Setting& a, const Setting& b) {
    return distance(key, a.key) < distance(key, b.key);
  };
  const Setting& nearest = *std::min_element(settings().begin(), settings().end(), by_distance);
  if (key.size() <= 64 && distance(key, nearest.key) <= std::max<std::size_t>(3, key.size() / 4)) {
    return fmt::format("there is no such setting; did you mean {}, {}?", nearest.key, nearest.expected);
  }
  return "there is no such setting; expected one of those that `carillon config default` lists";
}

}  // namespace

std::vector<Assignment> assignments_from_environment(std::span<const std::string_view> variables) {
  std::vector<Assignment> assignments;
  for (const Setting& setting : settings()) {
    const std::string name = environment_name(setting);
    for (const std::string_view variable : variables) {
      const std::size_t equals = variable.find('=');
      if (equals == std::string_view::npos || variable.substr(0, equals) != name) continue;
      const std::string_view text = variable.substr(equals + 1);
      if (!text.empty()) assignments.push_back({setting.key, value_from_text(setting, text), name});
    }
  }
  return assignments;
}

Assignment assignment_from_flag(const Setting& setting, const std::vector<std::string>& texts) {
  if (setting.kind == SettingKind::list) return {setting.key, texts, setting.flag.name};
  return {setting.key, value_from_text(setting, texts.back()), setting.flag.name};
}

std::vector<std::string> assign_all(Config& config, std::span<const Assignment> assignments) {
  std::vector<std::string> errors;
  for (const auto& [key, value, where] : assignments) {
    const Setting* setting = find_setting(key);
    const auto complaint = setting != nullptr ? setting->set(config, value) : unknown_key(key);
    if (complaint) errors.push_back(fmt::format("{}: {}: {}", where, key, *complaint));
  }
  return errors;
}

}  // namespace carillon::app
