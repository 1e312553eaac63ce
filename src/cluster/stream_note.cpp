#include "cluster/stream_note.hpp"

#include <charconv>
#include <string>

namespace carillon::cluster {
namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view field(redis::StreamFieldsView fields, std::string_view name) {
  for (const auto& [key, value] : fields)
    if (key == name) return value;
  return {};
}

}  // namespace

std::optional<std::uint64_t> entry_number(redis::StreamFieldsView fields) { return number_of(field(fields, "seq")); }

void add_number(redis::StreamFields& fields, std::uint64_t number) {
  fields.emplace_back("seq", std::to_string(number));
}

std::optional<StreamNote> read_note(redis::StreamFieldsView fields) {
  const std::string_view text = field(fields, "early");
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = number_of(text.substr(0, dash));
  const auto last = number_of(text.substr(dash + 1));
  if (!first || !last) return std::nullopt;
  return StreamNote{*first, *last};
}

redis::StreamFields note_entry(std::string_view node, const StreamNote& note) {
  return {{"uid", std::string(node)},
          {"nsp", "/"},
          {"type", "2"},
          {"early", std::to_string(note.first) + "-" + std::to_string(note.last)}};
}

}  // namespace carillon::cluster
