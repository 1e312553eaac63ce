#include "redis/subscriptions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr TimePoint now{Milliseconds{1'000}};

class SubscriptionsTest : public ::testing::Test {
 protected:
  Pace unlimited{0};
};

TEST_F(SubscriptionsTest, NothingIsSentBeforeTheConnectionIsThere) {
  Subscriptions all(10, unlimited);
  all.want("a");
  all.want("b");
  all.release("b");
  EXPECT_FALSE(all.has_batch(now));
  EXPECT_FALSE(all.restored());
  EXPECT_EQ(all.wanted(), 1U);
  all.start();
  ASSERT_TRUE(all.has_batch(now));
  EXPECT_THAT(all.take_batch(now).subscribe, ElementsAre("a"));
  EXPECT_FALSE(all.has_batch(now));
  EXPECT_FALSE(all.restored());
  EXPECT_TRUE(all.confirm("a", true));
  EXPECT_TRUE(all.restored());
  EXPECT_THAT(all.take_answers(), ElementsAre("a"));
  EXPECT_THAT(all.take_answers(), IsEmpty());
}

TEST_F(SubscriptionsTest, WantingTwiceIsSentOnceAndAnsweredEachTime) {
  Subscriptions all(10, unlimited);
  all.start();
  all.want("a");
  all.want("a");
  EXPECT_THAT(all.take_batch(now).subscribe, ElementsAre("a"));
  all.confirm("a", true);
  EXPECT_THAT(all.take_answers(), ElementsAre("a"));
  all.want("a");
  EXPECT_TRUE(all.has_batch(now));
  EXPECT_THAT(all.take_batch(now).subscribe, IsEmpty());
  EXPECT_THAT(all.take_answers(), ElementsAre("a"));
  EXPECT_EQ(all.wanted(), 1U);
}

TEST_F(SubscriptionsTest, CountsConfirmationsOfQuickChanges) {
  Subscriptions all(10, unlimited);
  all.start();
  all.want("a");
  all.take_batch(now);
  all.release("a");
  EXPECT_THAT(all.take_batch(now).unsubscribe, ElementsAre("a"));
  all.want("a");
  EXPECT_THAT(all.take_batch(now).subscribe, ElementsAre("a"));
  EXPECT_TRUE(all.confirm("a", true));
  EXPECT_TRUE(all.confirm("a", false));
  EXPECT_THAT(all.take_answers(), IsEmpty());
  EXPECT_TRUE(all.confirm("a", true));
  EXPECT_THAT(all.take_answers(), ElementsAre("a"));
}

TEST_F(SubscriptionsTest, ConfirmationsThatWereNotAskedForAreRefused) {
  Subscriptions all(10, unlimited);
  all.start();
  EXPECT_FALSE(all.confirm("a", true));
  all.want("a");
  EXPECT_FALSE(all.confirm("a", true));
  all.take_batch(now);
  EXPECT_FALSE(all.confirm("a", false));
}

TEST_F(SubscriptionsTest, TheNextBatchWaitsForThePreviousOne) {
  Subscriptions all(2, unlimited);
  for (const char* name : {"a", "b", "c"}) all.want(name);
  all.start();
  const std::vector<std::string_view> first = all.take_batch(now).subscribe;
  EXPECT_THAT(first, SizeIs(2));
  EXPECT_FALSE(all.has_batch(now));
  all.confirm(first[0], true);
  EXPECT_TRUE(all.has_batch(now));  // the last one fits beside the one on the way
  EXPECT_THAT(all.take_batch(now).subscribe, SizeIs(1));
}

TEST_F(SubscriptionsTest, ALostConnectionForgetsWhatWasOnTheWay) {
  Subscriptions all(10, unlimited);
  all.start();
  for (const char* name : {"a", "b"}) all.want(name);
  all.take_batch(now);
  all.confirm("a", true);
  all.take_answers();
  all.release("a");
  all.stop();
  EXPECT_FALSE(all.restored());
  EXPECT_FALSE(all.confirm("b", true));
  all.start();
  EXPECT_THAT(all.take_batch(now).subscribe, ElementsAre("b"));
  EXPECT_TRUE(all.confirm("b", true));
  EXPECT_THAT(all.take_answers(), ElementsAre("b"));
  EXPECT_EQ(all.wanted(), 1U);
}

TEST_F(SubscriptionsTest, LaterJoinsDoNotDelayTheRestoration) {
  Subscriptions all(10, unlimited);
  all.want("a");
  all.want("gone");
  all.start();
  all.want("late");
  all.release("gone");
  EXPECT_THAT(all.take_batch(now).subscribe, SizeIs(2));
  EXPECT_FALSE(all.restored());
  all.confirm("a", true);
  EXPECT_TRUE(all.restored());
}

