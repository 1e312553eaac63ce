#include "inbox/position.hpp"

#include <algorithm>
#include <charconv>

namespace carillon::inbox {
namespace {

constexpr std::size_t epoch_bytes_max = 32;

bool is_letter_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

}  // namespace

std::string make_epoch(Random& random, std::size_t characters) {
  static constexpr std::string_view alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string epoch(characters, '0');
  for (char& c : epoch) c = alphabet[random.below(alphabet.size())];
  return epoch;
}

std::string to_string(const Position& position) { return position.epoch + "-" + std::to_string(position.number); }

std::optional<Position> parse_position(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos || dash == 0 || dash > epoch_bytes_max) return std::nullopt;
  const std::string_view epoch = text.substr(0, dash);
  const std::string_view digits = text.substr(dash + 1);
  if (!std::ranges::all_of(epoch, is_letter_or_digit)) return std::nullopt;
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  Position position{std::string(epoch), 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), position.number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return position;
}

}  // namespace carillon::inbox
