// What a device will not get, and logs that begin anew.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inbox/testing_delivery.hpp"

namespace carillon::inbox {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Deliverer, AGapOfTheLimitIsTold) {
  DeliveryBench bench({.notifications_per_user_max = 3});
  bench.notify("alice", 5);
  const auto phone = bench.arrive("alice");
  EXPECT_THAT(phone->received, ElementsAre(3, 4, 5));
  ASSERT_THAT(phone->gaps, SizeIs(1));
  EXPECT_EQ(phone->gaps[0].reason, Gap::Reason::limit);
  EXPECT_EQ(phone->gaps[0].from, 1U);
  EXPECT_EQ(phone->gaps[0].to, 2U);
  EXPECT_EQ(bench.deliverer.stats().gaps.value(), 1U);
}

// An acknowledgement of what was sent before the gap was told says nothing about whether the gap was heard.
TEST(Deliverer, AGapIsToldAgainUntilSomethingBehindItIsAcknowledged) {
  DeliveryBench bench({.notifications_per_user_max = 3});
  bench.options.window = 1;
  auto phone = bench.arrive("alice", "phone", true);
  bench.notify("alice", 1);
  for (int i = 0; i < 6; ++i) bench.accept("alice");
  bench.options.window = 2;
  bench.notify("alice", 1);
  bench.store.run();
  ASSERT_THAT(phone->received, ElementsAre(1, 6));
  ASSERT_THAT(phone->gaps, SizeIs(1));
  phone->acknowledge(1);
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 1U);
  bench.come_back(phone);
  ASSERT_THAT(phone->gaps, SizeIs(1));
  EXPECT_EQ(phone->gaps[0].from, 2U);
  EXPECT_EQ(phone->gaps[0].to, 5U);
  phone->acknowledge(6);
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 6U);
}

TEST(Deliverer, WhatWasDroppedAfterItWasDeliveredIsNoGap) {
  DeliveryBench bench({.notifications_per_user_max = 3});
  auto phone = bench.arrive("alice");
  bench.notify("alice", 5);
  bench.settle(*phone);
  bench.disconnect(*phone);
  bench.notify("alice");
  phone = bench.arrive("alice");
  EXPECT_THAT(phone->received, ElementsAre(6));
  EXPECT_THAT(phone->gaps, IsEmpty());
}

TEST(Deliverer, ALostLogIsToldAndFollowedFromItsBeginning) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice");
  bench.notify("alice", 3);
  bench.advance(Milliseconds(40));
  bench.store.lose_everything("second");
  bench.notify("alice", 2);
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(1, 2, 3, 1, 2));
  ASSERT_THAT(phone->gaps, SizeIs(1));
  EXPECT_EQ(phone->gaps[0].reason, Gap::Reason::epoch);
  EXPECT_EQ(phone->gaps[0].epoch, "second");
  // The pong to the ping from before proves nothing of the new log.
  phone->pong();
  EXPECT_EQ(bench.stored_cursor("alice"), 0U);
  bench.settle(*phone);
  EXPECT_EQ(bench.stored_cursor("alice"), 2U);
}

// A proof of the old log that could not be saved must not count for the new one.
TEST(Deliverer, AProofOfALostLogIsNotSavedInTheNewOne) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice");
  bench.notify("alice", 3);
  bench.advance(Milliseconds(40));
  bench.store.set_faults(refuse("", StoreError::full));
  phone->pong();
  bench.store.run();
  bench.store.lose_everything("second");
  bench.notify("alice", 3);
  bench.advance(Milliseconds(20'000));
  EXPECT_EQ(bench.stored_cursor("alice"), 0U);
}

TEST(Deliverer, ALogThatHasLostNothingGoesOnInAnotherEpoch) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice");
  bench.notify("alice", 3);
  bench.advance(Milliseconds(40));
  bench.store.lose_tail("second", 3);
  bench.notify("alice", 2);
  bench.settle(*phone);
  EXPECT_THAT(phone->received, ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(phone->epoch, "second");
  EXPECT_THAT(phone->gaps, IsEmpty());
  EXPECT_EQ(bench.stored_cursor("alice"), 5U);
}

TEST(Deliverer, NumbersThatAreGivenAgainAreNotTakenForTheFirstOnes) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice");
  bench.notify("alice", 3);
  bench.settle(*phone);
  bench.store.lose_tail("second", 1);
  bench.accept("alice");
  bench.accept("alice");
  bench.notify("alice");  // by its number the next one of what was lost
  bench.settle(*phone);
  EXPECT_THAT(phone->ids, ElementsAre("id-1", "id-2", "id-3", "id-4", "id-5", "id-6"));
  EXPECT_THAT(phone->received, ElementsAre(1, 2, 3, 2, 3, 4));
  EXPECT_THAT(phone->gaps, SizeIs(1));
  EXPECT_EQ(bench.stored_cursor("alice"), 4U);
}

TEST(Deliverer, WhatWasSentInAnEarlierEpochCanBeAcknowledged) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice", "phone", true);
  bench.notify("alice", 2);
  bench.store.lose_tail("second", 2);
  bench.notify("alice");
  bench.store.run();
  phone->recipient->on_acknowledged({"first", 1});
  phone->recipient->on_acknowledged({"first", 2});
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 2U);
  phone->recipient->on_acknowledged({"second", 3});
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 3U);
}

}  // namespace
}  // namespace carillon::inbox
