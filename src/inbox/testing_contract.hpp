// What every store must do. A test program includes this once and instantiates StoreContract with its stores.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inbox/store.hpp"

namespace carillon::inbox {

// A store and the way to make it answer.
class StoreBench {
 public:
  virtual ~StoreBench() = default;
  virtual Store& store() = 0;
  virtual void settle() = 0;  // until every call made before has been answered
};

struct StoreKind {
  std::string name;
  std::function<std::unique_ptr<StoreBench>(const StoreLimits&)> make;
  bool sweeps = true;  // false: what has expired goes by itself
};

inline constexpr UnixMs contract_start = 1'700'000'000'000;
inline constexpr UnixMs contract_ttl = 60'000;

class StoreContract : public testing::TestWithParam<StoreKind> {
 protected:
  StoreContract() { use({}); }
  void use(const StoreLimits& limits) { bench = GetParam().make(limits); }

  template <class T>
  Result<T, StoreError> wait(const std::function<void(Store&, Store::Done<T>)>& call) {
    std::optional<Result<T, StoreError>> result;
    call(bench->store(), [&](Result<T, StoreError> value) { result = std::move(value); });
    bench->settle();
    EXPECT_TRUE(result.has_value()) << "not answered";
    return result ? std::move(*result) : Failure(StoreError::unavailable);
  }

  Acceptance notification(std::vector<std::string> users, std::string data = "1") {
    Notification made;
    made.id = "id-" + std::to_string(++ids);
    made.event = "notification";
    made.data = std::move(data);
    made.sent_at = now;
    made.expires_at = now + contract_ttl;
    return {std::make_shared<Notification>(made), std::move(users), "", ""};
  }
  Acceptance collapsing(const std::string& user, const std::string& key) {
    Acceptance acceptance = notification({user});
    Notification made = *acceptance.notification;
    made.collapse_key = key;
    acceptance.notification = std::make_shared<Notification>(made);
    return acceptance;
  }
  Acceptance keyed(Acceptance acceptance, std::string key, std::string fingerprint) {
    acceptance.idempotency_key = std::move(key);
    acceptance.fingerprint = std::move(fingerprint);
    return acceptance;
  }

  Result<Accepted, StoreError> accept(const Acceptance& acceptance) {
    return wait<Accepted>([&](Store& store, Store::Done<Accepted> done) { store.accept(acceptance, std::move(done)); });
  }
  void fill(const std::string& user, int count) {
    for (int i = 0; i < count; ++i) EXPECT_TRUE(accept(notification({user})));
  }
  DeviceState open(const std::string& user, const std::string& device) {
    return *wait<DeviceState>([&](Store& store, auto done) { store.open(user, device, std::move(done)); });
  }
  Page read(ReadRequest request) {
    request.now = now;
    return *wait<Page>([&](Store& store, auto done) { store.read(request, std::move(done)); });
  }
  std::vector<std::uint64_t> numbers(const std::string& user, std::uint64_t after = 0) {
    std::vector<std::uint64_t> found;
    for (const Entry& entry : read({.user = user, .after = after}).entries) found.push_back(entry.number);
    return found;
  }
  void prove(const std::string& user, const std::string& device, Range range, bool acknowledged = false,
             std::optional<std::uint64_t> begins = std::nullopt) {
    const Proof proof{user,       device, open(user, device).epoch,    range, acknowledged, "node-1",
                      "socket-1", now,    begins.value_or(range.after)};
    EXPECT_TRUE(wait<void>([&](Store& store, auto done) { store.prove(proof, std::move(done)); }));
  }
  UserSummary mark(const std::string& user, std::vector<std::uint64_t> these, std::uint64_t upto) {
    const ReadMarks marks{user, open(user, "").epoch, std::move(these), upto, now};
    return *wait<UserSummary>([&](Store& store, auto done) { store.mark_read(marks, std::move(done)); });
  }
  UserSummary summarize(const std::string& user) {
    return *wait<UserSummary>([&](Store& store, auto done) { store.summarize(user, now, std::move(done)); });
  }
  std::optional<Trace> inspect(const std::string& id, std::size_t skip = 0, std::size_t recipients_max = 1000) {
    const InspectRequest request{id, skip, recipients_max, now};
    return *wait<std::optional<Trace>>([&](Store& store, auto done) { store.inspect(request, std::move(done)); });
  }
  bool sweep(std::size_t notifications_max = 1000) {
    return *wait<bool>([&](Store& store, auto done) { store.sweep(now, notifications_max, std::move(done)); });
  }

  std::unique_ptr<StoreBench> bench;
  UnixMs now = contract_start;
  int ids = 0;
};

using testing::ElementsAre;
using testing::IsEmpty;

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

TEST_P(StoreContract, CallsOfOneTurnTakeEffectInOrder) {
  std::vector<std::uint64_t> placed;
  for (int i = 0; i < 3; ++i)
    bench->store().accept(notification({"alice"}), [&](const Result<Accepted, StoreError>& accepted) {
      placed.push_back(accepted->placements.at(0).position.number);
    });
  bench->settle();
  EXPECT_THAT(numbers("alice"), ElementsAre(1, 2, 3));
  EXPECT_THAT(placed, ElementsAre(1, 2, 3));
}

}  // namespace carillon::inbox
