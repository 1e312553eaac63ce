// Where a device begins, and that it keeps its place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inbox/testing_delivery.hpp"

namespace carillon::inbox {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Fault = MemoryStore::Fault;

TEST(Deliverer, ADeviceThatWasThereKeepsItsPlaceWhenAnotherIsFaster) {
  DeliveryBench bench;
  auto phone = bench.arrive("alice", "phone");
  const auto tablet = bench.arrive("alice", "tablet");
  bench.notify("alice", 2);
  bench.disconnect(*phone);  // without a proof
  bench.advance(Milliseconds(40));
  tablet->pong();
  EXPECT_EQ(bench.stored_cursor("alice", "tablet"), 2U);
  phone = bench.arrive("alice", "phone");
  EXPECT_THAT(phone->received, ElementsAre(1, 2));
}

TEST(Deliverer, ADeviceNeverSeenGetsWhatNobodyHasProven) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice", "phone");
  bench.notify("alice", 2);
  bench.settle(*phone);
  bench.notify("alice");
  const auto tablet = bench.arrive("alice", "tablet");
  EXPECT_THAT(tablet->received, ElementsAre(3));
}

// A dead connection of the device has asked the store to remember it, and the store could not; now it can.
TEST(Deliverer, ADeviceThatBeginsLaterIsRegisteredAtOnce) {
  DeliveryBench bench;
  const auto dead = bench.arrive("alice", "phone");
  const auto tablet = bench.arrive("alice", "tablet");
  const Signal first = bench.accept("alice");
  bench.store.set_faults(refuse("prove", StoreError::unavailable));
  bench.deliverer.on_signal(first);
  bench.store.run();
  bench.store.set_faults({});
  bench.advance(Milliseconds(40));
  tablet->pong();
  bench.disconnect(*tablet);  // saves that it has the first one
  bench.store.run();
  const auto phone = bench.connect("alice", "phone");
  bench.store.run();                       // nobody knows the phone: it begins behind the first one
  bench.advance(bench.options.retry_max);  // its dead connection would have it begin with it
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 1U);
  bench.notify("alice");
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(2));
}

// The dead connection is just in time.
TEST(Deliverer, ADeviceBeginsWhereItIsRegisteredAndNotWhereItWasToBe) {
  DeliveryBench bench;
  const auto tablet = bench.arrive("alice", "tablet");
  bench.notify("alice", 2);
  bench.settle(*tablet);
  const auto phone = bench.connect("alice", "phone");  // asks, and is to begin behind the second one
  bench.store.prove(
      {.user = "alice", .device = "phone", .epoch = "first", .range = {1, 1}, .node = "n", .socket = "s", .begins = 1},
      [](const Result<void, StoreError>& result) { EXPECT_TRUE(result); });
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(2));
}

// Without a place of its own, a device is sent nothing: but it asks no more often than a store that fails can bear.
TEST(Deliverer, WaitsUntilADeviceThatBeginsLaterIsRegistered) {
  DeliveryBench bench;
  const auto tablet = bench.arrive("alice", "tablet");
  bench.notify("alice");
  bench.settle(*tablet);
  const Signal second = bench.accept("alice");
  int refused = 0;
  bench.store.set_faults([&](std::string_view call) {
    if (call != "prove") return MemoryStore::Faults{};
    ++refused;
    return MemoryStore::Faults{Fault::refused, StoreError::full};
  });
  const auto phone = bench.connect("alice", "phone");
  bench.deliverer.on_signal(second);
  bench.advance(Milliseconds(20'000));
  EXPECT_THAT(phone->received, IsEmpty());
  EXPECT_LT(refused, 30);
  bench.store.set_faults({});
  bench.advance(bench.options.retry_max);
  EXPECT_THAT(phone->received, ElementsAre(2));
  EXPECT_TRUE(bench.stored("alice", "phone").known);
}

TEST(Deliverer, WhoConnectsWithoutALogLeavesNoTrace) {
  DeliveryBench bench;
  const auto phone = bench.connect("nobody", "phone");
  bench.settle(*phone);
  EXPECT_FALSE(bench.stored("nobody", "phone").known);
}

// The store is asked to remember the device, and fails; then the socket ends.
TEST(Deliverer, ADeviceIsNotMadeKnownByWhatLiesAboveItsCursor) {
  DeliveryBench bench;
  bench.accept("alice");
  bench.accept("alice");
  auto phone = bench.connect("alice", "phone", true);
  bench.store.run_one();  // the cursor
  bench.store.set_faults(refuse("prove", StoreError::unavailable));
  bench.store.run_one();  // the page
  bench.store.set_faults({});
  ASSERT_THAT(phone->received, ElementsAre(1, 2));
  phone->acknowledge(2);
  bench.disconnect(*phone);
  bench.store.run();
  phone = bench.arrive("alice", "phone", true);
  EXPECT_THAT(phone->received, ElementsAre(1));
}

TEST(Deliverer, ADeviceThatTheStoreHasForgottenBeginsWhereItHasAll) {
  DeliveryBench bench({.devices_per_user_max = 1});
  auto phone = bench.arrive("alice", "phone", true);
  const auto tablet = bench.arrive("alice", "tablet", true);
  bench.notify("alice", 2);  // the tablet is the one that is remembered
  bench.store.run();
  phone->acknowledge(2);
  bench.disconnect(*phone);
  bench.store.run();
  phone = bench.arrive("alice", "phone", true);
  EXPECT_THAT(phone->received, ElementsAre(1));
}

}  // namespace
}  // namespace carillon::inbox
