#include "redis/publish_queue.hpp"

#include <gtest/gtest.h>

namespace carillon::redis {
namespace {

constexpr TimePoint start{Milliseconds{1'000}};

bool push(PublishQueue& queue, std::string channel, std::string payload) {
  return queue.push({.channel = std::move(channel), .payload = std::move(payload)});
}

std::size_t age(PublishQueue& queue, TimePoint now) {
  queue.stamp(now);
  std::size_t dropped = 0;
  while (queue.pop_old(now)) ++dropped;
  return dropped;
}

TEST(PublishQueueTest, IsFirstInFirstOut) {
  ByteBudget budget(10'000);
  PublishQueue queue(budget, Milliseconds{100});
  EXPECT_TRUE(push(queue, "a", "1"));
  age(queue, start);
  EXPECT_TRUE(push(queue, "b", "2"));
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.pop()->payload, "1");
  EXPECT_EQ(queue.pop()->channel, "b");
  EXPECT_FALSE(queue.pop());
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_TRUE(push(queue, "c", "3"));
  EXPECT_EQ(age(queue, start + Milliseconds{50}), 0U);
  EXPECT_EQ(queue.next_deadline(), start + Milliseconds{150});
}

TEST(PublishQueueTest, RefusesTheNewestBeyondItsBytes) {
  ByteBudget budget(1'200);
  PublishQueue queue(budget, Milliseconds{100});
  EXPECT_TRUE(push(queue, "c", std::string(700, 'x')));
  EXPECT_FALSE(push(queue, "c", std::string(700, 'x')));
  EXPECT_TRUE(push(queue, "c", "small"));
  EXPECT_LE(queue.bytes(), 1'200U);
  EXPECT_FALSE(push(queue, "c", std::string(5'000, 'x')));
  queue.pop();
  queue.pop();
  EXPECT_TRUE(queue.empty());
}

TEST(PublishQueueTest, DropsTheOldestByAge) {
  ByteBudget budget(10'000);
  PublishQueue queue(budget, Milliseconds{100});
  EXPECT_EQ(queue.next_deadline(), never);
  push(queue, "c", "1");
  EXPECT_EQ(queue.next_deadline(), never);  // its time is not known yet
  EXPECT_EQ(age(queue, start), 0U);
  push(queue, "c", "2");
  EXPECT_EQ(queue.next_deadline(), start + Milliseconds{100});
  EXPECT_EQ(age(queue, start + Milliseconds{60}), 0U);
  EXPECT_EQ(age(queue, start + Milliseconds{99}), 0U);
  EXPECT_EQ(age(queue, start + Milliseconds{100}), 1U);
  EXPECT_EQ(queue.next_deadline(), start + Milliseconds{160});
  EXPECT_EQ(age(queue, start + Milliseconds{1'000}), 1U);
  EXPECT_EQ(queue.bytes(), 0U);
}

TEST(PublishQueueTest, SeveralShareABudget) {
  ByteBudget budget(2'000);
  PublishQueue one(budget, Milliseconds{100});
  {
    PublishQueue other(budget, Milliseconds{100});
    EXPECT_TRUE(push(other, "c", std::string(1'000, 'x')));
    EXPECT_FALSE(push(one, "c", std::string(1'000, 'x')));
  }
  EXPECT_TRUE(push(one, "c", std::string(1'000, 'x')));
}

TEST(PublishQueueTest, WhatComesFromAnotherQueueFindsItsPlaceAndKeepsItsAge) {
  ByteBudget budget(100'000);
  PublishQueue one(budget, Milliseconds{100});
  PublishQueue other(budget, Milliseconds{100});
  for (std::uint64_t number = 1; number <= 4; ++number) {
    PublishQueue& queue = number % 2 == 0 ? one : other;
    EXPECT_TRUE(queue.push({.channel = "c", .payload = std::to_string(number), .number = number}));
    queue.stamp(start + Milliseconds{number});
  }
  auto taken = other.take([](const PublishQueue::Message& message) { return message.payload != "none"; });
  EXPECT_TRUE(other.empty());
  EXPECT_EQ(other.bytes(), 0U);
  for (PublishQueue::Message& message : taken) EXPECT_TRUE(one.push(std::move(message)));
  EXPECT_EQ(one.next_deadline(), start + Milliseconds{101});
  EXPECT_EQ(age(one, start + Milliseconds{101}), 1U);
  for (const char* payload : {"2", "3", "4"}) EXPECT_EQ(one.pop()->payload, payload);
}

}  // namespace
}  // namespace carillon::redis
