#include "inbox/deliverer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "inbox/testing_delivery.hpp"

namespace carillon::inbox {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using Fault = MemoryStore::Fault;

std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t number = first; number <= last; ++number) all.push_back(number);
  return all;
}

// --- replay and live ---

TEST(Deliverer, WhatWasAcceptedBeforeIsSentOnConnect) {
  DeliveryBench bench;
  bench.notify("alice", 3);
  const auto phone = bench.connect("alice");
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(1, 2, 3));
  EXPECT_THAT(phone->ids, ElementsAre("id-1", "id-2", "id-3"));
}

TEST(Deliverer, WhatComesWhileConnectedIsSentAtOnceWithoutReading) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice");
  bench.store.run();
  bench.notify("alice", 2);
  EXPECT_THAT(phone->received, ElementsAre(1, 2));
  EXPECT_EQ(bench.deliverer.stats().reads.value(), 0U);
}

TEST(Deliverer, OthersGetNothing) {
  DeliveryBench bench;
  const auto phone = bench.connect("bob");
  bench.store.run();
  bench.notify("alice");
  EXPECT_THAT(phone->received, IsEmpty());
}

TEST(Deliverer, ReplayComesBeforeLiveInOrder) {
  DeliveryBench bench;
  const Signal one = bench.accept("alice");
  const Signal two = bench.accept("alice");
  const auto phone = bench.connect("alice");
  bench.deliverer.on_signal(two);  // before the store has answered
  EXPECT_THAT(phone->received, IsEmpty());
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(1, 2));
}

TEST(Deliverer, ASignalThatComesWhileTheLogIsReadIsNotLost) {
  DeliveryBench bench;
  bench.notify("alice", 1);
  const auto phone = bench.connect("alice");
  bench.store.run_one();                      // the cursor; now the log is being read
  const Signal late = bench.accept("alice");  // runs the store: the page is in, without this one
  bench.deliverer.on_signal(late);
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(1, 2));
}

// The page that is on its way was made before the entry that the signal speaks of.
TEST(Deliverer, APageThatIsOlderThanASignalDoesNotUndoIt) {
  DeliveryBench bench;
  bench.notify("alice", 1);
  const auto phone = bench.connect("alice");
  bench.store.run_one();
  Notification made{"late", "e", "1", "", bench.unix_now, bench.unix_now + 1000};
  const auto notification = std::make_shared<const Notification>(made);
  Position position;
  bench.store.accept({notification, {"alice"}, "", ""},
                     [&](const auto& accepted) { position = accepted->placements.at(0).position; });
  bench.deliverer.on_signal({"alice", {"first", 2}, notification});
  bench.store.run();
  EXPECT_EQ(position.number, 2U);
  EXPECT_THAT(phone->received, ElementsAre(1, 2));
}

TEST(Deliverer, ALostSignalIsHealedByTheNext) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice");
  bench.store.run();
  bench.notify("alice");
  bench.accept("alice");
  bench.accept("alice");
  bench.notify("alice");
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(1, 2, 3, 4));
}

TEST(Deliverer, ARepeatedOrOldSignalIsNothingNew) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice");
  bench.store.run();
  const Signal one = bench.accept("alice");
  const Signal two = bench.accept("alice");
  for (const Signal& signal : {one, one, two, one, two}) bench.deliverer.on_signal(signal);
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(1, 2));
}

TEST(Deliverer, ASignalOfWhatDoesNotExistEndsInOneRead) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice");
  bench.store.run();
  bench.notify("alice");
  bench.deliverer.on_signal({"alice", {"first", 9}, bench.accept("bob").notification});
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(1));
  EXPECT_EQ(bench.deliverer.stats().reads.value(), 1U);
}

TEST(Deliverer, EveryDeviceAndEveryConnectionGetsIt) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice", "phone");
  const auto tablet = bench.connect("alice", "tablet");
  const auto second_tab = bench.connect("alice", "tablet");
  bench.store.run();
  bench.notify("alice");
  for (const auto* socket : {&phone, &tablet, &second_tab}) EXPECT_THAT((*socket)->received, ElementsAre(1));
}

// --- time to live ---

