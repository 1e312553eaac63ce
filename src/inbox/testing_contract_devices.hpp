// What every store must do: devices, and traces of what they have received. Included by testing_contract.hpp.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "inbox/testing_contract_bench.hpp"

namespace carillon::inbox {

// --- devices ---

TEST_P(StoreContract, ADeviceNeverSeenStartsAtTheBeginning) {
  fill("alice", 2);
  const DeviceState state = open("alice", "phone");
  EXPECT_FALSE(state.known);
  EXPECT_EQ(state.cursor, 0U);
  EXPECT_EQ(state.head, 2U);
}

TEST_P(StoreContract, ADeviceNeverSeenStartsAfterWhatAnyHasProven) {
  fill("alice", 3);
  prove("alice", "phone", {0, 2});
  EXPECT_EQ(open("alice", "tablet").cursor, 2U);
  EXPECT_FALSE(open("alice", "tablet").known);
}

TEST_P(StoreContract, ARegisteredDeviceKeepsItsOwnCursor) {
  fill("alice", 3);
  prove("alice", "tablet", {0, 0});
  prove("alice", "phone", {0, 2});
  EXPECT_TRUE(open("alice", "tablet").known);
  EXPECT_EQ(open("alice", "tablet").cursor, 0U);
  EXPECT_EQ(open("alice", "phone").cursor, 2U);
}

TEST_P(StoreContract, CursorsMoveOnlyForwards) {
  fill("alice", 5);
  prove("alice", "phone", {0, 4});
  prove("alice", "phone", {0, 2});
  EXPECT_EQ(open("alice", "phone").cursor, 4U);
}

TEST_P(StoreContract, CursorsStayWithinTheLog) {
  fill("alice", 2);
  prove("alice", "phone", {0, 9});
  EXPECT_EQ(open("alice", "phone").cursor, 2U);
  prove("alice", "phone", {7, 9});
  EXPECT_EQ(open("alice", "phone").cursor, 2U);
  EXPECT_THAT(open("alice", "phone").above, IsEmpty());
}

TEST_P(StoreContract, WhatIsProvenBeyondTheCursorIsKeptApart) {
  fill("alice", 6);
  prove("alice", "phone", {0, 1}, true);
  prove("alice", "phone", {2, 3}, true);
  prove("alice", "phone", {4, 5}, true);
  EXPECT_EQ(open("alice", "phone").cursor, 1U);
  EXPECT_THAT(open("alice", "phone").above, ElementsAre(Range{2, 3}, Range{4, 5}));
  prove("alice", "phone", {1, 2}, true);
  EXPECT_EQ(open("alice", "phone").cursor, 3U);
  EXPECT_THAT(open("alice", "phone").above, ElementsAre(Range{4, 5}));
}

// What it has received lies above: what is below is still to come.
TEST_P(StoreContract, AnUnknownDeviceBeginsWhereItsProofSaysAndNotWhereItsRangeDoes) {
  fill("alice", 5);
  prove("alice", "phone", {3, 4}, true, 1);
  const DeviceState state = open("alice", "phone");
  EXPECT_TRUE(state.known);
  EXPECT_EQ(state.cursor, 1U);
  ASSERT_EQ(state.above.size(), 1U);
  EXPECT_EQ(state.above[0], (Range{3, 4}));
  prove("alice", "phone", {1, 3}, true, 2);
  EXPECT_EQ(open("alice", "phone").cursor, 4U);
}

TEST_P(StoreContract, AProofOfAnotherEpochIsIgnored) {
  fill("alice", 2);
  const Proof proof{"alice", "phone", "other", {0, 2}, false, "n", "s", now};
  EXPECT_TRUE(wait<void>([&](Store& store, auto done) { store.prove(proof, std::move(done)); }));
  EXPECT_FALSE(open("alice", "phone").known);
}

TEST_P(StoreContract, AProofForAnUnknownUserLeavesNoTrace) {
  prove("nobody", "phone", {0, 0});
  EXPECT_FALSE(open("nobody", "phone").known);
}

TEST_P(StoreContract, ForgetsTheDeviceThatWasSilentLongest) {
  use({.devices_per_user_max = 2});
  fill("alice", 3);
  prove("alice", "one", {0, 1});
  now += 1;
  prove("alice", "two", {0, 2});
  now += 1;
  prove("alice", "one", {1, 2});
  now += 1;
  prove("alice", "three", {0, 0});
  EXPECT_TRUE(open("alice", "one").known);
  EXPECT_FALSE(open("alice", "two").known);
  EXPECT_TRUE(open("alice", "three").known);
}

// --- traces ---

TEST_P(StoreContract, TracesWhoHasReceivedItAndWhen) {
  const std::string id = accept(notification({"alice", "bob"}))->id;
  now += 5;
  prove("alice", "phone", {0, 1}, true);
  now += 5;
  mark("alice", {1}, 0);
  const auto trace = inspect(id);
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->recipients_total, 2U);
  ASSERT_EQ(trace->recipients.size(), 2U);
  const RecipientTrace& alice = trace->recipients[0];
  EXPECT_EQ(alice.user, "alice");
  EXPECT_EQ(alice.position.number, 1U);
  EXPECT_EQ(alice.read_at, contract_start + 10);
  ASSERT_EQ(alice.receipts.size(), 1U);
  EXPECT_EQ(alice.receipts[0].device, "phone");
  EXPECT_EQ(alice.receipts[0].node, "node-1");
  EXPECT_EQ(alice.receipts[0].socket, "socket-1");
  EXPECT_EQ(alice.receipts[0].at, contract_start + 5);
  EXPECT_TRUE(alice.receipts[0].acknowledged);
  EXPECT_THAT(trace->recipients[1].receipts, IsEmpty());
}

TEST_P(StoreContract, OneProofIsAReceiptOfEverythingInIt) {
  fill("alice", 3);
  prove("alice", "phone", {0, 3});
  for (const char* id : {"id-1", "id-2", "id-3"}) EXPECT_EQ(inspect(id)->recipients.at(0).receipts.size(), 1U);
}

TEST_P(StoreContract, TheFirstReceiptOfADeviceCounts) {
  fill("alice", 1);
  prove("alice", "phone", {0, 1});
  now += 5;
  prove("alice", "phone", {0, 1}, true);
  const auto trace = inspect("id-1");
  ASSERT_EQ(trace->recipients.at(0).receipts.size(), 1U);
  EXPECT_EQ(trace->recipients[0].receipts[0].at, contract_start);
}

TEST_P(StoreContract, WhatIsAcknowledgedLastHasItsReceiptToo) {
  fill("alice", 3);
  prove("alice", "phone", {0, 1}, true);
  prove("alice", "phone", {2, 3}, true);
  now += 5;
  prove("alice", "phone", {1, 3}, true);
  ASSERT_EQ(inspect("id-2")->recipients.at(0).receipts.size(), 1U);
  EXPECT_EQ(inspect("id-2")->recipients[0].receipts[0].at, contract_start + 5);
  EXPECT_EQ(inspect("id-3")->recipients.at(0).receipts.at(0).at, contract_start);
}

TEST_P(StoreContract, TracesInPages) {
  const std::string id = accept(notification({"a", "b", "c"}))->id;
  const auto trace = inspect(id, 1, 1);
  EXPECT_EQ(trace->recipients_total, 3U);
  ASSERT_EQ(trace->recipients.size(), 1U);
  EXPECT_EQ(trace->recipients[0].user, "b");
}

TEST_P(StoreContract, KnowsNothingOfAnUnknownId) { EXPECT_FALSE(inspect("unknown")); }

}  // namespace carillon::inbox
