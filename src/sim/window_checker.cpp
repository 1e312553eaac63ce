#include "sim/window_checker.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace carillon::sim {

void WindowChecker::on_sent(std::uint64_t number, std::size_t bytes) {
  const auto again = std::ranges::find(outstanding_, number, &Sent::number);
  if (again != outstanding_.end()) {
    again->at = world_.scheduler.now();
    return;
  }
  std::size_t ahead = 0;
  std::size_t ahead_bytes = 0;
  for (const Sent& sent : outstanding_) {
    if (is_given_up(sent)) continue;
    ++ahead;
    ahead_bytes += sent.bytes;
  }
  const inbox::DeliveryOptions& limits = world_.plan.delivery;
  if (ahead >= limits.window || (ahead > 0 && ahead_bytes >= limits.window_bytes_max))
    world_.history.report("queue",
                          fmt::format("{} is sent while {} with {} B are not proven", number, ahead, ahead_bytes));
  outstanding_.push_back({number, bytes, world_.scheduler.now()});
}

// A socket without an answer in time is sent it again, or it waits for the next connection and takes no room any more.
bool WindowChecker::is_given_up(const Sent& sent) const {
  return acknowledges_ && sent.at + world_.plan.delivery.ack_timeout <= world_.scheduler.now();
}

void WindowChecker::on_ponged() {
  outstanding_.erase(outstanding_.begin(), outstanding_.begin() + static_cast<std::ptrdiff_t>(pinged_));
  pinged_ = 0;
}

void WindowChecker::on_acknowledged(std::uint64_t number) {
  std::erase_if(outstanding_, [&](const Sent& sent) { return sent.number == number; });
}

void WindowChecker::on_new_epoch() {
  outstanding_.clear();
  pinged_ = 0;
}

}  // namespace carillon::sim
