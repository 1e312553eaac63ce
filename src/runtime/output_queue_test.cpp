#include "runtime/output_queue.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

namespace carillon::runtime {
namespace {

using Outcome = OutputQueue::Outcome;

class OutputQueueTest : public ::testing::Test {
 protected:
  OutputQueueTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    ours_ = io::Stream(io::Socket(ends[0]));
    theirs_ = io::Socket(ends[1]);
  }
  void push(std::string bytes) {
    auto owner = std::make_shared<const std::string>(std::move(bytes));
    const std::string_view view = *owner;
    queue_.push(std::move(owner), view);
  }
  std::string read_all() {
    std::string all;
    std::array<char, 65536> buffer;
    for (auto count = theirs_.read(buffer); count && *count > 0; count = theirs_.read(buffer))
      all.append(buffer.data(), *count);
    return all;
  }

  io::Stream ours_;
  io::Socket theirs_;
  OutputQueue queue_;
  std::string scratch_;
};

TEST_F(OutputQueueTest, WritesEverythingInOrder) {
  std::string expected;
  for (const std::size_t size : {1U, 100U, 40'000U, 0U, 7U}) {
    push(std::string(size, 'a'));
    push(std::to_string(size));
    expected += std::string(size, 'a') + std::to_string(size);
  }
  EXPECT_EQ(queue_.bytes(), expected.size());
  EXPECT_EQ(queue_.copy(), expected);
  const auto [outcome, bytes] = queue_.write(ours_, scratch_);
  EXPECT_EQ(outcome, Outcome::done);
  EXPECT_EQ(bytes, expected.size());
  EXPECT_EQ(read_all(), expected);
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.bytes(), 0U);
}

TEST_F(OutputQueueTest, GoesOnWhereASlowReaderHasStoppedIt) {
  std::string expected;
  for (int i = 0; i < 20'000; ++i) {
    const std::string piece = std::to_string(i) + std::string(static_cast<std::size_t>(i) % 300, 'x');
    push(piece);
    expected += piece;
  }
  std::string got;
  bool was_blocked = false;
  for (;;) {
    const std::size_t before = queue_.bytes();
    const auto [outcome, bytes] = queue_.write(ours_, scratch_);
    EXPECT_EQ(queue_.bytes(), before - bytes);
    EXPECT_EQ(queue_.copy(), expected.substr(expected.size() - queue_.bytes()));
    got += read_all();
    if (outcome == Outcome::done) break;
    ASSERT_EQ(outcome, Outcome::blocked);
    was_blocked = true;
  }
  EXPECT_TRUE(was_blocked);
  EXPECT_EQ(got, expected);
}

TEST_F(OutputQueueTest, LetsGoOfWhatIsWritten) {
  auto owner = std::make_shared<const std::string>("shared");
  queue_.push(owner, *owner);
  queue_.push(owner, *owner);
  EXPECT_EQ(owner.use_count(), 3);
  queue_.write(ours_, scratch_);
  EXPECT_EQ(owner.use_count(), 1);
  queue_.push(owner, *owner);
  queue_.clear();
  EXPECT_EQ(owner.use_count(), 1);
  EXPECT_EQ(queue_.bytes(), 0U);
}

TEST_F(OutputQueueTest, FailsWhenTheReaderHasGone) {
  theirs_.close();
  push("hello");
  EXPECT_EQ(queue_.write(ours_, scratch_).outcome, Outcome::failed);
}

}  // namespace
}  // namespace carillon::runtime
