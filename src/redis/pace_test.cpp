#include "redis/pace.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace carillon::redis {
namespace {

constexpr TimePoint start{Milliseconds{1'000}};

TEST(PaceTest, NoWindowOfASecondHoldsMoreThanTheRateAndAPortion) {
  for (const std::size_t rate : {1U, 5U, 99U, 100U, 150U, 50'000U}) {
    Pace pace(rate);
    std::size_t total = 0;
    TimePoint now = start;
    for (; now < start + Milliseconds{10'000}; now = std::max(pace.next(), now + Milliseconds{1})) {
      const std::size_t room = pace.room(now);
      pace.spend(room, now);
      total += room;
      EXPECT_EQ(pace.room(now), 0U);
    }
    EXPECT_LE(total, rate * 10 + std::max<std::size_t>(rate / 100, 1));
    EXPECT_GE(total, rate * 7);
  }
}

TEST(PaceTest, APortionMayBeSpentPieceByPiece) {
  Pace pace(1'000);
  EXPECT_EQ(pace.room(start), 10U);
  pace.spend(4, start);
  EXPECT_EQ(pace.room(start + Milliseconds{9}), 6U);
  EXPECT_LE(pace.next(), start);
  pace.spend(6, start + Milliseconds{9});
  EXPECT_EQ(pace.next(), start + Milliseconds{10});
  EXPECT_EQ(pace.room(start + Milliseconds{10}), 10U);
}

TEST(PaceTest, ZeroIsNoLimit) {
  Pace pace(0);
  pace.spend(1'000'000, start);
  EXPECT_GE(pace.room(start), 1'000'000'000U);
  EXPECT_LE(pace.next(), start);
}

}  // namespace
}  // namespace carillon::redis