// --- what comes back after a reconnect ---

std::vector<std::string> numbered(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back("room" + std::to_string(i));
  return names;
}

TEST_F(SubscriptionsTest, ComeBackAtTheirPace) {
  Pace pace(1'000);  // ten in ten milliseconds
  Subscriptions all(100, pace);
  for (const std::string& name : numbered(25)) all.want(name);
  all.start();
  std::size_t sent = 0;
  TimePoint time = now;
  for (const std::size_t expected : {10U, 10U, 5U}) {
    ASSERT_TRUE(all.has_batch(time));
    const std::vector<std::string_view> batch = all.take_batch(time).subscribe;
    EXPECT_THAT(batch, SizeIs(expected));
    sent += batch.size();
    EXPECT_FALSE(all.has_batch(time));
    EXPECT_FALSE(all.has_batch(time + Milliseconds{9}));
    for (const std::string_view name : batch) EXPECT_TRUE(all.confirm(name, true));
    EXPECT_EQ(all.next_deadline(), sent == 25 ? never : time + Milliseconds{10});
    EXPECT_EQ(all.restored(), sent == 25);
    time += Milliseconds{10};
  }
  EXPECT_EQ(all.next_deadline(), never);
}

TEST_F(SubscriptionsTest, NewOnesDoNotWaitForThoseThatComeBack) {
  Pace pace(1'000);
  Subscriptions all(100, pace);
  for (const std::string& name : numbered(50)) all.want(name);
  all.start();
  all.take_batch(now);
  all.want("new");
  ASSERT_TRUE(all.has_batch(now));
  EXPECT_THAT(all.take_batch(now).subscribe, ElementsAre("new"));
  EXPECT_TRUE(all.confirm("new", true));
  EXPECT_THAT(all.take_answers(), ElementsAre("new"));
}

// All that can be asked of a channel that has not come back yet.
TEST_F(SubscriptionsTest, AChannelMayChangeBeforeItHasComeBack) {
  Pace pace(100);  // one in ten milliseconds
  Subscriptions all(100, pace);
  const std::vector<std::string> names = numbered(4);
  for (const std::string& name : names) all.want(name);
  all.start();
  const std::string first(all.take_batch(now).subscribe[0]);
  EXPECT_TRUE(all.confirm(first, true));
  EXPECT_THAT(all.take_answers(), ElementsAre(first));
  std::vector<std::string> rest;
  for (const std::string& name : names)
    if (name != first) rest.push_back(name);
  all.want(rest[0]);  // somebody asks for it
  EXPECT_THAT(all.take_batch(now).subscribe, ElementsAre(rest[0]));
  EXPECT_TRUE(all.confirm(rest[0], true));
  EXPECT_THAT(all.take_answers(), ElementsAre(rest[0]));
  all.release(rest[1]);  // nobody wants it any more
  EXPECT_THAT(all.take_batch(now).subscribe, IsEmpty());
  all.release(rest[2]);
  all.want(rest[2]);
  EXPECT_THAT(all.take_batch(now).subscribe, ElementsAre(rest[2]));
  EXPECT_TRUE(all.confirm(rest[2], true));
  EXPECT_TRUE(all.restored());
  while (all.has_batch(now + Milliseconds{10})) {
    const Subscriptions::Batch& batch = all.take_batch(now + Milliseconds{10});
    EXPECT_THAT(batch.subscribe, IsEmpty());
    EXPECT_THAT(batch.unsubscribe, IsEmpty());
  }
  EXPECT_EQ(all.wanted(), 3U);
  all.want(rest[1]);
  EXPECT_THAT(all.take_batch(now + Milliseconds{20}).subscribe, ElementsAre(rest[1]));
}

TEST_F(SubscriptionsTest, WhatRedisEndsIsAskedForAgain) {
  Subscriptions all(10, unlimited);
  all.start();
  EXPECT_FALSE(all.drop("a"));
  all.want("a");
  all.take_batch(now);
  EXPECT_FALSE(all.drop("a"));  // that may be about an earlier one: who knows
  all.confirm("a", true);
  EXPECT_TRUE(all.drop("a"));
  EXPECT_THAT(all.take_batch(now).subscribe, ElementsAre("a"));
  all.confirm("a", true);
  all.release("a");
  EXPECT_TRUE(all.drop("a"));
  EXPECT_THAT(all.take_batch(now).unsubscribe, IsEmpty());
  EXPECT_EQ(all.wanted(), 0U);
}

}  // namespace
}  // namespace carillon::redis
