// What all parts of one run share.
#pragma once

#include "sim/canary.hpp"
#include "sim/history.hpp"
#include "sim/plan.hpp"
#include "sim/prng.hpp"
#include "sim/scheduler.hpp"
#include "sim/trace.hpp"

namespace carillon::sim {

struct World {
  World(std::uint64_t seed, Canary bug, bool print)
      : plan(seed), canary(bug), trace(scheduler, print), prng(seed), history(plan, scheduler) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  bool has_bug(Canary bug) const { return is_bug(canary, bug); }
  Milliseconds delay() { return prng.between(Milliseconds(0), plan.delay_max); }

  Plan plan;
  Canary canary;
  Scheduler scheduler;
  Trace trace;
  Prng prng;
  History history;
  bool faults = true;  // phase 1
};

}  // namespace carillon::sim
