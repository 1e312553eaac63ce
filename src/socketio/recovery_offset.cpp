#include "socketio/recovery_offset.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace carillon::socketio {
namespace {

constexpr int base = 36;
constexpr std::size_t direct_characters_max = 13;  // of 64 bits

std::string digits_of(std::uint64_t number) {
  std::array<char, direct_characters_max> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number, base);
  return {text.data(), end};
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); };
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string to_string(const RecoveryOffset& offset) {
  const std::string position = digits_of(offset.position);
  std::string text(offset_position_characters - std::min(position.size(), offset_position_characters), '0');
  text += position;
  if (offset.direct > 0) text.append("-").append(digits_of(offset.direct));
  return text;
}

std::optional<RecoveryOffset> parse_recovery_offset(std::string_view text) {
  const std::string_view position = text.substr(0, offset_position_characters);
  if (position.size() != offset_position_characters) return std::nullopt;
  text.remove_prefix(offset_position_characters);
  RecoveryOffset offset;
  const auto number = number_of(position);
  if (!number) return std::nullopt;
  offset.position = *number;
  if (text.empty()) return offset;
  if (!text.starts_with('-') || text.size() > direct_characters_max + 1) return std::nullopt;
  const auto direct = number_of(text.substr(1));
  if (!direct || *direct == 0) return std::nullopt;
  offset.direct = *direct;
  return offset;
}

}  // namespace carillon::socketio
