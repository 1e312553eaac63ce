#include "cluster/stream_name.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace carillon::cluster {
namespace {

constexpr std::uint32_t first_of_two_units = 0x10000;

// The character at the start of UTF-8 text, which is taken away.
std::uint32_t take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  std::uint32_t character = length == 1 ? first : first & (0x7fU >> length);
  for (std::size_t i = 1; i < length && i < text.size(); ++i)
    character = character << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
  text.remove_prefix(std::min(length, text.size()));
  return character;
}

std::int32_t hash(std::string_view text) {
  std::uint32_t hash = 0;
  const auto add = [&](std::uint32_t unit) { hash = hash * 31 + unit; };
  while (!text.empty()) {
    const std::uint32_t character = take_character(text);
    if (character < first_of_two_units) {
      add(character);
    } else {
      add(0xd800 + ((character - first_of_two_units) >> 10));
      add(0xdc00 + ((character - first_of_two_units) & 0x3ffU));
    }
  }
  return static_cast<std::int32_t>(hash);
}

std::int64_t number_of(unsigned count, std::string_view name_space) {
  return std::int64_t{hash(name_space)} % std::int64_t{count};
}

}  // namespace

std::string stream_name(std::string_view name, unsigned count, std::string_view name_space) {
  if (count <= 1) return std::string(name);
  return std::string(name) + "-" + std::to_string(number_of(count, name_space));
}

std::size_t stream_index(unsigned count, std::string_view name_space) {
  if (count <= 1) return 0;
  return static_cast<std::size_t>(number_of(count, name_space) + std::int64_t{count} - 1);
}

std::vector<std::string> stream_names(std::string_view name, unsigned count) {
  if (count <= 1) return {std::string(name)};
  std::vector<std::string> names;
  for (std::int64_t i = 1 - std::int64_t{count}; i < std::int64_t{count}; ++i)
    names.push_back(std::string(name) + "-" + std::to_string(i));
  return names;
}

}  // namespace carillon::cluster
