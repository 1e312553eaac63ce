#include "redis/stream_id.hpp"

#include <charconv>

namespace carillon::redis {
namespace {

bool read(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<StreamId> parse_stream_id(std::string_view text) {
  const std::size_t dash = text.find('-');
  StreamId id;
  if (dash == std::string_view::npos || !read(text.substr(0, dash), id.ms) || !read(text.substr(dash + 1), id.sequence))
    return std::nullopt;
  return id;
}

std::string to_string(StreamId id) { return std::to_string(id.ms) + "-" + std::to_string(id.sequence); }

}  // namespace carillon::redis
