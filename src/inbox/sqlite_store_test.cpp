#include "inbox/sqlite_store.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdint>
#include <filesystem>

#include "inbox/testing_sqlite.hpp"

namespace carillon::inbox {
namespace {

TEST_F(SqliteStoreTest, WhatWasCommittedIsThereAfterARestart) {
  std::string epoch;
  {
    auto store = open();
    ASSERT_TRUE(store);
    EXPECT_FALSE(accept(**store, notification({"alice"})));
    epoch = read(**store, "alice").epoch;
  }
  auto again = open();
  ASSERT_TRUE(again);
  const Page page = read(**again, "alice");
  EXPECT_EQ(page.epoch, epoch);
  ASSERT_EQ(page.entries.size(), 1U);
  EXPECT_FALSE(accept(**again, notification({"alice"})));
  EXPECT_EQ(read(**again, "alice").head, 2U);
}

TEST_F(SqliteStoreTest, WhatWasCommittedIsThereAfterACrash) {
  auto store = open();
  ASSERT_TRUE(store);
  EXPECT_FALSE(accept(**store, notification({"alice"})));
  const TemporaryDirectory copy;
  const auto after = open_crashed(copy);
  EXPECT_EQ(read(*after, "alice").entries.size(), 1U);
}

TEST_F(SqliteStoreTest, WhatWasNotCommittedHasNotHappened) {
  auto store = open();
  bool answered = false;
  (*store)->accept(notification({"alice"}), [&](const auto&) { answered = true; });
  EXPECT_FALSE(answered);
  EXPECT_EQ((*store)->waiting(), 1U);
}

TEST_F(SqliteStoreTest, CommitsAreSynchronous) {
  auto database = open_database(path(), *random);
  ASSERT_TRUE(database);
  Statement synchronous(*database, "PRAGMA synchronous");
  ASSERT_TRUE(synchronous.step());
  EXPECT_EQ(synchronous.integer(0), 2);  // FULL
  Statement journal(*database, "PRAGMA journal_mode");
  ASSERT_TRUE(journal.step());
  EXPECT_EQ(journal.text(0), "wal");
}

TEST_F(SqliteStoreTest, AFullFileRefusesTheWholeBatchAndKeepsWhatItHas) {
  auto store = open();
  ASSERT_TRUE(store);
  EXPECT_FALSE(accept(**store, notification({"alice"})));
  (*store)->limit_pages_for_tests(60);
  std::optional<StoreError> small;
  (*store)->accept(notification({"bob"}), [&](const Result<Accepted, StoreError>& result) {
    if (!result) small = result.error();
  });
  EXPECT_EQ(accept(**store, notification({"alice"}, std::string(4'000'000, '1'))), StoreError::full);
  EXPECT_EQ(small, StoreError::full);
  EXPECT_EQ(last_commit, Failure(StoreError::full));
  EXPECT_EQ(read(**store, "alice").head, 1U);
  EXPECT_EQ(read(**store, "bob").head, 0U);
  // Room again: no restart is needed, and the numbers go on where they were.
  (*store)->limit_pages_for_tests(100'000);
  EXPECT_TRUE((*store)->probe());
  EXPECT_FALSE(accept(**store, notification({"alice"})));
  EXPECT_EQ(read(**store, "alice").head, 2U);
}

TEST_F(SqliteStoreTest, AReadOnlyFileIsSaidToBeOne) {
  auto store = open();
  ASSERT_TRUE(store);
  EXPECT_FALSE(accept(**store, notification({"alice"})));
  (*store)->set_read_only_for_tests(true);
  EXPECT_EQ(accept(**store, notification({"alice"})), StoreError::read_only);
  EXPECT_EQ((*store)->probe(), Failure(StoreError::read_only));
  EXPECT_EQ(read(**store, "alice").entries.size(), 1U);
  (*store)->set_read_only_for_tests(false);
  EXPECT_FALSE(accept(**store, notification({"alice"})));
}

// No file of this process grows beyond it, as if the disk were full.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uintmax_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

// What is tried again and again while nothing can be written does not keep those waiting who read.
TEST_F(SqliteStoreTest, WhatFailsAgainIsNotTakenBackAgain) {
  auto store = open();
  EXPECT_FALSE(accept(**store, notification({"alice"})));
  {
    const FileSizeLimit full(std::filesystem::file_size(path() + "-wal"));
    EXPECT_TRUE(accept(**store, notification({"alice"})));
    const std::size_t loads = (*store)->loads_for_tests();
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(accept(**store, notification({"alice"})));
    EXPECT_EQ((*store)->loads_for_tests(), loads);
    EXPECT_EQ(read(**store, "alice").entries.size(), 1U);
  }
  EXPECT_FALSE(accept(**store, notification({"alice"})));
  EXPECT_EQ(read(**store, "alice").head, 2U);
}

// They share rows of the table, and yet each is found, expires and is forgotten by itself.
TEST_F(SqliteStoreTest, NotificationsOfOneCommitLiveAndEndApart) {
  limits.trace_keep = Milliseconds(10'000);
  auto store = open();
  for (int i = 0; i < 100; ++i) {
    Notification made{"id-" + std::to_string(i), "e", std::string(100, '1'), "", start, start + 1'000 * (1 + i % 3)};
    (*store)->accept({std::make_shared<Notification>(made), {"alice"}, "", ""},
                     [](const auto& accepted) { EXPECT_TRUE(accepted); });
  }
  Notification large{"large", "e", std::string(60'000, '1'), "", start, start + 60'000};
  (*store)->accept({std::make_shared<Notification>(large), {"bob"}, "", ""},
                   [](const auto& accepted) { EXPECT_TRUE(accepted); });
  EXPECT_TRUE((*store)->commit());
  EXPECT_EQ(read(**store, "alice").entries.size(), 100U);
  EXPECT_EQ(read(**store, "bob").entries.size(), 1U);
  const auto sweep = [&](UnixMs now, std::size_t notifications_max) {
    bool left = false;
    (*store)->sweep(now, notifications_max, [&](const Result<bool, StoreError>& more) { left = more && *more; });
    EXPECT_TRUE((*store)->commit());
    return left;
  };
  const auto known = [&](const std::string& id) {
    bool found = false;
    (*store)->inspect({id, 0, 10, start}, [&](const auto& trace) { found = trace && trace->has_value(); });
    EXPECT_TRUE((*store)->commit());
    return found;
  };
  EXPECT_TRUE(sweep(start + 1'000, 20));
  EXPECT_FALSE(sweep(start + 1'000, 20)) << "34 have expired";
  const Page page = read(**store, "alice");
  ASSERT_EQ(page.entries.size(), 66U);
  EXPECT_EQ(page.entries[0].notification->id, "id-1");
  EXPECT_TRUE(known("id-0")) << "its trace is kept";
  EXPECT_FALSE(sweep(start + 11'000, 1'000));
  EXPECT_FALSE(known("id-0"));
  EXPECT_TRUE(known("id-1"));
  EXPECT_FALSE(sweep(start + 13'000, 1'000));
  EXPECT_FALSE(known("id-1"));
  EXPECT_FALSE(known("id-99"));
  EXPECT_TRUE(known("large"));
  EXPECT_EQ(read(**store, "bob").entries.size(), 1U);
  EXPECT_FALSE(sweep(start + 70'000, 1'000));
  store->reset();
  auto database = Database::open(path());
  for (const char* table : {"log", "log_id", "due", "mark", "ending"}) {
    Statement rows(*database, std::string("SELECT count(*) FROM ") + table);
    ASSERT_TRUE(rows.step());
    EXPECT_EQ(rows.integer(0), 0) << table;
  }
}

}  // namespace
}  // namespace carillon::inbox