TEST(Deliverer, WhatHasExpiredIsNotSent) {
  DeliveryBench bench;
  bench.deliverer.on_signal(bench.accept("alice", 100));
  bench.notify("alice");
  bench.advance(Milliseconds(200));
  const auto phone = bench.connect("alice");
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(2));
}

TEST(Deliverer, ASignalThatCameTooLateIsNotSent) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice");
  bench.store.run();
  const Signal late = bench.accept("alice", 100);
  bench.advance(Milliseconds(200));
  bench.deliverer.on_signal(late);
  bench.notify("alice");
  EXPECT_THAT(phone->received, ElementsAre(2));
  EXPECT_EQ(bench.deliverer.stats().expired.value(), 1U);
}

// --- proof by the transport ---

TEST(Deliverer, OnePingProvesAllThatWasSentBefore) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice", "phone");
  bench.store.run();
  bench.notify("alice", 5);
  EXPECT_EQ(phone->pings, 0);
  bench.advance(Milliseconds(40));
  EXPECT_EQ(phone->pings, 1);
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 0U);
  phone->pong();
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 5U);
  EXPECT_EQ(phone->recipient->unproven(), 0U);
  bench.advance(Milliseconds(1000));
  EXPECT_EQ(phone->pings, 1) << "nothing is left to prove";
}

TEST(Deliverer, AHeartbeatIsAsGoodAsAPingOfItsOwn) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice");
  bench.store.run();
  bench.notify("alice");
  phone->ping_out = true;
  phone->recipient->on_ping_sent();
  phone->pong();
  bench.advance(Milliseconds(100));
  EXPECT_EQ(phone->pings, 0);
  EXPECT_EQ(bench.stored_cursor("alice"), 1U);
}

TEST(Deliverer, APongProvesNothingThatWasSentAfterItsPing) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice");
  bench.store.run();
  bench.notify("alice");
  bench.advance(Milliseconds(40));
  bench.notify("alice");
  phone->pong();
  EXPECT_EQ(bench.stored_cursor("alice"), 1U);
  bench.advance(Milliseconds(40));
  EXPECT_EQ(phone->pings, 2);
  phone->pong();
  EXPECT_EQ(bench.stored_cursor("alice"), 2U);
}

TEST(Deliverer, APongToAPingFromBeforeTheConnectionProvesNothing) {
  DeliveryBench bench;
  bench.notify("alice");
  const auto phone = bench.connect("alice");
  phone->ping_out = true;  // the session's, without this recipient
  bench.store.run();
  bench.advance(Milliseconds(40));
  phone->pong();
  EXPECT_EQ(bench.stored_cursor("alice"), 0U);
  bench.advance(Milliseconds(40));
  phone->pong();
  EXPECT_EQ(bench.stored_cursor("alice"), 1U);
}

TEST(Deliverer, WhatWasNotProvenComesAgain) {
  DeliveryBench bench;
  auto phone = bench.connect("alice", "phone");
  bench.store.run();
  bench.notify("alice", 2);
  bench.advance(Milliseconds(40));
  phone->pong();
  bench.notify("alice", 2);
  bench.disconnect(*phone);
  phone = bench.connect("alice", "phone");
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(3, 4));
}

TEST(Deliverer, ADeviceThatWasThereKeepsItsPlaceWhenAnotherIsFaster) {
  DeliveryBench bench;
  auto phone = bench.connect("alice", "phone");
  const auto tablet = bench.connect("alice", "tablet");
  bench.store.run();
  bench.notify("alice", 2);
  bench.disconnect(*phone);  // without a proof
  bench.advance(Milliseconds(40));
  tablet->pong();
  EXPECT_EQ(bench.stored_cursor("alice", "tablet"), 2U);
  phone = bench.connect("alice", "phone");
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(1, 2));
}

TEST(Deliverer, ADeviceNeverSeenGetsWhatNobodyHasProven) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice", "phone");
  bench.store.run();
  bench.notify("alice", 2);
  bench.settle(*phone);
  bench.notify("alice");
  const auto tablet = bench.connect("alice", "tablet");
  bench.store.run();
  EXPECT_THAT(tablet->received, ElementsAre(3));
}

