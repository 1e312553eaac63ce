#include "runtime/deflation.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include "http/text.hpp"

namespace carillon::runtime {

Deflation::Deflation(const websocket::DeflateSettings& settings, Stats& stats)
    : settings_(settings),
      stats_(stats),
      deflater_(settings.level, settings.server_window_bits, stats.deflate),
      inflater_(stats.deflate) {}

Result<std::optional<websocket::DeflateAgreement>, Deflation::Malformed> Deflation::agree(
    const http::Request& request) const {
  if (!settings_.enabled) return std::nullopt;
  std::string header;  // which may be spread over several of that name
  for (const auto& [name, value] : request.headers)
    if (http::same_in_any_case(name, "sec-websocket-extensions")) header += (header.empty() ? "" : ",") + value;
  if (header.empty()) return std::nullopt;
  const auto offers = websocket::parse_extensions(header);
  if (!offers) return Failure(Malformed());
  const std::size_t window = std::size_t{1} << settings_.client_window_bits;
  const auto held = static_cast<std::size_t>(stats_.deflate_window_bytes.value());
  const bool has_room = window <= settings_.window_bytes_max - std::min(held, settings_.window_bytes_max);
  return websocket::agree_on_deflate(*offers, settings_, has_room);
}

std::unique_ptr<websocket::MessageInflater> Deflation::open(std::size_t window_bytes) {
  stats_.deflate_connections.add(1);
  stats_.deflate_window_bytes.add(static_cast<std::int64_t>(window_bytes));
  return std::make_unique<websocket::MessageInflater>(inflater_, window_bytes);
}

void Deflation::close(std::size_t window_bytes) {
  stats_.deflate_connections.add(-1);
  stats_.deflate_window_bytes.add(-static_cast<std::int64_t>(window_bytes));
}

}  // namespace carillon::runtime
