#include "sim/simulation.hpp"

#include <gtest/gtest.h>

namespace carillon::sim {
namespace {

TEST(Simulation, ASeedReplaysToTheSameTrace) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Outcome first = Simulation(seed, Canary::none, false).run();
    const Outcome second = Simulation(seed, Canary::none, false).run();
    EXPECT_EQ(first.hash, second.hash) << "seed " << seed;
    EXPECT_EQ(first.steps, second.steps) << "seed " << seed;
    EXPECT_GT(first.received, 0U) << "seed " << seed;
  }
}

TEST(Simulation, AnotherSeedIsAnotherRun) {
  EXPECT_NE(Simulation(1, Canary::none, false).run().hash, Simulation(2, Canary::none, false).run().hash);
}

TEST(Simulation, ASeedOfEachKindOfStoreKeepsAllPromises) {
  std::set<std::pair<bool, bool>> kinds;  // shared, durable
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Plan plan(seed);
    if (!kinds.insert({plan.shared, plan.durable}).second) continue;
    const Outcome outcome = Simulation(seed, Canary::none, false).run();
    for (const auto& [checker, text] : outcome.violations)
      ADD_FAILURE() << "seed " << seed << ": " << checker << ": " << text;
  }
  EXPECT_EQ(kinds.size(), 3U);
}

// The plain programs have no bugs on purpose, whatever is asked of them.
TEST(Simulation, WithoutCanariesNoneIsThere) {
  EXPECT_FALSE(canaries_compiled);
  EXPECT_FALSE(is_bug(Canary::order, Canary::order));
}

}  // namespace
}  // namespace carillon::sim
