// Makes settings of each kind: how a value of it is read, checked and shown.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "app/setting.hpp"
#include "app/setting_checks.hpp"

namespace carillon::app {

inline constexpr std::int64_t hour_ms = 3'600'000;
inline constexpr std::int64_t gib = 1024 * 1024 * 1024;

// Where a setting lives in a Config: access to one member of one of its sections.
template <class Section, class Value>
auto field(Section Config::* section, Value Section::* member) {
  return [section, member](auto& config) -> auto& { return config.*section.*member; };
}

// ---- one maker per kind. `check` says what is wrong with a value of that kind, or nothing.

template <class Field>
Setting boolean(const std::string& key, Field field, const std::string& help, const SettingFlag& flag = {}) {
  static constexpr std::string_view expected = "true or false";
  return {.key = key,
          .kind = SettingKind::boolean,
          .expected = std::string(expected),
          .help = help,
          .flag = flag,
          .set = [field](Config& config, const SettingValue& value) -> Complaint {
            const bool* given = std::get_if<bool>(&value);
            if (given == nullptr) return mismatch(expected, value);
            field(config) = *given;
            return std::nullopt;
          },
          .get = [field](const Config& config) -> SettingValue { return field(config); }};
}

template <class Field>
Setting number(const std::string& key, Field field, std::int64_t min, std::int64_t max, const std::string& help,
               const SettingFlag& flag = {}) {
  const std::string expected = fmt::format("a whole number from {} to {}", min, max);
  return {.key = key,
          .kind = SettingKind::number,
          .expected = expected,
          .help = help,
          .flag = flag,
          .set = [=](Config& config, const SettingValue& value) -> Complaint {
            const auto* given = std::get_if<std::int64_t>(&value);
            if (given == nullptr || *given < min || *given > max) return mismatch(expected, value);
            field(config) = static_cast<std::remove_cvref_t<decltype(field(config))>>(*given);
            return std::nullopt;
          },
          .get = [field](const Config& config) -> SettingValue { return static_cast<std::int64_t>(field(config)); }};
}

// Of texts and of lists of texts.
template <class Value, class Field, class Check>
Setting checked(SettingKind kind, const std::string& key, Field field, const std::string& expected, Check check,
                const std::string& help, const SettingFlag& flag) {
  return {.key = key,
          .kind = kind,
          .expected = expected,
          .help = help,
          .flag = flag,
          .set = [=](Config& config, const SettingValue& value) -> Complaint {
            const auto* given = std::get_if<Value>(&value);
            if (given == nullptr) return mismatch_of_kind(expected, value);
            if (auto complaint = check(expected, *given)) return complaint;
            field(config) = *given;
            return std::nullopt;
          },
          .get = [field](const Config& config) -> SettingValue { return field(config); }};
}

template <class Field, class Check>
Setting text(const std::string& key, Field field, const std::string& expected, Check check, const std::string& help,
             const SettingFlag& flag = {}) {
  return checked<std::string>(SettingKind::text, key, field, expected, check, help, flag);
}

template <class Field, class Check>
Setting list(const std::string& key, Field field, const std::string& expected, Check check, const std::string& help,
             const SettingFlag& flag = {}) {
  return checked<std::vector<std::string>>(SettingKind::list, key, field, expected, check, help, flag);
}

}  // namespace carillon::app
