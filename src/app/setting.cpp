#include "app/setting.hpp"

#include <fmt/format.h>

#include <cctype>

namespace carillon::app {
namespace {

struct ToToml {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return fmt::format("{}", value); }
  std::string operator()(const std::string& value) const {
    std::string quoted = "\"";
    for (const char c : value) {
      if (c == '"' || c == '\\') {
        quoted += '\\';
        quoted += c;
      } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
      } else {
        quoted += c;
      }
    }
    return quoted + "\"";
  }
  std::string operator()(const std::vector<std::string>& items) const {
    std::string joined;
    for (const auto& item : items) joined += (joined.empty() ? "" : ", ") + (*this)(item);
    return "[" + joined + "]";
  }
  std::string operator()(const Foreign& value) const { return value.description; }
};

}  // namespace

const Setting* find_setting(std::string_view key) {
  for (const Setting& setting : settings()) {
    if (setting.key == key) return &setting;
  }
  return nullptr;
}

std::string environment_name(const Setting& setting) {
  std::string name = "CARILLON_" + setting.key;
  for (char& c : name) c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::string to_toml(const SettingValue& value) { return std::visit(ToToml(), value); }

}  // namespace carillon::app
