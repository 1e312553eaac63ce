#include "io/signals.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

namespace carillon::io {
namespace {

// std::raise sends to the calling thread alone, whatever other threads there are.
TEST(SignalsTest, WaitGivesTheSignal) {
  ProcessSignals signals;
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    std::raise(number);
    EXPECT_EQ(signals.wait(), number);
  }
}

TEST(SignalsTest, InterruptEndsTheWaitFromAnotherThread) {
  ProcessSignals signals;
  const std::jthread other([&] { signals.interrupt(); });
  EXPECT_EQ(signals.wait(), 0);
}

TEST(SignalsTest, InterruptBeforeTheWaitIsNotLost) {
  ProcessSignals signals;
  signals.interrupt();
  EXPECT_EQ(signals.wait(), 0);
}

}  // namespace
}  // namespace carillon::io
