#include "base/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace carillon {

Timer::~Timer() {
  if (wheel_ != nullptr) wheel_->clear(*this);
}

TimerWheel::TimerWheel(TimePoint now) : start_(now) {}

TimerWheel::~TimerWheel() {
  for (Timer* head : heads_) {
    while (head != nullptr) {
      Timer* next = head->next_;
      head->wheel_ = nullptr;
      head->next_ = head->previous_ = nullptr;
      head = next;
    }
  }
}

// Rounded up, so that no timer runs early.
std::int64_t TimerWheel::tick_of(TimePoint time) const {
  const auto since = std::max(time, start_) - start_;
  return since.count() / tick.count() + (since.count() % tick.count() != 0 ? 1 : 0);
}

void TimerWheel::set(Timer& timer, TimePoint deadline) {
  clear(timer);
  timer.deadline_ = deadline;
  if (deadline == never) return;
  const std::int64_t at = std::max(tick_of(deadline), current_ + 1);
  timer.wheel_ = this;
  ++size_;
  link(timer, static_cast<std::uint32_t>(static_cast<std::uint64_t>(at) % slots));
}

void TimerWheel::clear(Timer& timer) {
  timer.deadline_ = never;
  if (timer.wheel_ == nullptr) return;
  unlink(timer);
  timer.wheel_ = nullptr;
  --size_;
}

void TimerWheel::link(Timer& timer, std::uint32_t slot) {
  timer.slot_ = slot;
  timer.previous_ = nullptr;
  timer.next_ = heads_[slot];
  if (timer.next_ != nullptr) timer.next_->previous_ = &timer;
  heads_[slot] = &timer;
  occupied_[slot / 64] |= std::uint64_t{1} << slot % 64;
}

void TimerWheel::unlink(Timer& timer) {
  if (timer.next_ != nullptr) timer.next_->previous_ = timer.previous_;
  if (timer.previous_ != nullptr) {
    timer.previous_->next_ = timer.next_;
  } else {
    heads_[timer.slot_] = timer.next_;
    if (timer.next_ == nullptr) occupied_[timer.slot_ / 64] &= ~(std::uint64_t{1} << timer.slot_ % 64);
  }
  timer.next_ = timer.previous_ = nullptr;
}

// A timer may set, clear or destroy others while it runs. So those that are due first move to a list of their own, from
// which the others can still drop themselves, and which is never set to: a timer that sets itself to now waits a tick.
void TimerWheel::run_slot(std::uint32_t slot, TimePoint now) {
  for (Timer* timer = heads_[slot]; timer != nullptr;) {
    Timer* next = timer->next_;
    if (timer->deadline_ <= now) {
      unlink(*timer);
      link(*timer, due);
    }
    timer = next;
  }
  while (heads_[due] != nullptr) {
    Timer& timer = *heads_[due];
    clear(timer);
    timer.on_deadline(now);
  }
}

void TimerWheel::advance(TimePoint now) {
  const auto target = std::max<std::int64_t>(0, (now - start_).count() / tick.count());
  if (target <= current_) return;
  const std::int64_t first = target - current_ >= static_cast<std::int64_t>(slots)
                                 ? target - static_cast<std::int64_t>(slots) + 1
                                 : current_ + 1;
  current_ = target;  // timers set while these run go to later ticks
  if (size_ == 0) return;
  for (std::int64_t at = first; at <= target; ++at)
    run_slot(static_cast<std::uint32_t>(static_cast<std::uint64_t>(at) % slots), now);
}

TimePoint TimerWheel::next_wake() const {
  if (size_ == 0) return never;
  const auto begin = static_cast<std::size_t>(static_cast<std::uint64_t>(current_ + 1) % slots);
  for (std::size_t scanned = 0; scanned <= slots;) {
    const std::size_t slot = (begin + scanned) % slots;
    const std::uint64_t word = occupied_[slot / 64] >> slot % 64;
    if (word != 0) {
      const auto ahead = static_cast<std::int64_t>(scanned) + std::countr_zero(word);
      return start_ + tick * (current_ + 1 + ahead);
    }
    scanned += 64 - slot % 64;
  }
  return never;
}

}  // namespace carillon
