// Proof by the application.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inbox/testing_delivery.hpp"

namespace carillon::inbox {
namespace {

using testing::ElementsAre;

TEST(Deliverer, OnlyTheAcknowledgementCountsWhereOneIsAskedFor) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice", "phone", true);
  bench.notify("alice", 2);
  bench.advance(Milliseconds(40));
  EXPECT_EQ(phone->pings, 0);
  phone->recipient->on_ping_sent();
  phone->pong();
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 0U);
  phone->acknowledge(1);
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 1U);
  phone->acknowledge(2);
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 2U);
}

TEST(Deliverer, WhatWasAcknowledgedOutOfOrderIsNotRepeated) {
  DeliveryBench bench;
  auto phone = bench.arrive("alice", "phone", true);
  bench.notify("alice", 5);
  for (const std::uint64_t number : {1U, 3U, 5U}) phone->acknowledge(number);
  EXPECT_EQ(bench.stored("alice", "phone").cursor, 1U);
  EXPECT_THAT(bench.stored("alice", "phone").above, ElementsAre(Range{2, 3}, Range{4, 5}));
  bench.come_back(phone);
  EXPECT_THAT(phone->received, ElementsAre(2, 4));
  phone->acknowledge(2);
  phone->acknowledge(4);
  EXPECT_EQ(bench.stored("alice", "phone").cursor, 5U);
}

TEST(Deliverer, RepeatsWhatIsNotAcknowledgedThreeTimesInAll) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice", "phone", true);
  bench.notify("alice", 2);
  phone->acknowledge(2);
  bench.advance(Milliseconds(9'900));
  EXPECT_THAT(phone->received, ElementsAre(1, 2));
  bench.advance(Milliseconds(200));
  EXPECT_THAT(phone->received, ElementsAre(1, 2, 1));
  bench.advance(Milliseconds(60'000));
  EXPECT_THAT(phone->received, ElementsAre(1, 2, 1, 1));
  EXPECT_THAT(phone->ids, ElementsAre("id-1", "id-2", "id-1", "id-1"));
  EXPECT_EQ(phone->recipient->unproven(), 0U) << "it gives up its place in the window";
  EXPECT_EQ(bench.deliverer.stats().given_up.value(), 1U);
  EXPECT_EQ(bench.stored("alice", "phone").cursor, 0U);
}

TEST(Deliverer, ALateAcknowledgementStillCounts) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice", "phone", true);
  bench.notify("alice");
  bench.advance(Milliseconds(60'000));
  phone->acknowledge(1);
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 1U);
}

// What a connection has not room to remember may be acknowledged late for nothing: it comes again, and is never passed over.
TEST(Deliverer, WhatWasGivenUpBeyondTheMemoryComesAgain) {
  DeliveryBench bench;
  bench.options.given_up_max = 2;
  auto phone = bench.arrive("alice", "phone", true);
  bench.notify("alice", 5);
  bench.advance(Milliseconds(60'000));
  EXPECT_EQ(bench.deliverer.stats().given_up.value(), 5U);
  for (const std::uint64_t number : {5U, 1U, 2U}) phone->acknowledge(number);
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 2U);
  bench.come_back(phone);
  EXPECT_THAT(phone->received, ElementsAre(3, 4, 5));
}

TEST(Deliverer, AnAcknowledgementForWhatWasNeverSentIsIgnored) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice", "phone", true);
  bench.notify("alice");
  phone->acknowledge(7);
  phone->recipient->on_acknowledged({"other", 1});
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 0U);
  phone->acknowledge(1);
  phone->acknowledge(1);
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 1U);
}

TEST(Deliverer, WhatHasExpiredIsNotRepeated) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice", "phone", true);
  bench.deliverer.on_signal(bench.accept("alice", 5'000));
  bench.advance(Milliseconds(30'000));
  EXPECT_THAT(phone->received, ElementsAre(1));
}

}  // namespace
}  // namespace carillon::inbox
