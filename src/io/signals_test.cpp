#include "io/signals.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

namespace carillon::io {
namespace {

// std::raise sends to the calling thread alone, whatever other threads there are.
TEST(SignalsTest, WaitGivesTheSignal) {
  StopSignals signals;
  for (const int number : {SIGTERM, SIGINT}) {
    std::raise(number);
    EXPECT_EQ(signals.wait(), number);
  }
}

TEST(SignalsTest, InterruptEndsTheWaitFromAnotherThread) {
  StopSignals signals;
  const std::jthread other([&] { signals.interrupt(); });
  EXPECT_EQ(signals.wait(), 0);
}

TEST(SignalsTest, InterruptBeforeTheWaitIsNotLost) {
  StopSignals signals;
  signals.interrupt();
  EXPECT_EQ(signals.wait(), 0);
}

}  // namespace
}  // namespace carillon::io
