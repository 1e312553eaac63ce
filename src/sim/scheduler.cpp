#include "sim/scheduler.hpp"

#include <algorithm>

namespace carillon::sim {

void Scheduler::at(TimePoint time, Task task) {
  queue_.emplace(std::pair(std::max(time, now_), sequence_++), std::move(task));
}

bool Scheduler::run_one(TimePoint end) {
  if (queue_.empty() || queue_.begin()->first.first > end) {
    now_ = end;
    return false;
  }
  auto first = queue_.extract(queue_.begin());
  now_ = first.key().first;
  ++steps_;
  first.mapped()();
  return true;
}

}  // namespace carillon::sim
