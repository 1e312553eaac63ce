#include "redis/backlog.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace carillon::redis {
namespace {

constexpr TimePoint start{Milliseconds{1'000}};
constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

// Sends what may go for so long, while so many per millisecond come; how many have gone.
std::size_t send(Backlog& backlog, std::size_t& queued, TimePoint from, Milliseconds span, std::size_t per_ms = 0) {
  std::size_t sent = 0;
  for (TimePoint now = from; now < from + span; now += Milliseconds{1}) {
    queued += per_ms;
    while (queued > 0 && backlog.room(now) > 0) {
      backlog.spend(--queued, now);
      ++sent;
    }
  }
  return sent;
}

TEST(BacklogTest, WithoutOneNothingWaits) {
  Backlog backlog(100);
  EXPECT_EQ(backlog.room(start), unlimited);
  backlog.begin(0);
  EXPECT_EQ(backlog.room(start), unlimited);
}

TEST(BacklogTest, GoesOutAtItsPace) {
  Backlog backlog(1'000);
  std::size_t queued = 2'500;
  backlog.begin(queued);
  EXPECT_LE(send(backlog, queued, start, Milliseconds{1'000}), 1'010U);
  EXPECT_GT(send(backlog, queued, start + Milliseconds{1'000}, Milliseconds{1'000}), 900U);
  send(backlog, queued, start + Milliseconds{2'000}, Milliseconds{1'000});
  EXPECT_EQ(queued, 0U);
  EXPECT_EQ(backlog.room(start + Milliseconds{3'000}), unlimited);
}

TEST(BacklogTest, HasAnEndHoweverMuchComesMeanwhile) {
  Backlog backlog(1'000);
  std::size_t queued = 1'000;
  backlog.begin(queued);
  send(backlog, queued, start, Milliseconds{20'000}, 5);
  EXPECT_LE(queued, 5U);
  EXPECT_EQ(backlog.room(start + Milliseconds{20'000}), unlimited);
}

TEST(BacklogTest, WhatHasGrownTooOldIsNotWaitedFor) {
  Backlog backlog(100);
  backlog.begin(1'000);
  backlog.spend(0, start);
  EXPECT_EQ(backlog.room(start), unlimited);
}

TEST(BacklogTest, AnotherPaceIsForTheNextOne) {
  Backlog backlog(0);
  backlog.begin(1'000);
  EXPECT_EQ(backlog.room(start), unlimited);
  backlog.set_per_second_max(200);
  EXPECT_EQ(backlog.room(start), unlimited);
  backlog.begin(1'000);
  EXPECT_EQ(backlog.room(start), 2U);
}

}  // namespace
}  // namespace carillon::redis
