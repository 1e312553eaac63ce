// Virtual time: what is to happen, in the order of its time, then of its asking.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "base/task.hpp"
#include "base/time.hpp"

namespace carillon::sim {

class Scheduler {
 public:
  TimePoint now() const { return now_; }
  // The true time; nodes have clocks of their own (Node::unix_now()).
  UnixMs unix_now() const { return unix_start + now_.time_since_epoch().count(); }

  void at(TimePoint time, Task task);
  void after(Milliseconds delay, Task task) { at(now_ + delay, std::move(task)); }

  // Runs the next task, if it is due by `end`; else time moves to `end`. False: nothing was left until then.
  bool run_one(TimePoint end);
  std::uint64_t steps() const { return steps_; }

 private:
  static constexpr UnixMs unix_start = 1'800'000'000'000;

  TimePoint now_{Milliseconds(1'000)};
  std::uint64_t sequence_ = 0;
  std::uint64_t steps_ = 0;
  std::map<std::pair<TimePoint, std::uint64_t>, Task> queue_;
};

}  // namespace carillon::sim