// A dead connection of the device has asked the store to remember it, and the store could not; now it can.
TEST(Deliverer, ADeviceThatBeginsLaterIsRegisteredAtOnce) {
  DeliveryBench bench;
  const auto dead = bench.connect("alice", "phone");
  const auto tablet = bench.connect("alice", "tablet");
  bench.store.run();
  const Signal first = bench.accept("alice");
  bench.store.set_faults([](std::string_view call) {
    return MemoryStore::Faults{call == "prove" ? Fault::refused : Fault::none, StoreError::unavailable};
  });
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
  const auto tablet = bench.connect("alice", "tablet");
  bench.store.run();
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
  const auto tablet = bench.connect("alice", "tablet");
  bench.store.run();
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

// --- the window ---

TEST(Deliverer, SendsAWindowAndGoesOnWithTheProof) {
  DeliveryBench bench;
  bench.notify("alice", 200);
  const auto phone = bench.connect("alice");
  bench.store.run();
  EXPECT_THAT(phone->received, SizeIs(64));
  bench.notify("alice");
  EXPECT_THAT(phone->received, SizeIs(64));
  bench.settle(*phone);
  EXPECT_EQ(phone->received, numbers(1, 201));
  EXPECT_EQ(bench.stored_cursor("alice"), 201U);
}

TEST(Deliverer, AWindowIsLimitedInBytes) {
  DeliveryBench bench;
  bench.options.window_bytes_max = 10'000;
  for (int i = 0; i < 10; ++i) bench.accept("alice", 1'000'000, std::string(4'000, '1'));
  const auto phone = bench.connect("alice");
  bench.store.run();
  EXPECT_LE(phone->received.size(), 3U);
  EXPECT_GE(phone->received.size(), 2U);
  bench.settle(*phone);
  EXPECT_EQ(phone->received, numbers(1, 10));
}

TEST(Deliverer, OneThatIsLargerThanTheWindowIsSentAlone) {
  DeliveryBench bench;
  bench.options.window_bytes_max = 100;
  for (int i = 0; i < 3; ++i) bench.accept("alice", 1'000'000, std::string(500, '1'));
  const auto phone = bench.connect("alice");
  bench.store.run();
  EXPECT_THAT(phone->received, SizeIs(1));
  bench.settle(*phone);
  EXPECT_EQ(phone->received, numbers(1, 3));
}

// --- proof by the application ---

TEST(Deliverer, OnlyTheAcknowledgementCountsWhereOneIsAskedFor) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice", "phone", true);
  bench.store.run();
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
  auto phone = bench.connect("alice", "phone", true);
  bench.store.run();
  bench.notify("alice", 5);
  for (const std::uint64_t number : {1U, 3U, 5U}) phone->acknowledge(number);
  EXPECT_EQ(bench.stored("alice", "phone").cursor, 1U);
  EXPECT_THAT(bench.stored("alice", "phone").above, ElementsAre(Range{2, 3}, Range{4, 5}));
  bench.disconnect(*phone);
  phone = bench.connect("alice", "phone", true);
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(2, 4));
  phone->acknowledge(2);
  phone->acknowledge(4);
  EXPECT_EQ(bench.stored("alice", "phone").cursor, 5U);
}

TEST(Deliverer, RepeatsWhatIsNotAcknowledgedThreeTimesInAll) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice", "phone", true);
  bench.store.run();
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
  const auto phone = bench.connect("alice", "phone", true);
  bench.store.run();
  bench.notify("alice");
  bench.advance(Milliseconds(60'000));
  phone->acknowledge(1);
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 1U);
}

TEST(Deliverer, AnAcknowledgementForWhatWasNeverSentIsIgnored) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice", "phone", true);
  bench.store.run();
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
  const auto phone = bench.connect("alice", "phone", true);
  bench.store.run();
  bench.deliverer.on_signal(bench.accept("alice", 5'000));
  bench.advance(Milliseconds(30'000));
  EXPECT_THAT(phone->received, ElementsAre(1));
}

// The store is asked to remember the device, and fails; then the socket ends.
TEST(Deliverer, ADeviceIsNotMadeKnownByWhatLiesAboveItsCursor) {
  DeliveryBench bench;
  bench.accept("alice");
  bench.accept("alice");
  auto phone = bench.connect("alice", "phone", true);
  bench.store.run_one();  // the cursor
  bench.store.set_faults([](std::string_view call) {
    return MemoryStore::Faults{call == "prove" ? Fault::refused : Fault::none, StoreError::unavailable};
  });
  bench.store.run_one();  // the page
  bench.store.set_faults({});
  ASSERT_THAT(phone->received, ElementsAre(1, 2));
  phone->acknowledge(2);
  bench.disconnect(*phone);
  bench.store.run();
  phone = bench.connect("alice", "phone", true);
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(1));
}

TEST(Deliverer, ADeviceThatTheStoreHasForgottenBeginsWhereItHasAll) {
  DeliveryBench bench({.devices_per_user_max = 1});
  auto phone = bench.connect("alice", "phone", true);
  const auto tablet = bench.connect("alice", "tablet", true);
  bench.store.run();
  bench.notify("alice", 2);  // the tablet is the one that is remembered
  bench.store.run();
  phone->acknowledge(2);
  bench.disconnect(*phone);
  bench.store.run();
  phone = bench.connect("alice", "phone", true);
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(1));
}

// --- gaps ---

TEST(Deliverer, AGapOfTheLimitIsTold) {
  DeliveryBench bench({.notifications_per_user_max = 3});
  bench.notify("alice", 5);
  const auto phone = bench.connect("alice");
  bench.store.run();
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
  auto phone = bench.connect("alice", "phone", true);
  bench.store.run();
  bench.notify("alice", 1);
  for (int i = 0; i < 6; ++i) bench.accept("alice");
  bench.options.window = 2;
  bench.notify("alice", 1);
  bench.store.run();
  ASSERT_THAT(phone->received, ElementsAre(1, 6));
  ASSERT_THAT(phone->gaps, SizeIs(1));
  phone->acknowledge(1);
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 1U);
  bench.disconnect(*phone);
  phone = bench.connect("alice", "phone", true);
  bench.store.run();
  ASSERT_THAT(phone->gaps, SizeIs(1));
  EXPECT_EQ(phone->gaps[0].from, 2U);
  EXPECT_EQ(phone->gaps[0].to, 5U);
  phone->acknowledge(6);
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 6U);
}

