// One setting: the file, the environment, the flags, `config default` and docs/configuration.md all come from it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/config.hpp"

namespace carillon::app {

// A value that no setting takes, described for a message: "a table", "a date".
struct Foreign {
  std::string description;
  friend bool operator==(const Foreign&, const Foreign&) = default;
};

using SettingValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>, Foreign>;

enum class SettingKind : std::uint8_t { boolean, number, text, list };

// How `carillon serve` takes a setting on its command line; most have no flag of their own.
struct SettingFlag {
  std::string name = {};  // "--listen"
  std::string type = {};  // what its value is called: "HOST:PORT"
};

// What is wrong with a value, or nothing.
using Complaint = std::optional<std::string>;

struct Setting {
  std::string key;  // "engine.ping_interval_ms"
  SettingKind kind = SettingKind::text;
  std::string expected;  // "a whole number from 100 to 3600000"
  std::string help;      // what it does, as a sentence
  SettingFlag flag;
  // Puts the value into the configuration, unless there is something wrong with it.
  std::function<Complaint(Config&, const SettingValue&)> set;
  std::function<SettingValue(const Config&)> get;
};

// All settings, in the order in which they are documented.
const std::vector<Setting>& settings();
const Setting* find_setting(std::string_view key);

// "CARILLON_ENGINE_PING_INTERVAL_MS"
std::string environment_name(const Setting& setting);

// As TOML has it: "\"text\"", "[\"a\", \"b\"]", "true".
std::string to_toml(const SettingValue& value);

}  // namespace carillon::app
