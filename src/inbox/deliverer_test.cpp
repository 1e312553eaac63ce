// Replay and live, time to live, read marks: what is sent when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inbox/testing_delivery.hpp"

namespace carillon::inbox {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Deliverer, WhatWasAcceptedBeforeIsSentOnConnect) {
  DeliveryBench bench;
  bench.notify("alice", 3);
  const auto phone = bench.arrive("alice");
  EXPECT_THAT(phone->received, ElementsAre(1, 2, 3));
  EXPECT_THAT(phone->ids, ElementsAre("id-1", "id-2", "id-3"));
}

TEST(Deliverer, WhatComesWhileConnectedIsSentAtOnceWithoutReading) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice");
  bench.notify("alice", 2);
  EXPECT_THAT(phone->received, ElementsAre(1, 2));
  EXPECT_EQ(bench.deliverer.stats().reads.value(), 0U);
}

TEST(Deliverer, OthersGetNothing) {
  DeliveryBench bench;
  const auto phone = bench.arrive("bob");
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
  const auto phone = bench.arrive("alice");
  bench.notify("alice");
  bench.accept("alice");
  bench.accept("alice");
  bench.notify("alice");
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(1, 2, 3, 4));
}

TEST(Deliverer, ARepeatedOrOldSignalIsNothingNew) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice");
  const Signal one = bench.accept("alice");
  const Signal two = bench.accept("alice");
  for (const Signal& signal : {one, one, two, one, two}) bench.deliverer.on_signal(signal);
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(1, 2));
}

TEST(Deliverer, ASignalOfWhatDoesNotExistEndsInOneRead) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice");
  bench.notify("alice");
  bench.deliverer.on_signal({"alice", {"first", 9}, bench.accept("bob").notification});
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(1));
  EXPECT_EQ(bench.deliverer.stats().reads.value(), 1U);
}

TEST(Deliverer, EveryDeviceAndEveryConnectionGetsIt) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice", "phone");
  const auto tablet = bench.arrive("alice", "tablet");
  const auto second_tab = bench.arrive("alice", "tablet");
  bench.notify("alice");
  for (const auto* socket : {&phone, &tablet, &second_tab}) EXPECT_THAT((*socket)->received, ElementsAre(1));
}

TEST(Deliverer, WhatHasExpiredIsNotSent) {
  DeliveryBench bench;
  bench.deliverer.on_signal(bench.accept("alice", 100));
  bench.notify("alice");
  bench.advance(Milliseconds(200));
  const auto phone = bench.arrive("alice");
  EXPECT_THAT(phone->received, ElementsAre(2));
}

TEST(Deliverer, ASignalThatCameTooLateIsNotSent) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice");
  const Signal late = bench.accept("alice", 100);
  bench.advance(Milliseconds(200));
  bench.deliverer.on_signal(late);
  bench.notify("alice");
  EXPECT_THAT(phone->received, ElementsAre(2));
  EXPECT_EQ(bench.deliverer.stats().expired.value(), 1U);
}

TEST(Deliverer, ReadsWhatAHeadTellsOf) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice");
  const Signal missed = bench.accept("alice");
  bench.deliverer.on_head("alice", missed.position);
  bench.store.run();
  EXPECT_THAT(phone->received, ElementsAre(1));
}

TEST(Deliverer, TellsTheUsersOtherSocketsWhatWasRead) {
  DeliveryBench bench;
  const auto phone = bench.connect("alice", "phone");
  const auto tablet = bench.arrive("alice", "tablet");
  const auto other = bench.arrive("bob");
  bench.deliverer.on_read({"alice", "first", {3}, 0, 4, phone->recipient->identity().socket});
  EXPECT_THAT(phone->reads, IsEmpty());
  ASSERT_THAT(tablet->reads, SizeIs(1));
  EXPECT_EQ(tablet->reads[0].unread, 4U);
  EXPECT_THAT(other->reads, IsEmpty());
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

}  // namespace
}  // namespace carillon::inbox
