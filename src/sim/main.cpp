// carillon-sim: runs the delivery of notifications on virtual time, one run per seed. For developers; README.md.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>

#include "sim/simulation.hpp"

namespace carillon::sim {
namespace {

struct Options {
  std::uint64_t seeds = 100;
  std::uint64_t first = 1;
  std::string canary = "none";
  bool trace = false;
};

constexpr std::uint64_t replay_every = 20;  // seeds: one of them runs twice

struct Totals {
  std::uint64_t steps = 0;
  std::uint64_t accepted = 0;
  std::uint64_t received = 0;
  std::uint64_t repeats = 0;
  std::uint64_t gaps = 0;
  std::uint64_t replayed = 0;

  void add(const Outcome& outcome) {
    steps += outcome.steps;
    accepted += outcome.accepted;
    received += outcome.received;
    repeats += outcome.repeats;
    gaps += outcome.gaps;
  }
};

bool is_replayed(std::uint64_t seed, Canary canary, const Outcome& outcome) {
  const Outcome again = Simulation(seed, canary, false).run();
  if (again.hash == outcome.hash) return true;
  fmt::print("seed {}: NOT DETERMINISTIC: trace {:016x}, then {:016x}\n", seed, outcome.hash, again.hash);
  return false;
}

int tell_violations(std::uint64_t seed, Canary canary, const Simulation& simulation, const Outcome& outcome) {
  fmt::print("seed {}: {}\n", seed, simulation.plan());
  for (const auto& [checker, text] : outcome.violations)
    fmt::print("seed {}: VIOLATION: {}: {}\n", seed, checker, text);
  const bool same = is_replayed(seed, canary, outcome);
  fmt::print("seed {}: trace {:016x}{}; again: carillon-sim --first {} --seeds 1 --trace\n", seed, outcome.hash,
             same ? ", twice" : "", seed);
  return 1;
}

int run_seeds(const Options& options) {
  Totals totals;
  for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    Simulation simulation(seed, Canary::none, options.trace);
    const Outcome outcome = simulation.run();
    totals.add(outcome);
    if (!outcome.violations.empty()) return tell_violations(seed, Canary::none, simulation, outcome);
    if (options.trace) fmt::print("seed {}: trace {:016x}\n", seed, outcome.hash);
    if (seed % replay_every != 0 && options.seeds > 1) continue;
    if (!is_replayed(seed, Canary::none, outcome)) return 1;
    ++totals.replayed;
  }
  fmt::print(
      "{} seeds from {}: no violation; {} replayed to the same trace; {} steps, {} notifications accepted, {} "
      "receipts, {} of them repeats, {} gaps told\n",
      options.seeds, options.first, totals.replayed, totals.steps, totals.accepted, totals.received, totals.repeats,
      totals.gaps);
  return 0;
}

int hunt_canary(const Options& options, Canary canary) {
  for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    Simulation simulation(seed, canary, options.trace);
    const Outcome outcome = simulation.run();
    const auto found = outcome.violations.find(options.canary);
    if (found == outcome.violations.end()) continue;
    if (!is_replayed(seed, canary, outcome)) return 1;
    fmt::print("canary {}: found by its checker with seed {}, {} after the first: {}\n", options.canary, seed,
               seed - options.first, found->second);
    return 0;
  }
  fmt::print("canary {}: NOT FOUND within {} seeds\n", options.canary, options.seeds);
  return 1;
}

int run(const Options& options) {
  const auto canary = canary_of(options.canary);
  if (!canary) {
    fmt::print(stderr, "carillon-sim: there is no canary '{}'; there are: {}\n", options.canary,
               fmt::join(canary_names, ", "));
    return 2;
  }
  if (*canary == Canary::none) return run_seeds(options);
  if (!canaries_compiled) {
    fmt::print(stderr, "carillon-sim: canaries are in carillon-sim-canary only\n");
    return 2;
  }
  return hunt_canary(options, *canary);
}

}  // namespace
}  // namespace carillon::sim

int main(int argc, char** argv) {
  CLI::App app("Simulates the delivery of notifications under faults, and checks what it promises");
  carillon::sim::Options options;
  app.add_option("--seeds", options.seeds, "How many runs")->capture_default_str();
  app.add_option("--first", options.first, "The first seed")->capture_default_str();
  app.add_option("--canary", options.canary, "A bug on purpose, which its checker has to find")->capture_default_str();
  app.add_flag("--trace", options.trace, "Print what happens");
  CLI11_PARSE(app, argc, argv);
  return carillon::sim::run(options);
}
