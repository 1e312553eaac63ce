// What every store must do: reading, and what is read or over. Included by testing_contract.hpp.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "inbox/testing_contract_bench.hpp"

namespace carillon::inbox {

// --- reading ---

TEST_P(StoreContract, AnUnknownUserHasAnEmptyLog) {
  const Page page = read({.user = "nobody", .after = 7});
  EXPECT_THAT(page.entries, IsEmpty());
  EXPECT_EQ(page.head, 0U);
  EXPECT_EQ(page.upto, 7U);
  EXPECT_EQ(summarize("nobody").unread, 0U);
}

TEST_P(StoreContract, SaysWhetherAPlaceIsOneOfThisLog) {
  fill("alice", 3);
  const std::string epoch = read({.user = "alice"}).epoch;
  EXPECT_TRUE(read({.user = "alice", .after = 2, .epoch = epoch}).continues);
  EXPECT_TRUE(read({.user = "alice", .after = 2}).continues);
  EXPECT_FALSE(read({.user = "alice", .after = 2, .epoch = "other"}).continues);
  EXPECT_TRUE(read({.user = "alice", .after = 0, .epoch = "other"}).continues);
}

TEST_P(StoreContract, ReadsInPagesUpToTheHead) {
  fill("alice", 5);
  const Page first = read({.user = "alice", .after = 1, .entries_max = 2});
  ASSERT_EQ(first.entries.size(), 2U);
  EXPECT_EQ(first.entries[0].number, 2U);
  EXPECT_EQ(first.upto, 3U);
  EXPECT_EQ(first.head, 5U);
  const Page last = read({.user = "alice", .after = 3, .entries_max = 2});
  EXPECT_EQ(last.upto, 5U);
}

TEST_P(StoreContract, APageIsLimitedInBytesAndHoldsOneAtLeast) {
  for (int i = 0; i < 3; ++i) accept(notification({"alice"}, std::string(1000, '1')));
  EXPECT_EQ(read({.user = "alice", .bytes_max = 2500}).entries.size(), 2U);
  EXPECT_EQ(read({.user = "alice", .bytes_max = 10}).entries.size(), 1U);
}

TEST_P(StoreContract, LeavesOutWhatHasExpired) {
  accept(notification({"alice"}));
  now += contract_ttl / 2;
  accept(notification({"alice"}));
  now += contract_ttl / 2;
  EXPECT_THAT(numbers("alice"), ElementsAre(2));
  EXPECT_EQ(read({.user = "alice"}).upto, 2U);
}

// --- read marks ---

TEST_P(StoreContract, CountsWhatIsUnread) {
  fill("alice", 4);
  EXPECT_EQ(summarize("alice").unread, 4U);
  EXPECT_EQ(summarize("alice").head, 4U);
  EXPECT_EQ(mark("alice", {3}, 0).unread, 3U);
  EXPECT_EQ(mark("alice", {3, 9}, 0).unread, 3U);
  EXPECT_EQ(mark("alice", {}, 2).unread, 1U);
  const Page page = read({.user = "alice"});
  EXPECT_TRUE(page.entries[0].read);
  EXPECT_TRUE(page.entries[2].read);
  EXPECT_FALSE(page.entries[3].read);
  now += contract_ttl;
  EXPECT_EQ(summarize("alice").unread, 0U);
}

// --- sweeping ---

TEST_P(StoreContract, SweepsWhatHasExpiredAndRemembersItForATime) {
  use({.trace_keep = Milliseconds(1000)});
  fill("alice", 2);
  mark("alice", {1}, 0);
  now += contract_ttl;
  EXPECT_FALSE(sweep());
  EXPECT_THAT(numbers("alice"), IsEmpty());
  EXPECT_EQ(inspect("id-1")->recipients.at(0).ending, Ending::expired);
  EXPECT_EQ(inspect("id-1")->recipients.at(0).read_at, contract_start);
  EXPECT_EQ(inspect("id-2")->recipients.at(0).ending, Ending::expired);
  now += 1000;
  EXPECT_FALSE(sweep());
  EXPECT_FALSE(inspect("id-1"));
}

TEST_P(StoreContract, NumbersGoOnAfterEverythingHasGone) {
  use({.trace_keep = Milliseconds(0)});
  fill("alice", 3);
  prove("alice", "phone", {0, 3});
  now += contract_ttl;
  sweep();
  EXPECT_EQ(open("alice", "phone").head, 3U);
  fill("alice", 1);
  EXPECT_THAT(numbers("alice"), ElementsAre(4));
  EXPECT_EQ(open("alice", "phone").cursor, 3U);
}

TEST_P(StoreContract, SweepsInParts) {
  fill("alice", 5);
  now += contract_ttl;
  int parts = 1;
  while (sweep(2)) ++parts;
  EXPECT_EQ(parts, GetParam().sweeps ? 3 : 1);
  fill("alice", 1);
  EXPECT_THAT(numbers("alice"), ElementsAre(6));
}

}  // namespace carillon::inbox
