#include "redis/subscriptions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(SubscriptionsTest, NothingIsSentBeforeTheConnectionIsThere) {
  Subscriptions all(10);
  all.want("a");
  all.want("b");
  all.release("b");
  EXPECT_FALSE(all.has_batch());
  EXPECT_FALSE(all.restored());
  EXPECT_EQ(all.wanted(), 1U);
  all.start();
  ASSERT_TRUE(all.has_batch());
  EXPECT_THAT(all.take_batch().subscribe, ElementsAre("a"));
  EXPECT_FALSE(all.has_batch());
  EXPECT_FALSE(all.restored());
  EXPECT_TRUE(all.confirm("a", true));
  EXPECT_TRUE(all.restored());
  EXPECT_THAT(all.take_answers(), ElementsAre("a"));
  EXPECT_THAT(all.take_answers(), IsEmpty());
}

TEST(SubscriptionsTest, WantingTwiceIsSentOnceAndAnsweredEachTime) {
  Subscriptions all(10);
  all.start();
  all.want("a");
  all.want("a");
  EXPECT_THAT(all.take_batch().subscribe, ElementsAre("a"));
  all.confirm("a", true);
  EXPECT_THAT(all.take_answers(), ElementsAre("a"));
  all.want("a");
  EXPECT_TRUE(all.has_batch());
  EXPECT_THAT(all.take_batch().subscribe, IsEmpty());
  EXPECT_THAT(all.take_answers(), ElementsAre("a"));
  EXPECT_EQ(all.wanted(), 1U);
}

TEST(SubscriptionsTest, CountsConfirmationsOfQuickChanges) {
  Subscriptions all(10);
  all.start();
  all.want("a");
  all.take_batch();
  all.release("a");
  EXPECT_THAT(all.take_batch().unsubscribe, ElementsAre("a"));
  all.want("a");
  EXPECT_THAT(all.take_batch().subscribe, ElementsAre("a"));
  EXPECT_TRUE(all.confirm("a", true));
  EXPECT_TRUE(all.confirm("a", false));
  EXPECT_THAT(all.take_answers(), IsEmpty());
  EXPECT_TRUE(all.confirm("a", true));
  EXPECT_THAT(all.take_answers(), ElementsAre("a"));
}

TEST(SubscriptionsTest, ConfirmationsThatWereNotAskedForAreRefused) {
  Subscriptions all(10);
  all.start();
  EXPECT_FALSE(all.confirm("a", true));
  all.want("a");
  EXPECT_FALSE(all.confirm("a", true));
  all.take_batch();
  EXPECT_FALSE(all.confirm("a", false));
}

TEST(SubscriptionsTest, TheNextBatchWaitsForThePreviousOne) {
  Subscriptions all(2);
  for (const char* name : {"a", "b", "c"}) all.want(name);
  all.start();
  const std::vector<std::string_view> first = all.take_batch().subscribe;
  EXPECT_THAT(first, SizeIs(2));
  EXPECT_FALSE(all.has_batch());
  all.confirm(first[0], true);
  EXPECT_TRUE(all.has_batch());  // the last one fits beside the one on the way
  EXPECT_THAT(all.take_batch().subscribe, SizeIs(1));
}

TEST(SubscriptionsTest, ALostConnectionForgetsWhatWasOnTheWay) {
  Subscriptions all(10);
  all.start();
  for (const char* name : {"a", "b"}) all.want(name);
  all.take_batch();
  all.confirm("a", true);
  all.take_answers();
  all.release("a");
  all.stop();
  EXPECT_FALSE(all.restored());
  EXPECT_FALSE(all.confirm("b", true));
  all.start();
  EXPECT_THAT(all.take_batch().subscribe, ElementsAre("b"));
  EXPECT_TRUE(all.confirm("b", true));
  EXPECT_THAT(all.take_answers(), ElementsAre("b"));
  EXPECT_EQ(all.wanted(), 1U);
}

TEST(SubscriptionsTest, LaterJoinsDoNotDelayTheRestoration) {
  Subscriptions all(10);
  all.want("a");
  all.want("gone");
  all.start();
  all.want("late");
  all.release("gone");
  EXPECT_THAT(all.take_batch().subscribe, SizeIs(2));
  EXPECT_FALSE(all.restored());
  all.confirm("a", true);
  EXPECT_TRUE(all.restored());
}

}  // namespace
}  // namespace carillon::redis
