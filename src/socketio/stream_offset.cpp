#include "socketio/stream_offset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace carillon::socketio {
namespace {

constexpr std::uint64_t ms_max = 9'999'999'999'999;  // the year 2286
constexpr std::uint64_t sequence_max = 999'999;

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string to_string(const StreamOffset& offset) {
  if (offset.ms > ms_max) return to_string(StreamOffset{ms_max, sequence_max});
  return fmt::format("{:013}-{:06}", offset.ms, std::min(offset.sequence, sequence_max));
}

std::optional<StreamOffset> parse_stream_offset(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto ms = number_of(text.substr(0, dash));
  const auto sequence = number_of(text.substr(dash + 1));
  if (!ms || !sequence) return std::nullopt;
  return StreamOffset{*ms, *sequence};
}

}  // namespace carillon::socketio
