#include "io/resolver.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "io/testing.hpp"

namespace carillon::io {
namespace {

using namespace testing;

TEST(ResolverTest, AnswersOnTheLoop) {
  LoopThread thread;
  std::unique_ptr<Resolver> resolver;
  Log<std::string> found;
  thread.run([&] {
    resolver = std::make_unique<Resolver>(thread.loop());
    resolver->resolve("127.0.0.1", 6379, [&](std::vector<SocketAddress> addresses) {
      EXPECT_TRUE(thread.loop().is_current());
      for (const SocketAddress& address : addresses) found.add(address.to_string());
    });
  });
  EXPECT_EQ(found.next(), "127.0.0.1:6379");
  thread.run([&] { resolver.reset(); });
}

TEST(ResolverTest, UnknownHostGivesNothing) {
  LoopThread thread;
  std::unique_ptr<Resolver> resolver;
  Log<std::size_t> counts;
  thread.run([&] {
    resolver = std::make_unique<Resolver>(thread.loop());
    resolver->resolve("", 6379, [&](std::vector<SocketAddress> addresses) { counts.add(addresses.size()); });
  });
  EXPECT_EQ(counts.next(), 0U);
  thread.run([&] { resolver.reset(); });
}

// Wherever the look-up is at that time: its thread may be running, or its answer be in the mailbox.
TEST(ResolverTest, LookUpIsAbandonedWithItsResolver) {
  LoopThread thread;
  Log<int> answers;
  for (int i = 0; i < 20; ++i) {
    std::unique_ptr<Resolver> resolver;
    thread.run([&] {
      resolver = std::make_unique<Resolver>(thread.loop());
      resolver->resolve("127.0.0.1", 1, [&](std::vector<SocketAddress>) { answers.add(i); });
      if (i % 2 == 0) resolver.reset();
    });
    thread.run([&] { resolver.reset(); });
  }
  thread.run([] {});
  while (const auto answer = answers.next(std::chrono::milliseconds(0))) EXPECT_EQ(*answer % 2, 1);
}

TEST(ResolverTest, LookUpMayOutliveTheLoop) {
  for (int i = 0; i < 20; ++i) {
    LoopThread thread;
    std::unique_ptr<Resolver> resolver;
    thread.run([&] {
      resolver = std::make_unique<Resolver>(thread.loop());
      resolver->resolve("127.0.0.1", 1, [](std::vector<SocketAddress>) {});
    });
    thread.run([&] { resolver.reset(); });
  }
}

}  // namespace
}  // namespace carillon::io
