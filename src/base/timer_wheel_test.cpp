#include "base/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace carillon {
namespace {

constexpr TimePoint start{Milliseconds{1'000'003}};
constexpr TimePoint after(std::int64_t ms) { return start + Milliseconds(ms); }

struct TestTimer final : Timer {
  std::function<void(TimePoint)> action;
  std::vector<TimePoint> calls;
  void on_deadline(TimePoint now) override {
    calls.push_back(now);
    if (action) action(now);
  }
};

TEST(TimerWheel, calls_a_timer_once_at_its_deadline_and_never_early) {
  TimerWheel wheel(start);
  TestTimer timer;
  wheel.set(timer, after(100));
  EXPECT_EQ(timer.deadline(), after(100));
  EXPECT_EQ(wheel.size(), 1U);
  wheel.advance(after(99));
  EXPECT_TRUE(timer.calls.empty());
  wheel.advance(after(100 + TimerWheel::tick.count()));
  EXPECT_EQ(timer.calls.size(), 1U);
  EXPECT_EQ(timer.deadline(), never);
  EXPECT_EQ(wheel.size(), 0U);
  wheel.advance(after(100'000));
  EXPECT_EQ(timer.calls.size(), 1U);
}

TEST(TimerWheel, next_wake_is_the_tick_of_the_deadline) {
  TimerWheel wheel(start);
  EXPECT_EQ(wheel.next_wake(), never);
  TestTimer timer;
  for (const std::int64_t ms : {1, 8, 9, 500, 511, 512, 513, 20'000, 65'000}) {
    wheel.set(timer, after(ms));
    const TimePoint wake = wheel.next_wake();
    EXPECT_EQ(wake, after((ms + 7) / 8 * 8)) << ms;
  }
  wheel.advance(wheel.next_wake());
  EXPECT_EQ(timer.calls.size(), 1U);
  EXPECT_EQ(wheel.next_wake(), never);
}

TEST(TimerWheel, a_deadline_that_has_passed_comes_with_the_next_tick) {
  TimerWheel wheel(start);
  wheel.advance(after(1000));
  TestTimer past;
  TestTimer before_the_start;
  wheel.set(past, after(500));
  wheel.set(before_the_start, start - Milliseconds(5000));
  EXPECT_EQ(wheel.next_wake(), after(1008));
  wheel.advance(after(1008));
  EXPECT_EQ(past.calls.size(), 1U);
  EXPECT_EQ(before_the_start.calls.size(), 1U);
}

TEST(TimerWheel, set_again_moves_a_timer_and_never_clears_it) {
  TimerWheel wheel(start);
  TestTimer timer;
  wheel.set(timer, after(100));
  wheel.set(timer, after(300));
  EXPECT_EQ(wheel.size(), 1U);
  wheel.advance(after(200));
  EXPECT_TRUE(timer.calls.empty());
  wheel.set(timer, never);
  EXPECT_EQ(wheel.size(), 0U);
  wheel.clear(timer);
  wheel.advance(after(1000));
  EXPECT_TRUE(timer.calls.empty());
}

TEST(TimerWheel, timers_more_than_a_turn_away_wait_for_their_turn) {
  TimerWheel wheel(start);
  TestTimer far;
  TestTimer very_far;
  wheel.set(far, after(3'600'000));
  wheel.set(very_far, never - Milliseconds(1));
  int wakes = 0;
  TimePoint now = start;
  while (far.calls.empty()) {
    ASSERT_LT(++wakes, 200);
    now = wheel.next_wake();
    ASSERT_LE(now, after(3'600'000));
    wheel.advance(now);
  }
  EXPECT_EQ(now, after(3'600'000));
  EXPECT_TRUE(very_far.calls.empty());
  EXPECT_EQ(wheel.size(), 1U);
}

TEST(TimerWheel, time_that_stands_still_or_goes_back_harms_nothing) {
  TimerWheel wheel(start);
  TestTimer timer;
  wheel.advance(after(80));
  wheel.set(timer, after(90));
  wheel.advance(after(80));
  wheel.advance(after(40));
  wheel.advance(start - Milliseconds(1000));
  EXPECT_TRUE(timer.calls.empty());
  wheel.advance(after(96));
  EXPECT_EQ(timer.calls.size(), 1U);
}

TEST(TimerWheel, a_long_stall_calls_everything_that_is_due) {
  TimerWheel wheel(start);
  std::vector<TestTimer> timers(1000);
  for (std::size_t i = 0; i < timers.size(); ++i) wheel.set(timers[i], after(static_cast<std::int64_t>(i * 997)));
  wheel.advance(after(500 * 997 + 8));
  for (std::size_t i = 0; i < timers.size(); ++i) EXPECT_EQ(timers[i].calls.size(), i <= 500 ? 1U : 0U) << i;
  EXPECT_EQ(wheel.size(), 499U);
}

TEST(TimerWheel, timers_of_one_tick_come_in_the_order_in_which_they_were_set) {
  TimerWheel wheel(start);
  std::vector<int> order;
  std::vector<TestTimer> timers(5);
  for (int i = 0; i < 5; ++i) {
    timers[static_cast<std::size_t>(i)].action = [&order, i](TimePoint) { order.push_back(i); };
    wheel.set(timers[static_cast<std::size_t>(i)], after(16));
  }
  wheel.advance(after(16));
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4}));
}

// Timers that change others while they run

