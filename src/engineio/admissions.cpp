#include "engineio/admissions.hpp"

#include <utility>

namespace carillon::engineio {

Admissions::Admissions(TimerWheel& timers, OnTimeout on_timeout)
    : timers_(timers), on_timeout_(std::move(on_timeout)) {}

Admissions::~Admissions() = default;

std::uint64_t Admissions::hold(Waiting waiting) {
  by_peer_.emplace(waiting.peer, ++last_ticket_);
  waiting_.emplace(last_ticket_, std::move(waiting));
  arm();
  return last_ticket_;
}

std::optional<Admissions::Waiting> Admissions::take(std::uint64_t ticket) {
  auto found = waiting_.extract(ticket);
  if (found.empty()) return std::nullopt;
  by_peer_.erase(found.mapped().peer);
  arm();
  return std::move(found.mapped());
}

void Admissions::forget(const Peer& peer) {
  if (const auto found = by_peer_.find(&peer); found != by_peer_.end()) take(found->second);
}

std::vector<std::uint64_t> Admissions::tickets() const {
  std::vector<std::uint64_t> all;
  all.reserve(waiting_.size());
  for (const auto& [ticket, waiting] : waiting_) all.push_back(ticket);
  return all;
}

void Admissions::on_deadline(TimePoint now) {
  while (!waiting_.empty() && waiting_.begin()->second.until <= now) on_timeout_(*take(waiting_.begin()->first), now);
  arm();
}

void Admissions::arm() {
  const TimePoint next = waiting_.empty() ? never : waiting_.begin()->second.until;
  if (next != deadline()) timers_.set(*this, next);
}

}  // namespace carillon::engineio