TEST(Deliverer, WhatWasDroppedAfterItWasDeliveredIsNoGap) {
  DeliveryBench bench({.notifications_per_user_max = 3});
  auto phone = bench.connect("alice");
  bench.store.run();
  bench.notify("alice", 5);
  bench.settle(*phone);
  bench.disconnect(*phone);
  bench.notify("alice");
  phone = bench.connect("alice");
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(6));
  EXPECT_THAT(phone->gaps, IsEmpty());
}

TEST(Deliverer, ALostLogIsToldAndFollowedFromItsBeginning) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice");
  bench.store.run();
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
  const auto phone = bench.connect("alice");
  bench.store.run();
  bench.notify("alice", 3);
  bench.advance(Milliseconds(40));
  bench.store.set_faults([](std::string_view) { return MemoryStore::Faults{Fault::refused, StoreError::full}; });
  phone->pong();
  bench.store.run();
  bench.store.lose_everything("second");
  bench.notify("alice", 3);
  bench.advance(Milliseconds(20'000));
  EXPECT_EQ(bench.stored_cursor("alice"), 0U);
}

TEST(Deliverer, ALogThatHasLostNothingGoesOnInAnotherEpoch) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice");
  bench.store.run();
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
  const auto phone = bench.connect("alice");
  bench.store.run();
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
  const auto phone = bench.connect("alice", "phone", true);
  bench.store.run();
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

TEST(Deliverer, TellsWhenAUsersFirstSocketComesAndTheLastOneGoes) {
  class Noting final : public UserWatcher {
   public:
    void on_user(const std::string& user, bool present) override { seen.push_back((present ? "+" : "-") + user); }
    std::vector<std::string> seen;
  } watcher;
  DeliveryBench bench;
  bench.deliverer.set_watcher(&watcher);
  const auto phone = bench.connect("alice", "phone");
  const auto desk = bench.connect("alice", "desk");
  bench.disconnect(*phone);
  bench.disconnect(*desk);
  EXPECT_THAT(watcher.seen, ElementsAre("+alice", "-alice"));
}

TEST(Deliverer, ReadsWhatAHeadTellsOf) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice");
  bench.store.run();
  const Signal missed = bench.accept("alice");
  bench.deliverer.on_head("alice", missed.position);
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(1));
}