TEST(TimerWheelReentry, a_timer_may_set_itself) {
  TimerWheel wheel(start);
  TestTimer timer;
  timer.action = [&](TimePoint now) { wheel.set(timer, now + Milliseconds(25)); };
  wheel.set(timer, after(25));
  for (std::int64_t ms = 1; ms <= 1000; ++ms) wheel.advance(after(ms));
  EXPECT_GE(timer.calls.size(), 30U);
  EXPECT_LE(timer.calls.size(), 40U);
}

TEST(TimerWheelReentry, a_timer_that_sets_itself_to_now_waits_for_the_next_tick) {
  TimerWheel wheel(start);
  std::vector<TestTimer> timers(8200);  // one in every slot
  for (std::size_t i = 0; i < timers.size(); ++i) {
    timers[i].action = [&wheel, &timer = timers[i]](TimePoint now) { wheel.set(timer, now); };
    wheel.set(timers[i], after(static_cast<std::int64_t>(i * 8)));
  }
  wheel.advance(after(1'000'000));  // longer than a turn
  for (const TestTimer& timer : timers) EXPECT_EQ(timer.calls.size(), 1U);
  wheel.advance(after(1'000'008));
  for (const TestTimer& timer : timers) EXPECT_EQ(timer.calls.size(), 2U);
}

TEST(TimerWheelReentry, a_timer_may_clear_and_move_others_that_are_due_too) {
  TimerWheel wheel(start);
  std::vector<TestTimer> timers(10);
  for (TestTimer& timer : timers) {
    timer.action = [&](TimePoint now) {
      for (std::size_t i = 0; i < timers.size(); ++i) {
        if (&timers[i] == &timer) continue;
        if (i % 2 == 0) {
          wheel.clear(timers[i]);
        } else {
          wheel.set(timers[i], now + Milliseconds(800));
        }
      }
    };
    wheel.set(timer, after(8));
  }
  wheel.advance(after(8));
  std::size_t calls = 0;
  for (const TestTimer& timer : timers) calls += timer.calls.size();
  EXPECT_EQ(calls, 1U);
  EXPECT_EQ(wheel.size(), 5U);
}

TEST(TimerWheelReentry, a_timer_may_destroy_itself_and_others) {
  TimerWheel wheel(start);
  std::vector<std::unique_ptr<TestTimer>> timers;
  int calls = 0;
  for (int i = 0; i < 10; ++i) {
    timers.push_back(std::make_unique<TestTimer>());
    wheel.set(*timers.back(), after(i < 5 ? 8 : 9000));
  }
  for (auto& timer : timers) {
    timer->action = [&](TimePoint) {
      ++calls;
      const auto doomed = std::move(timers);  // with what this function itself has captured
      timers.clear();
    };
  }
  wheel.advance(after(8));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(wheel.size(), 0U);
  EXPECT_EQ(wheel.next_wake(), never);
}

TEST(TimerWheel, timers_may_outlive_it) {
  TestTimer timer;
  {
    TimerWheel wheel(start);
    wheel.set(timer, after(100));
  }
  TimerWheel other(start);
  other.set(timer, after(200));
  EXPECT_EQ(other.size(), 1U);
}

TEST(TimerWheel, a_timer_drops_itself_when_it_dies) {
  TimerWheel wheel(start);
  {
    TestTimer a;
    TestTimer b;
    wheel.set(a, after(100));
    wheel.set(b, after(100));
  }
  EXPECT_EQ(wheel.size(), 0U);
  EXPECT_EQ(wheel.next_wake(), never);
  wheel.advance(after(200));
}

// Many timers, random steps: the wheel against a map.
TEST(TimerWheelModel, many_timers) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::int64_t bound) { return static_cast<std::int64_t>(random()) % bound; };
    const std::int64_t reach = seed % 2 == 0 ? 300'000 : 3000;  // several turns, or one
    TimerWheel wheel(start);
    std::vector<TestTimer> timers(500);
    std::map<const TestTimer*, TimePoint> model;
    TimePoint now = start;
    for (int step = 0; step < 3000; ++step) {
      TestTimer& timer = timers[static_cast<std::size_t>(below(500))];
      if (below(4) == 0) {
        wheel.clear(timer);
        model.erase(&timer);
      } else {
        const TimePoint deadline = now + Milliseconds(below(reach) + 1);
        wheel.set(timer, deadline);
        model[&timer] = deadline;
      }
      if (below(3) != 0) continue;

      TimePoint first = never;
      for (const auto& [unused, deadline] : model) first = std::min(first, deadline);
      if (first == never) {
        ASSERT_EQ(wheel.next_wake(), never);
      } else {
        ASSERT_LT(wheel.next_wake(), first + TimerWheel::tick);
      }
      now += Milliseconds(below(seed == 5 ? 100'000 : 100));
      for (TestTimer& each : timers) each.calls.clear();
      wheel.advance(now);
      for (TestTimer& each : timers) {
        const auto found = model.find(&each);
        if (each.calls.empty()) {
          // Late by less than a tick.
          ASSERT_TRUE(found == model.end() || found->second + TimerWheel::tick > now);
        } else {
          ASSERT_EQ(each.calls.size(), 1U);
          ASSERT_NE(found, model.end());
          ASSERT_LE(found->second, now);
          model.erase(found);
        }
      }
      ASSERT_EQ(wheel.size(), model.size());
    }
  }
}

}  // namespace
}  // namespace carillon
