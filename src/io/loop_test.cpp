#include "io/loop.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "io/socket.hpp"
#include "io/testing.hpp"

namespace carillon::io {
namespace {

using namespace testing;

// Ends the loop after a number of turns; wakes it as the test wants.
struct Hooks final : LoopHooks {
  explicit Hooks(Loop& running) : loop(running) {}
  void on_turn_begin(TimePoint) override {}
  void on_turn_end(TimePoint now) override {
    ended_at.push_back(now);
    if (ended_at.size() >= turns_max) loop.stop();
  }
  TimePoint next_deadline() const override { return deadline; }

  Loop& loop;
  TimePoint deadline = never;
  std::size_t turns_max = 1'000'000;
  std::vector<TimePoint> ended_at;
};

std::pair<Socket, Socket> socket_pair() {
  std::array<int, 2> files{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, files.data()), 0);
  return {Socket(files[0]), Socket(files[1])};
}

// Calls a function; watched from the start.
class Probe final : public Watcher {
 public:
  Probe(Loop& loop, Socket socket, std::function<void(bool readable, bool writable)> heard, bool reads = true,
        bool writes = false)
      : loop_(loop), socket_(std::move(socket)), heard_(std::move(heard)) {
    loop_.watch(socket_.fd(), *this, reads, writes);
  }
  ~Probe() override { loop_.unwatch(socket_.fd(), *this); }
  void on_io(bool readable, bool writable) override { heard_(readable, writable); }
  void change(bool reads, bool writes) { loop_.change(socket_.fd(), *this, reads, writes); }
  const Socket& socket() const { return socket_; }

