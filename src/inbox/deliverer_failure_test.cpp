// A store that fails, sockets that go in the middle.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inbox/testing_delivery.hpp"

namespace carillon::inbox {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Fault = MemoryStore::Fault;

TEST(Deliverer, AsksAgainWhenTheStoreFails) {
  DeliveryBench bench;
  bench.notify("alice", 2);
  int calls = 0;
  bench.store.set_faults([&](std::string_view) {
    return MemoryStore::Faults{++calls <= 6 ? Fault::refused : Fault::none, StoreError::unavailable};
  });
  const auto phone = bench.arrive("alice");
  EXPECT_THAT(phone->received, IsEmpty());
  bench.advance(Milliseconds(20'000));
  EXPECT_THAT(phone->received, ElementsAre(1, 2));
  EXPECT_EQ(calls, 9) << "six failures, open, read, the device's registration";
}

TEST(Deliverer, DoesNotHammerAStoreThatFails) {
  DeliveryBench bench;
  int calls = 0;
  bench.store.set_faults([&](std::string_view) {
    ++calls;
    return MemoryStore::Faults{Fault::refused, StoreError::unavailable};
  });
  const auto phone = bench.connect("alice");
  bench.advance(Milliseconds(60'000));
  EXPECT_LT(calls, 25);
  EXPECT_GT(calls, 10);
}

TEST(Deliverer, SavesAProofUntilItIsSaved) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice");
  bench.notify("alice", 2);
  bench.advance(Milliseconds(40));
  int failures = 3;
  bench.store.set_faults([&](std::string_view call) {
    const bool fails = call == "prove" && failures-- > 0;
    return MemoryStore::Faults{fails ? Fault::refused : Fault::none, StoreError::full};
  });
  phone->pong();
  bench.advance(Milliseconds(60'000));
  EXPECT_LT(failures, 0);
  EXPECT_EQ(bench.stored_cursor("alice"), 2U);
}

TEST(Deliverer, WhatWasProvenIsSavedAlsoWhenTheSocketGoes) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice", "phone", true);
  bench.notify("alice", 3);
  for (const std::uint64_t number : {1U, 2U, 3U}) phone->acknowledge(number);
  bench.disconnect(*phone);
  bench.store.run();
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 3U);
}

TEST(Deliverer, ASocketThatGoesInTheMiddleGetsNothingMore) {
  DeliveryBench bench;
  bench.notify("alice", 5);
  const auto phone = bench.connect("alice");
  phone->on_send = [&] {
    if (phone->received.size() == 2) bench.disconnect(*phone);
  };
  bench.store.run();
  bench.notify("alice");
  bench.advance(Milliseconds(100));
  EXPECT_THAT(phone->received, ElementsAre(1, 2));
  EXPECT_EQ(phone->pings, 0);
  EXPECT_FALSE(bench.deliverer.holds("alice"));
}

TEST(Deliverer, AnAnswerForASocketThatHasGoneIsNothing) {
  DeliveryBench bench;
  bench.notify("alice");
  const auto phone = bench.connect("alice");
  bench.disconnect(*phone);
  bench.disconnect(*phone);
  bench.store.run();
  EXPECT_THAT(phone->received, IsEmpty());
  EXPECT_EQ(bench.deliverer.stats().recipients.value(), 0);
}

}  // namespace
}  // namespace carillon::inbox
