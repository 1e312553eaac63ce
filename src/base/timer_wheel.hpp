// Deadlines of many sessions: constant time to set, move and drop one; no allocation per timer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace carillon {

// One deadline. Embedded in its owner; drops itself from the wheel when it dies. Owned by one shard.
class Timer {
 public:
  Timer() = default;
  virtual ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  TimePoint deadline() const { return deadline_; }

  // Called by TimerWheel::advance() at or after the deadline; the timer is no longer set and may be set again.
  virtual void on_deadline(TimePoint now) = 0;

 private:
  friend class TimerWheel;
  Timer* previous_ = nullptr;
  Timer* next_ = nullptr;
  class TimerWheel* wheel_ = nullptr;
  TimePoint deadline_ = never;
  std::uint32_t slot_ = 0;
};

// A hashed wheel: a timer lies in the slot of its tick modulo the number of slots; one that is further away than a
// turn stays where it is until its time has come. Precision is one tick, never early.
class TimerWheel {
 public:
  static constexpr Milliseconds tick{8};

  // `now` starts the wheel; times before it count as it.
  explicit TimerWheel(TimePoint now);
  ~TimerWheel();

  // Sets or moves the timer. `never` clears it.
  void set(Timer& timer, TimePoint deadline);
  void clear(Timer& timer);

  // Calls every timer whose deadline has passed.
  void advance(TimePoint now);

  // A time at which advance() should be called: not later than the first deadline rounded up to its tick, sometimes
  // earlier (a slot that holds only far timers); `never` when nothing is set.
  TimePoint next_wake() const;

  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t slots = 8192;   // about 65 s per turn: heartbeats fit into one
  static constexpr std::uint32_t due = slots;  // one more list: timers about to be called

  void link(Timer& timer, std::uint32_t slot);
  void unlink(Timer& timer);
  std::int64_t tick_of(TimePoint time) const;
  void run_slot(std::uint32_t slot, TimePoint now);

  TimePoint start_;
  std::int64_t current_ = 0;  // ticks since start_ that have been run
  std::size_t size_ = 0;
  std::array<Timer*, slots + 1> heads_{};
  std::array<std::uint64_t, slots / 64 + 1> occupied_{};
};

}  // namespace carillon
