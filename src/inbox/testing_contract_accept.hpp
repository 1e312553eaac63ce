// What every store must do: accepting. Included by testing_contract.hpp.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "inbox/testing_contract_bench.hpp"

namespace carillon::inbox {

// --- accepting ---

TEST_P(StoreContract, NumbersTheEntriesOfEachUserFromOne) {
  EXPECT_EQ(accept(notification({"alice"}))->placements.at(0).position.number, 1U);
  EXPECT_EQ(accept(notification({"bob"}))->placements.at(0).position.number, 1U);
  EXPECT_EQ(accept(notification({"alice"}))->placements.at(0).position.number, 2U);
}

TEST_P(StoreContract, GivesBackWhatWasAccepted) {
  Acceptance given = collapsing("alice", "a key");
  accept(given);
  const Page page = read({.user = "alice"});
  ASSERT_EQ(page.entries.size(), 1U);
  const Notification& stored = *page.entries[0].notification;
  EXPECT_EQ(stored.id, given.notification->id);
  EXPECT_EQ(stored.event, "notification");
  EXPECT_EQ(stored.data, "1");
  EXPECT_EQ(stored.collapse_key, "a key");
  EXPECT_EQ(stored.sent_at, now);
  EXPECT_EQ(stored.expires_at, now + contract_ttl);
  EXPECT_FALSE(page.entries[0].read);
  EXPECT_FALSE(page.epoch.empty());
  EXPECT_TRUE(parse_position(to_string(Position{page.epoch, 1})));
}

TEST_P(StoreContract, KeepsTextsOfAnyKind) {
  const std::string user = "'; DROP TABLE entry; -- \xf0\x9f\x94\x94 {x} *";
  accept(notification({user}, R"({"a":"\u0000","b":"é'\""})"));
  const Page page = read({.user = user});
  ASSERT_EQ(page.entries.size(), 1U);
  EXPECT_EQ(page.entries[0].notification->data, R"({"a":"\u0000","b":"é'\""})");
}

TEST_P(StoreContract, AppendsForEveryRecipient) {
  fill("bob", 3);
  const auto accepted = accept(notification({"alice", "bob", "carol"}));
  ASSERT_EQ(accepted->placements.size(), 3U);
  EXPECT_EQ(accepted->recipients, 3U);
  EXPECT_EQ(accepted->placements[1].user, "bob");
  EXPECT_EQ(accepted->placements[1].position.number, 4U);
  EXPECT_THAT(numbers("carol"), ElementsAre(1));
}

TEST_P(StoreContract, AcceptsForNobody) {
  const auto accepted = accept(notification({}));
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->recipients, 0U);
  EXPECT_EQ(inspect(accepted->id)->recipients_total, 0U);
}

TEST_P(StoreContract, AnswersARepeatedKeyWithTheFirstAnswer) {
  const Acceptance first = keyed(notification({"alice"}), "key", "print");
  accept(first);
  const auto again = accept(keyed(notification({"alice"}), "key", "print"));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->id, first.notification->id);
  EXPECT_EQ(again->recipients, 1U);
  EXPECT_THAT(numbers("alice"), ElementsAre(1));
}

TEST_P(StoreContract, RefusesAKeyThatWasUsedForSomethingElse) {
  accept(keyed(notification({"alice"}), "key", "print"));
  const auto other = accept(keyed(notification({"alice"}), "key", "another print"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error(), StoreError::key_conflict);
  EXPECT_THAT(numbers("alice"), ElementsAre(1));
}

TEST_P(StoreContract, ForgetsAKeyInTime) {
  use({.idempotency_keep = Milliseconds(1000)});
  accept(keyed(notification({"alice"}), "key", "print"));
  now += 1000;
  EXPECT_FALSE(accept(keyed(notification({"alice"}), "key", "another print"))->replayed);
  EXPECT_THAT(numbers("alice"), ElementsAre(1, 2));
}

TEST_P(StoreContract, CallsOfOneTurnTakeEffectInOrder) {
  std::vector<std::uint64_t> placed(3);  // by call: answers may overtake each other
  for (std::uint64_t& number : placed)
    bench->store().accept(notification({"alice"}), [&number](const Result<Accepted, StoreError>& accepted) {
      number = accepted->placements.at(0).position.number;
    });
  bench->settle();
  EXPECT_THAT(numbers("alice"), ElementsAre(1, 2, 3));
  EXPECT_THAT(placed, ElementsAre(1, 2, 3));
}

// --- limits and collapsing ---

TEST_P(StoreContract, DropsTheOldestBeyondTheCount) {
  use({.notifications_per_user_max = 3});
  fill("alice", 5);
  EXPECT_THAT(numbers("alice"), ElementsAre(3, 4, 5));
  EXPECT_EQ(read({.user = "alice"}).dropped_to, 2U);
  EXPECT_EQ(open("alice", "phone").dropped_to, 2U);
  EXPECT_EQ(inspect("id-1")->recipients.at(0).ending, Ending::dropped);
  EXPECT_EQ(inspect("id-3")->recipients.at(0).ending, Ending::none);
}

TEST_P(StoreContract, DropsTheOldestBeyondTheBytes) {
  use({.bytes_per_user_max = 2500});
  for (int i = 0; i < 4; ++i) accept(notification({"alice"}, std::string(1000, '1')));
  EXPECT_THAT(numbers("alice"), ElementsAre(3, 4));
}

TEST_P(StoreContract, WhatHasExpiredIsNoGapWhenRoomIsMade) {
  use({.notifications_per_user_max = 2});
  fill("alice", 2);
  now += contract_ttl;
  fill("alice", 1);
  EXPECT_EQ(read({.user = "alice"}).dropped_to, 0U);
  EXPECT_EQ(inspect("id-1")->recipients.at(0).ending, Ending::expired);
}

TEST_P(StoreContract, ANewerOneTakesThePlaceOfAnUndeliveredOne) {
  accept(collapsing("alice", "score"));
  accept(collapsing("alice", "other"));
  accept(collapsing("alice", "score"));
  EXPECT_THAT(numbers("alice"), ElementsAre(2, 3));
  EXPECT_EQ(read({.user = "alice"}).dropped_to, 0U);
  EXPECT_EQ(inspect("id-1")->recipients.at(0).ending, Ending::collapsed);
}

TEST_P(StoreContract, WhatWasDeliveredDoesNotCollapse) {
  accept(collapsing("alice", "score"));
  prove("alice", "phone", {0, 1});
  accept(collapsing("alice", "score"));
  EXPECT_THAT(numbers("alice"), ElementsAre(1, 2));
}

TEST_P(StoreContract, WhatCameBehindADeliveredOneCollapses) {
  accept(collapsing("alice", "score"));
  prove("alice", "phone", {0, 1});
  accept(collapsing("alice", "score"));
  accept(collapsing("alice", "score"));
  EXPECT_THAT(numbers("alice"), ElementsAre(1, 3));
}

TEST_P(StoreContract, WhatWasAcknowledgedOutOfOrderDoesNotCollapse) {
  fill("alice", 1);
  accept(collapsing("alice", "score"));
  prove("alice", "phone", {0, 0});
  prove("alice", "phone", {1, 2}, true);
  accept(collapsing("alice", "score"));
  EXPECT_THAT(numbers("alice"), ElementsAre(1, 2, 3));
}

}  // namespace carillon::inbox
