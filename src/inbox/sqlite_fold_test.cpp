// What is folded, when, and what is left of it after crashes and damage.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "inbox/testing_sqlite.hpp"

namespace carillon::inbox {
namespace {

// Damage in the middle: the schema is well, a page of data is not.
TEST_F(SqliteStoreTest, DamageIsHeldAgainstWhoMeetsIt) {
  {
    auto store = open();
    for (int i = 0; i < 200; ++i)
      EXPECT_FALSE(accept(**store, notification({"user-" + std::to_string(i % 4)}, std::string(500, '1'))));
    fold_all(**store);
  }
  damage("run_page");
  auto store = open();
  ASSERT_TRUE(store);
  std::optional<StoreError> bad;
  (*store)->mark_read({"user-1", epoch_of(**store), {1}, 0, start},
                      [&](const auto& result) { bad = result ? std::nullopt : std::optional(result.error()); });
  EXPECT_FALSE(accept(**store, notification({"user-2"}))) << "it does not meet it";
  EXPECT_EQ(bad, StoreError::corrupt);
  EXPECT_EQ(last_commit, Failure(StoreError::corrupt));
}

// Folding meets the damage. What is accepted stays readable; only so much is taken as memory may hold.
TEST_F(SqliteStoreTest, WhatCannotBeFoldedIsKeptUntilItIsTooMuch) {
  {
    auto store = open();
    for (int i = 0; i < 200; ++i) EXPECT_FALSE(accept(**store, notification({"bob"}, std::string(500, '1'))));
    fold_all(**store);
  }
  damage("run_page");
  auto store = open();
  ASSERT_TRUE(store);
  (*store)->set_fold_sizes_for_tests({.start = 20, .part = 4});
  std::uint64_t accepted = 0;
  std::optional<StoreError> error;
  while (accepted < 200 && !(error = accept(**store, notification({"alice"})))) ++accepted;
  EXPECT_EQ(error, StoreError::corrupt);
  EXPECT_GT(accepted, 20U);
  EXPECT_LT(accepted, 100U);
}

TEST_F(SqliteStoreTest, WhatWasFoldedAndWhatWasNotIsThereAfterACrash) {
  auto store = open();
  (*store)->set_fold_sizes_for_tests({.start = 20, .part = 8});
  for (int i = 0; i < 100; ++i) {
    Acceptance acceptance = notification({"user-" + std::to_string(i % 3), "everybody"});
    acceptance.idempotency_key = "key-" + std::to_string(i);
    EXPECT_FALSE(accept(**store, acceptance));
  }
  const TemporaryDirectory copy;
  const auto after = open_crashed(copy);
  const Page page = read(*after, "everybody");
  ASSERT_EQ(page.entries.size(), 100U);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(page.entries[i].number, i + 1);
    EXPECT_EQ(page.entries[i].notification->id, "id-" + std::to_string(i + 1));
  }
  EXPECT_EQ(read(*after, "user-0").entries.size(), 34U);
  for (int i = 0; i < 100; ++i) {
    Acceptance again = notification({"everybody"});
    again.idempotency_key = "key-" + std::to_string(i);
    EXPECT_FALSE(accept(*after, again));
  }
  EXPECT_EQ(read(*after, "everybody").head, 100U) << "every key is known";
}

// As often as parts are written, and between them.
TEST_F(SqliteStoreTest, ACrashInTheMiddleOfFoldingLosesNothing) {
  auto store = open();
  (*store)->set_fold_sizes_for_tests({.start = 40, .part = 4});
  for (int i = 0; i < 150; ++i) {
    EXPECT_FALSE(accept(**store, notification({"user-" + std::to_string(i % 7), "everybody"})));
    if (i % 3 != 0) continue;
    const TemporaryDirectory copy;
    const auto after = open_crashed(copy);
    const Page page = read(*after, "everybody");
    ASSERT_EQ(page.head, static_cast<std::uint64_t>(i + 1));
    ASSERT_EQ(page.entries.size(), static_cast<std::size_t>(i + 1));
    for (std::size_t n = 0; n < page.entries.size(); ++n) ASSERT_EQ(page.entries[n].number, n + 1);
    EXPECT_EQ(read(*after, "user-0").entries.size(), static_cast<std::size_t>(i / 7 + 1));
  }
}

// Folding waits for no disk, what is accepted after it does again.
TEST_F(SqliteStoreTest, CommitsAreSynchronousAfterFolding) {
  auto database = open_database(path(), *random);
  ASSERT_TRUE(database);
  sqlite3* handle = database->handle();
  SqliteLog log(std::move(*database), "epoch", limits);
  ASSERT_TRUE(log.load());
  log.set_fold_sizes({.start = 1, .part = 1});
  ASSERT_TRUE(log.begin());
  ASSERT_TRUE(log.accept(notification({"alice"})));
  ASSERT_TRUE(log.commit());
  ASSERT_TRUE(log.fold_some());
  sqlite3_stmt* statement = nullptr;
  ASSERT_EQ(sqlite3_prepare_v2(handle, "PRAGMA synchronous", -1, &statement, nullptr), SQLITE_OK);
  ASSERT_EQ(sqlite3_step(statement), SQLITE_ROW);
  EXPECT_EQ(sqlite3_column_int(statement, 0), 2);  // FULL
  sqlite3_finalize(statement);
}

// A sweep in the future forgets what there is; what comes after the clock was set right is not taken for forgotten.
TEST_F(SqliteStoreTest, AClockThatIsSetBackHidesNothing) {
  auto store = open();
  (*store)->set_fold_sizes_for_tests({.start = 8, .part = 4});
  EXPECT_FALSE(accept(**store, notification({"alice"})));
  constexpr UnixMs year = 365LL * 24 * 60 * 60 * 1000;
  (*store)->sweep(start + year, 100, [](const auto& more) { EXPECT_TRUE(more); });
  EXPECT_TRUE((*store)->commit());
  EXPECT_EQ(read(**store, "alice").entries.size(), 0U);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(accept(**store, notification({"alice"})));
    ASSERT_EQ(read(**store, "alice").entries.size(), static_cast<std::size_t>(i + 1));
  }
  store->reset();
  store = open();
  EXPECT_EQ(read(**store, "alice").entries.size(), 100U);
  EXPECT_EQ(read(**store, "alice").head, 101U);
}