 private:
  Loop& loop_;
  Socket socket_;
  std::function<void(bool, bool)> heard_;
};

TEST(LoopTest, MailOfManyThreadsRunsOnceAndKeepsEachThreadsOrder) {
  constexpr int threads = 4;
  constexpr int tasks = 5'000;
  LoopThread runner;
  std::array<std::vector<int>, threads> seen;  // touched on the loop only
  Gate done;
  int finished = 0;
  {
    std::vector<std::jthread> senders;
    for (std::size_t sender = 0; sender < threads; ++sender) {
      senders.emplace_back([&, sender] {
        for (int i = 0; i < tasks; ++i) runner.loop().post([&seen, sender, i] { seen[sender].push_back(i); });
        runner.loop().post([&] {
          if (++finished == threads) done.open();
        });
      });
    }
  }
  ASSERT_TRUE(done.wait());
  for (const auto& numbers : seen) {
    ASSERT_EQ(numbers.size(), tasks);
    for (int i = 0; i < tasks; ++i) EXPECT_EQ(numbers[static_cast<std::size_t>(i)], i);
  }
}

TEST(LoopTest, TaskThatPostsIsFollowedByWhatItPostedWithoutAnyOtherEvent) {
  LoopThread runner;
  Log<int> log;
  runner.loop().post([&] {
    runner.loop().post([&] {
      log.add(2);
      runner.loop().post([&] { log.add(3); });
    });
    log.add(1);
  });
  for (const int expected : {1, 2, 3}) EXPECT_EQ(log.next(), expected);
}

TEST(LoopTest, KnowsItsThread) {
  LoopThread runner;
  EXPECT_FALSE(runner.loop().is_current());
  bool inside = false;
  runner.run([&] { inside = runner.loop().is_current(); });
  EXPECT_TRUE(inside);
}

TEST(LoopTest, StopBeforeRunMakesItReturnAtOnce) {
  Loop loop;
  Hooks hooks(loop);
  loop.stop();
  loop.run(hooks);
  EXPECT_TRUE(hooks.ended_at.empty());
  EXPECT_FALSE(loop.is_current());
}

TEST(LoopTest, TasksLeftAtTheEndAndThoseThatComeLaterAreDestroyedUnrun) {
  Loop loop;
  Hooks hooks(loop);
  hooks.turns_max = 1;
  const auto token = std::make_shared<int>(0);
  bool ran = false;
  loop.post([&] { loop.post([&, token] { ran = true; }); });  // too late: the loop ends with this turn
  loop.run(hooks);
  EXPECT_EQ(token.use_count(), 1);
  loop.post([&, token] { ran = true; });
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_FALSE(ran);
}

// A task that dies may own what posts in its turn, for instance to say that it has gone.
TEST(LoopTest, TaskThatPostsWhileItIsDestroyedDoesNotHangTheLoop) {
  struct PostsAtTheEnd {
    explicit PostsAtTheEnd(Loop& target) : loop(target) {}
    ~PostsAtTheEnd() {
      loop.post([] {});
    }
    Loop& loop;
  };
  Loop loop;
  Hooks hooks(loop);
  loop.post([last = std::make_unique<PostsAtTheEnd>(loop)] {});
  loop.stop();
  loop.run(hooks);
  loop.post([last = std::make_unique<PostsAtTheEnd>(loop)] {});
}

TEST(LoopTest, UnwatchedWatcherIsNotCalledAnyMoreInTheSameTurn) {
  Loop loop;
  Hooks hooks(loop);
  hooks.turns_max = 1;
  auto [left, left_peer] = socket_pair();
  auto [right, right_peer] = socket_pair();
  // Both are readable: whichever is called first destroys the other one.
  std::array<std::unique_ptr<Probe>, 2> probes;
  int calls = 0;
  for (std::size_t i : {0U, 1U}) {
    probes[i] = std::make_unique<Probe>(loop, std::move(i == 0 ? left : right), [&, i](bool, bool) {
      ++calls;
      probes[1 - i].reset();
    });
  }
  ASSERT_TRUE(left_peer.write("x"));
  ASSERT_TRUE(right_peer.write("x"));
  loop.run(hooks);
  EXPECT_EQ(calls, 1);
}

TEST(LoopTest, WatcherThatTakesTheFileDescriptorOfAnotherInTheSameTurnHearsOnlyOfItsOwn) {
  Loop loop;
  Hooks hooks(loop);
  hooks.turns_max = 1;
  auto [first, first_peer] = socket_pair();
  auto [second, second_peer] = socket_pair();
  std::unique_ptr<Probe> old;
  std::unique_ptr<Probe> fresh;
  std::pair<Socket, Socket> other;
  int old_calls = 0;
  int fresh_calls = 0;
  Probe opener(loop, std::move(first), [&](bool, bool) {
    old.reset();
    other = socket_pair();  // most likely with the number just freed; nothing to read
    fresh = std::make_unique<Probe>(loop, std::move(other.first), [&](bool, bool) { ++fresh_calls; });
  });
  ASSERT_TRUE(first_peer.write("x"));  // reported first: it became readable first
  old = std::make_unique<Probe>(loop, std::move(second), [&](bool, bool) { ++old_calls; });
  ASSERT_TRUE(second_peer.write("x"));
  loop.run(hooks);
  EXPECT_EQ(old_calls + fresh_calls, 0);
}

TEST(LoopTest, ReportsWhatWasAskedForAndHangUpAsReadable) {
  Loop loop;
  Hooks hooks(loop);
  hooks.turns_max = 1;
  auto [mine, peer] = socket_pair();
  std::vector<std::pair<bool, bool>> heard;
  const auto hear = [&](bool readable, bool writable) { heard.emplace_back(readable, writable); };
  Probe probe(loop, std::move(mine), hear, true, true);
  loop.run(hooks);
  EXPECT_EQ(heard, (std::vector<std::pair<bool, bool>>{{false, true}}));

  Loop later;
  Hooks later_hooks(later);
  later_hooks.turns_max = 1;
  heard.clear();
  Probe gone(later, Socket(::dup(probe.socket().fd())), hear, false, false);
  peer.close();
  later.run(later_hooks);
  EXPECT_EQ(heard, (std::vector<std::pair<bool, bool>>{{true, false}}));
}

TEST(LoopTest, SleepsUntilTheDeadlineAndNoLonger) {
  Loop loop;
  Hooks hooks(loop);
  const TimePoint start = Loop::read_clock();
  hooks.deadline = start + Milliseconds(30);
  hooks.turns_max = 1;
  loop.run(hooks);
  EXPECT_GE(hooks.ended_at.front(), hooks.deadline);
  EXPECT_LT(hooks.ended_at.front(), start + patience);
  EXPECT_EQ(loop.now(), hooks.ended_at.front());
}

// "At once" is said as the beginning of time, too.
TEST(LoopTest, DeadlineInThePastMeansNoSleep) {
  for (const TimePoint past : {TimePoint::min(), TimePoint(), Loop::read_clock() - Milliseconds(1)}) {
    Loop loop;
    Hooks hooks(loop);
    hooks.deadline = past;
    hooks.turns_max = 3;
    const TimePoint start = Loop::read_clock();
    loop.run(hooks);
    EXPECT_LT(Loop::read_clock() - start, Milliseconds(patience));
  }
}

TEST(LoopTest, MailWakesALoopThatHasNoDeadline) {
  LoopThread runner;
  for (int i = 0; i < 100; ++i) runner.run([] {});  // each waits for the loop, which sleeps in between
}

}  // namespace
}  // namespace carillon::io
