#include "redis/publish_queue.hpp"

#include <gtest/gtest.h>

namespace carillon::redis {
namespace {

constexpr TimePoint start{Milliseconds{1'000}};

TEST(PublishQueueTest, IsFirstInFirstOut) {
  PublishQueue queue(10'000, Milliseconds{100});
  EXPECT_TRUE(queue.push("a", "1"));
  queue.age(start);
  EXPECT_TRUE(queue.push("b", "2"));
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.pop()->payload, "1");
  EXPECT_EQ(queue.pop()->channel, "b");
  EXPECT_FALSE(queue.pop());
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_TRUE(queue.push("c", "3"));
  EXPECT_EQ(queue.age(start + Milliseconds{50}), 0U);
  EXPECT_EQ(queue.next_deadline(), start + Milliseconds{150});
}

TEST(PublishQueueTest, RefusesTheNewestBeyondItsBytes) {
  PublishQueue queue(1'000, Milliseconds{100});
  EXPECT_TRUE(queue.push("c", std::string(700, 'x')));
  EXPECT_FALSE(queue.push("c", std::string(700, 'x')));
  EXPECT_TRUE(queue.push("c", "small"));
  EXPECT_LE(queue.bytes(), 1'000U);
  EXPECT_FALSE(queue.push("c", std::string(5'000, 'x')));
  queue.pop();
  queue.pop();
  EXPECT_TRUE(queue.empty());
}

TEST(PublishQueueTest, DropsTheOldestByAge) {
  PublishQueue queue(10'000, Milliseconds{100});
  EXPECT_EQ(queue.next_deadline(), never);
  queue.push("c", "1");
  EXPECT_EQ(queue.next_deadline(), never);  // its time is not known yet
  EXPECT_EQ(queue.age(start), 0U);
  queue.push("c", "2");
  EXPECT_EQ(queue.next_deadline(), start + Milliseconds{100});
  EXPECT_EQ(queue.age(start + Milliseconds{60}), 0U);
  EXPECT_EQ(queue.age(start + Milliseconds{99}), 0U);
  EXPECT_EQ(queue.age(start + Milliseconds{100}), 1U);
  EXPECT_EQ(queue.next_deadline(), start + Milliseconds{160});
  EXPECT_EQ(queue.age(start + Milliseconds{1'000}), 1U);
  EXPECT_EQ(queue.bytes(), 0U);
}

}  // namespace
}  // namespace carillon::redis