// --- a store that fails ---

TEST(Deliverer, AsksAgainWhenTheStoreFails) {
  DeliveryBench bench;
  bench.notify("alice", 2);
  int calls = 0;
  bench.store.set_faults([&](std::string_view) {
    return MemoryStore::Faults{++calls <= 6 ? Fault::refused : Fault::none, StoreError::unavailable};
  });
  const auto phone = bench.connect("alice");
  bench.store.run();
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
  const auto phone = bench.connect("alice");
  bench.store.run();
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
  const auto phone = bench.connect("alice", "phone", true);
  bench.store.run();
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

// --- read marks ---

TEST(Deliverer, TellsTheUsersOtherSocketsWhatWasRead) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice", "phone");
  const auto tablet = bench.connect("alice", "tablet");
  const auto other = bench.connect("bob");
  bench.store.run();
  bench.deliverer.on_read({"alice", "first", {3}, 0, 4, phone->recipient->identity().socket});
  EXPECT_THAT(phone->reads, IsEmpty());
  ASSERT_THAT(tablet->reads, SizeIs(1));
  EXPECT_EQ(tablet->reads[0].unread, 4U);
  EXPECT_THAT(other->reads, IsEmpty());
}

// --- everything at once ---

// Sockets that come and go, proofs that are lost, signals that are lost or repeated, a store that fails and whose answers
// are lost: in the end the device has received everything, and on each connection in order.
TEST(Deliverer, NothingIsLostWhateverHappens) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](unsigned bound) { return static_cast<unsigned>(random() % bound); };
    DeliveryBench bench;
    const bool acks = seed % 2 == 0;
    std::set<std::string> seen;
    std::unique_ptr<FakeSocket> phone;
    std::vector<Signal> signals;
    const auto faults = [&](std::string_view) {
      const unsigned dice = below(8);
      const Fault fault = dice == 0 ? Fault::refused : dice == 1 ? Fault::answer_lost : Fault::none;
      return MemoryStore::Faults{fault, StoreError::unavailable};
    };
    const auto leave = [&] {
      if (!phone) return;
      EXPECT_TRUE(std::ranges::is_sorted(phone->received) || acks);
      seen.insert(phone->ids.begin(), phone->ids.end());
      bench.disconnect(*phone);
      phone.reset();
    };
    for (int step = 0; step < 150; ++step) {
      switch (below(8)) {
        case 0:
          leave();
          phone = bench.connect("alice", "phone", acks);
          break;
        case 1:
        case 2:
          signals.push_back(bench.accept("alice"));
          if (below(4) > 0) bench.deliverer.on_signal(signals.back());
          break;
        case 3:
          if (!signals.empty()) bench.deliverer.on_signal(signals[below(static_cast<unsigned>(signals.size()))]);
          break;
        case 4:
          if (phone && phone->ping_out) phone->pong();
          break;
        case 5:
          if (phone && acks && !phone->received.empty())
            phone->acknowledge(phone->received[below(static_cast<unsigned>(phone->received.size()))]);
          break;
        case 6:
          bench.store.run_one();
          break;
        default:
          bench.store.set_faults(faults);
          bench.advance(Milliseconds(below(3000)));
          break;
      }
    }
    // Faults stop.
    bench.store.set_faults({});
    leave();
    phone = bench.connect("alice", "phone", acks);
    for (std::size_t i = 0; i < 20; ++i) {
      bench.settle(*phone);
      if (acks)
        for (const std::uint64_t number : std::vector(phone->received)) phone->acknowledge(number);
    }
    seen.insert(phone->ids.begin(), phone->ids.end());
    EXPECT_EQ(seen.size(), signals.size());
    EXPECT_EQ(bench.stored_cursor("alice", "phone"), signals.size());
  }
}

}  // namespace
}  // namespace carillon::inbox
