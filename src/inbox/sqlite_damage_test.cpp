// Damage in the file costs who meets it, and nobody else.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inbox/sqlite_schema.hpp"
#include "inbox/testing_sqlite.hpp"

namespace carillon::inbox {
namespace {

class SqliteDamageTest : public SqliteStoreTest {
 protected:
  using Error = std::optional<StoreError>;
  // What a call of the next commit says.
  template <class T>
  auto note(Error& error) {
    return [&error](const Result<T, StoreError>& result) {
      error = result ? std::nullopt : std::optional(result.error());
    };
  }
  // A server that has come and gone: it is in a run, and the file is closed.
  void fold(const Acceptance& asked) {
    auto store = open();
    EXPECT_FALSE(accept(**store, asked));
    fold_all(**store);
  }
  // When all has expired long ago.
  void sweep_often(SqliteStore& store) {
    for (int i = 0; i < 10; ++i) {
      store.sweep(start + 60'000 + limits.trace_keep.count(), 100, [](const auto&) {});
      static_cast<void>(store.commit());
    }
  }
  static std::string name(std::size_t i) { return "user-" + std::to_string(i); }
  // So many users, whose heads are on several pages.
  Acceptance to_many() {
    std::vector<std::string> users;
    for (std::size_t i = 0; i < 1'000; ++i) users.push_back(name(i));
    return notification(std::move(users));
  }
};

// A producer who goes on notifying somebody whose log is damaged does not slow the others: nothing has to be taken back.
TEST_F(SqliteDamageTest, AnAcceptThatMeetsItBeforeAnythingIsDoneCostsNobodyElse) {
  fold(notification({"alice"}));
  damage("head");
  auto store = open();
  ASSERT_TRUE(store);
  const std::size_t loads = (*store)->loads_for_tests();
  std::vector<Error> errors;
  for (const auto& users : {std::vector<std::string>{"bob"}, {"alice"}, {"bob", "alice"}, {"bob"}})
    (*store)->accept(notification(users), [&](const Result<Accepted, StoreError>& accepted) {
      errors.push_back(accepted ? std::nullopt : std::optional(accepted.error()));
    });
  EXPECT_EQ((*store)->commit(), Failure(StoreError::corrupt));
  EXPECT_EQ(errors, (std::vector<Error>{{}, StoreError::corrupt, StoreError::corrupt, {}}));
  EXPECT_EQ((*store)->loads_for_tests(), loads);
  EXPECT_EQ(read(**store, "bob").entries.size(), 2U);
  EXPECT_FALSE(accept(**store, notification({"bob"})));
  EXPECT_TRUE(last_commit) << "it says nothing of the batch before";
}

// A client may do that as often as it likes.
TEST_F(SqliteDamageTest, SoDoProofsAndReadMarks) {
  fold(to_many());
  damage_first_leaf("head");
  auto store = open();
  ASSERT_TRUE(store);
  const std::size_t loads = (*store)->loads_for_tests();
  const std::string epoch = epoch_of(**store);
  Error marked;
  Error proven;
  Error accepted = StoreError::unavailable;
  (*store)->accept(notification({name(999)}), note<Accepted>(accepted));  // something that would have to be taken back
  (*store)->mark_read({name(0), epoch, {1}, 0, start}, note<UserSummary>(marked));
  Proof proof;
  proof.user = name(0);
  proof.device = "phone";
  proof.epoch = epoch;
  proof.range = {0, 1};
  (*store)->prove(proof, note<void>(proven));
  EXPECT_EQ((*store)->commit(), Failure(StoreError::corrupt));
  EXPECT_EQ(marked, StoreError::corrupt);
  EXPECT_EQ(proven, StoreError::corrupt);
  EXPECT_EQ(accepted, std::nullopt);
  EXPECT_EQ((*store)->loads_for_tests(), loads);
  EXPECT_FALSE((*store)->is_damaged());
}

// What a call reads of more than its user is looked at beforehand as soon as damage was met anywhere.
TEST_F(SqliteDamageTest, WhatGoesOnMeetingItCostsTheOthersNoMoreThanOnce) {
  limits.notifications_per_user_max = 2;
  {
    auto store = open();
    EXPECT_FALSE(accept(**store, notification({"reader"})));
    for (int i = 0; i < 2; ++i) EXPECT_FALSE(accept(**store, notification({"full"})));
    fold_all(**store);
  }
  execute("UPDATE log SET block = substr(block, 1, 20) WHERE seq < 3");
  auto store = open();
  ASSERT_TRUE(store);
  const std::string epoch = epoch_of(**store);
  const std::size_t loads = (*store)->loads_for_tests();
  for (std::uint64_t i = 1; i <= 5; ++i) {
    Error accepted = StoreError::unavailable;
    Error refused;
    Error marked;
    (*store)->accept(notification({"bob"}), note<Accepted>(accepted));
    (*store)->accept(notification({"full"}), note<Accepted>(refused));
    (*store)->mark_read({"reader", epoch, {1}, 0, start + 60'000}, note<UserSummary>(marked));  // it has expired
    EXPECT_EQ((*store)->commit(), Failure(StoreError::corrupt));
    EXPECT_EQ(accepted, std::nullopt);
    EXPECT_EQ(refused, StoreError::corrupt);
    EXPECT_EQ(marked, StoreError::corrupt);
    EXPECT_EQ((*store)->loads_for_tests(), loads + 1);
  }
}

TEST_F(SqliteDamageTest, AKnownKeyIsKnownAlsoWhereTheUserIsDamaged) {
  Acceptance asked = to_many();
  asked.idempotency_key = "key";
  asked.fingerprint = "print";
  fold(asked);
  damage_first_leaf("head");
  auto store = open();
  ASSERT_TRUE(store);
  std::optional<Accepted> again;
  (*store)->accept(asked, [&](const Result<Accepted, StoreError>& result) {
    if (result) again = *result;
  });
  EXPECT_TRUE((*store)->commit());
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->id, asked.notification->id);
  asked.fingerprint = "another";
  EXPECT_EQ(accept(**store, asked), StoreError::key_conflict);
  asked.idempotency_key = "a new one";
  EXPECT_EQ(accept(**store, asked), StoreError::corrupt);
}

// SQLite itself sees the damage here, and writes nothing more in a transaction that has met it.
TEST_F(SqliteDamageTest, ADamagedPageOfTheLogDoesNotKeepTheOthersFromGoing) {
  {
    auto store = open();
    for (std::size_t i = 0; i < 20; ++i)
      EXPECT_FALSE(accept(**store, notification({name(i)}, std::string(3'000, '1'))));
    fold_all(**store);
  }
  damage_first_leaf("log");
  auto store = open();
  ASSERT_TRUE(store);
  ASSERT_FALSE((*store)->is_damaged());
  const std::size_t loads = (*store)->loads_for_tests();
  const UnixMs later = start + 60'000 + limits.trace_keep.count();
  sweep_often(**store);
  EXPECT_LE((*store)->loads_for_tests(), loads + 2) << "one for each page beside it";
  store->reset();
  auto database = Database::open(path());
  Statement due(*database, "SELECT count(*), sum(at > ?) FROM due");
  ASSERT_TRUE(due.bind(later).step());
  EXPECT_GE(due.integer(0), 1);
  EXPECT_LT(due.integer(0), 5) << "what is on the damaged page";
  EXPECT_EQ(due.integer(0), due.integer(1)) << "put off";
}

TEST_F(SqliteDamageTest, ASweepGoesOnWithoutTheKeysThatCannotBeRead) {
  Acceptance asked = notification({"alice"});
  asked.idempotency_key = "key";
  fold(asked);
  damage("idempotency");
  auto store = open();
  ASSERT_TRUE(store);
  const std::size_t loads = (*store)->loads_for_tests();
  sweep_often(**store);
  EXPECT_LE((*store)->loads_for_tests(), loads + 1);
  store->reset();
  auto database = Database::open(path());
  Statement log(*database, "SELECT seq FROM log");
  EXPECT_FALSE(log.step()) << "what has expired is gone";
}

TEST_F(SqliteDamageTest, ASweepThatCannotFoldDoesNotTryItAgainSoon) {
  fold(notification({"alice"}));
  damage("run_page");
  auto store = open();
  ASSERT_TRUE(store);
  EXPECT_FALSE(accept(**store, notification({"bob"})));
  const std::size_t loads = (*store)->loads_for_tests();
  sweep_often(**store);
  EXPECT_LE((*store)->loads_for_tests(), loads + 1);
  EXPECT_FALSE(accept(**store, notification({"carol"})));
}

// Without it nobody's log can be told from one that is shorter.
TEST_F(SqliteDamageTest, WithoutTheListOfRunsNothingIsRead) {
  fold(notification({"alice"}));
  damage("run");
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, StoreError::corrupt);
}

// What is not folded is read again after a failure, too.
TEST_F(SqliteDamageTest, WhatCannotBeReadAgainIsDamageOfAllOfIt) {
  auto database = open_database(path(), *random);
  ASSERT_TRUE(database);
  sqlite3* const handle = database->handle();
  ASSERT_EQ(database->execute("PRAGMA wal_checkpoint(TRUNCATE)"), SQLITE_OK);
  const std::int64_t page = root_page(*database, "run");
  SqliteLog log(std::move(*database), "epoch", limits);
  ASSERT_TRUE(log.load());
  ASSERT_TRUE(log.begin());
  ASSERT_TRUE(log.accept(notification({"alice"})));
  overwrite(page);
  sqlite3_db_release_memory(handle);
  log.rollback();
  EXPECT_TRUE(log.is_damaged());
  const std::size_t loads = log.loads();
  EXPECT_EQ(log.begin(), Failure(StoreError::corrupt));
  EXPECT_FALSE(log.summarize("alice", start));
  EXPECT_EQ(log.loads(), loads) << "it is not tried again";
}

}  // namespace
}  // namespace carillon::inbox