// Numbers of what goes are not looked for one by one.
TEST_F(SqliteStoreTest, WhoIsAtTheLimitKeepsTheNewest) {
  limits.notifications_per_user_max = 50;
  auto store = open();
  (*store)->set_fold_sizes_for_tests({.start = 30, .part = 8});
  for (std::uint64_t i = 1; i <= 400; ++i) {
    EXPECT_FALSE(accept(**store, notification({"alice"})));
    if (i % 41 == 0) {
      store->reset();
      store = open();
      (*store)->set_fold_sizes_for_tests({.start = 30, .part = 8});
    }
    const Page page = read(**store, "alice");
    ASSERT_EQ(page.entries.size(), std::min<std::uint64_t>(i, 50));
    ASSERT_EQ(page.entries.back().number, i);
    ASSERT_EQ(page.entries.front().number, page.dropped_to + 1);
  }
}

// Numbers of notifications that were forgotten are not given again: who reads the newest ones would not find them.
TEST_F(SqliteStoreTest, WhatIsAcceptedAfterEverythingWasForgottenIsThereAfterARestart) {
  limits.trace_keep = Milliseconds(0);
  {
    auto store = open();
    EXPECT_FALSE(accept(**store, notification({"alice"})));
    EXPECT_FALSE(accept(**store, notification({"alice"})));
    (*store)->sweep(start + 60'000, 100, [](const auto& more) { EXPECT_TRUE(more); });
    EXPECT_TRUE((*store)->commit());
    EXPECT_FALSE(accept(**store, notification({"alice"})));
  }
  auto store = open();
  const Page page = read(**store, "alice");
  ASSERT_EQ(page.entries.size(), 1U);
  EXPECT_EQ(page.entries[0].number, 3U);
}

// The schema of the file is well and so are its pages; what is in a block is not what it should be.
TEST_F(SqliteStoreTest, ADamagedBlockIsHeldAgainstWhoMeetsIt) {
  {
    auto store = open();
    EXPECT_FALSE(accept(**store, notification({"alice"})));
    EXPECT_FALSE(accept(**store, notification({"bob"})));
    fold_all(**store);
  }
  execute("UPDATE log SET block = substr(block, 1, 20) WHERE seq = 1");
  auto store = open();
  ASSERT_TRUE(store) << store.error().message;
  std::optional<StoreError> error;
  (*store)->read({.user = "alice", .now = start},
                 [&](const auto& page) { error = page ? std::nullopt : std::optional(page.error()); });
  EXPECT_FALSE((*store)->commit());
  EXPECT_EQ(error, StoreError::corrupt);
  EXPECT_EQ(read(**store, "bob").entries.size(), 1U);
}

// What is not folded yet is read when the store is opened. A part of it is damaged: who lacks something of it is not given what
// came after, the others lose nothing, and nothing new is taken, since its numbers might have been given.
TEST_F(SqliteStoreTest, DamageOfWhatWasAcceptedLastKeepsTheRestReadable) {
  std::string epoch;
  {
    auto store = open();
    epoch = epoch_of(**store);
    for (const char* user : {"alice", "bob", "alice", "bob"}) EXPECT_FALSE(accept(**store, notification({user})));
  }
  execute("UPDATE log SET block = substr(block, 1, 20) WHERE seq = 1");
  auto store = open();
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_TRUE((*store)->is_damaged());
  EXPECT_THAT((*store)->complaint(), testing::HasSubstr("from 1 on"));
  EXPECT_EQ(read(**store, "bob").entries.size(), 2U);
  std::optional<StoreError> error;
  (*store)->read({.user = "alice", .now = start},
                 [&](const auto& page) { error = page ? std::nullopt : std::optional(page.error()); });
  EXPECT_FALSE((*store)->commit());
  EXPECT_EQ(error, StoreError::corrupt);
  EXPECT_EQ(accept(**store, notification({"bob"})), StoreError::corrupt);
  EXPECT_EQ(accept(**store, notification({"carol"})), StoreError::corrupt);
  EXPECT_EQ((*store)->probe(), Failure(StoreError::corrupt));
  EXPECT_EQ(read(**store, "bob").entries.size(), 2U);
  EXPECT_EQ(epoch_of(**store), epoch);
}

// The oldest of what is due: those behind it go when their time has come.
TEST_F(SqliteStoreTest, ADamagedBlockDoesNotKeepTheOthersFromGoing) {
  {
    auto store = open();
    for (const char* user : {"alice", "bob"}) EXPECT_FALSE(accept(**store, notification({user})));
    fold_all(**store);
  }
  execute("UPDATE log SET block = substr(block, 1, 20) WHERE seq = 1");
  auto store = open();
  const UnixMs later = start + 60'000 + limits.trace_keep.count();
  std::optional<bool> swept;
  (*store)->sweep(later, 100, [&](const auto& more) { swept = more.has_value(); });
  EXPECT_TRUE((*store)->commit());
  EXPECT_EQ(swept, true);
  store->reset();
  auto database = Database::open(path());
  Statement rows(*database, "SELECT seq FROM log");
  ASSERT_TRUE(rows.step());
  EXPECT_EQ(rows.integer(0), 1) << "it is left as it is";
  EXPECT_FALSE(rows.step()) << "bob's has gone";
}

// Wherever folding stood when the process died, and whichever block is damaged: nobody is given a log with a hole.
TEST_F(SqliteStoreTest, DamageLeavesNoHoleThatNobodyIsToldOf) {
  auto store = open();
  (*store)->set_fold_sizes_for_tests({.start = 12, .part = 2});
  std::size_t readable = 0;
  for (int i = 0; i < 60; ++i) {
    EXPECT_FALSE(accept(**store, notification({"everybody", "user-" + std::to_string(i % 7)})));
    const TemporaryDirectory copy;
    copy_files(copy);
    {
      auto database = Database::open(copy.file("inbox.db"));
      ASSERT_TRUE(database);
      const std::string seq = std::to_string(i * 7 % (i + 1) + 1);
      ASSERT_EQ(database->execute("UPDATE log SET block = substr(block, 1, 20) WHERE seq = " + seq), SQLITE_OK);
    }
    auto after = SqliteStore::open(copy.file("inbox.db"), limits, *random);
    ASSERT_TRUE(after) << after.error().message;
    (*after)->read({.user = "everybody", .entries_max = 100, .bytes_max = 1'000'000, .now = start},
                   [&](const Result<Page, StoreError>& page) {
                     if (!page) return;
                     ++readable;
                     for (std::size_t n = 0; n < page->entries.size(); ++n) ASSERT_EQ(page->entries[n].number, n + 1);
                   });
    static_cast<void>((*after)->commit());
  }
  EXPECT_LT(readable, 30U);
}

TEST_F(SqliteStoreTest, ADamagedPageOfTheLogLeavesWhatWasFolded) {
  {
    auto store = open();
    EXPECT_FALSE(accept(**store, notification({"alice"})));
    fold_all(**store);
    EXPECT_FALSE(accept(**store, notification({"bob"})));
  }
  damage("log");
  auto store = open();
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_TRUE((*store)->is_damaged());
  EXPECT_EQ(accept(**store, notification({"bob"})), StoreError::corrupt);
  bool is_known = false;
  (*store)->summarize("alice", start, [&](const auto& summary) { is_known = summary && summary->head == 1; });
  static_cast<void>((*store)->commit());
  EXPECT_TRUE(is_known);
}

}  // namespace
}  // namespace carillon::inbox
