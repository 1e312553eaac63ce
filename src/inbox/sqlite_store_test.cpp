#include "inbox/sqlite_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "inbox/testing.hpp"

namespace carillon::inbox {
namespace {

using testing::HasSubstr;

constexpr UnixMs start = 1'700'000'000'000;

class SqliteStoreTest : public testing::Test {
 protected:
  std::string path() const { return directory.file("inbox.db"); }
  auto open() { return SqliteStore::open(path(), limits, *random); }
  void execute(const std::string& sql) {
    auto database = Database::open(path());
    ASSERT_TRUE(database);
    ASSERT_EQ(database->execute(sql), SQLITE_OK) << database->last_error();
  }
  Acceptance notification(std::vector<std::string> users, std::string data = "1") {
    Notification made{"id-" + std::to_string(++ids), "e", std::move(data), "", start, start + 60'000};
    return {std::make_shared<Notification>(made), std::move(users), "", ""};
  }
  // The error of the acceptance, or none.
  std::optional<StoreError> accept(SqliteStore& store, const Acceptance& acceptance) {
    std::optional<StoreError> error = StoreError::unavailable;
    store.accept(acceptance, [&](const Result<Accepted, StoreError>& result) {
      error = result ? std::nullopt : std::optional(result.error());
    });
    last_commit = store.commit();
    return error;
  }
  Page read(SqliteStore& store, const std::string& user) {
    Page page;
    store.read({.user = user, .entries_max = 10'000, .bytes_max = 1 << 30, .now = start},
               [&](Result<Page, StoreError> result) {
                 if (result) page = std::move(*result);
               });
    EXPECT_TRUE(store.commit());
    return page;
  }

  TemporaryDirectory directory;
  std::unique_ptr<Random> random = make_system_random();
  StoreLimits limits;
  Result<void, StoreError> last_commit;
  int ids = 0;
};

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

// A copy of the files is what a crash leaves behind: the write-ahead log is not merged yet.
TEST_F(SqliteStoreTest, WhatWasCommittedIsThereAfterACrash) {
  auto store = open();
  ASSERT_TRUE(store);
  EXPECT_FALSE(accept(**store, notification({"alice"})));
  const TemporaryDirectory copy;
  for (const char* name : {"inbox.db", "inbox.db-wal"})
    std::filesystem::copy_file(directory.path() / name, copy.path() / name);
  auto after = SqliteStore::open(copy.file("inbox.db"), limits, *random);
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(read(**after, "alice").entries.size(), 1U);
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

TEST_F(SqliteStoreTest, AFileThatIsNoDatabaseIsRefusedAndLeftAlone) {
  const std::string text(5000, 'x');
  std::ofstream(path()) << text;
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, StoreError::corrupt);
  EXPECT_THAT(store.error().message, HasSubstr("inbox.db"));
  std::ifstream file(path());
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text);
}

TEST_F(SqliteStoreTest, ADatabaseOfAnotherProgramIsRefused) {
  execute("CREATE TABLE something(a)");
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, StoreError::corrupt);
  EXPECT_THAT(store.error().message, HasSubstr("another program"));
}

TEST_F(SqliteStoreTest, ADatabaseOfANewerVersionIsRefused) {
  ASSERT_TRUE(open());
  execute("PRAGMA user_version = 99");
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message, HasSubstr("newer version"));
}

TEST_F(SqliteStoreTest, TablesThatSomebodyHasChangedAreRefused) {
  ASSERT_TRUE(open());
  execute("ALTER TABLE entry ADD COLUMN extra");
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, StoreError::corrupt);
  EXPECT_THAT(store.error().message, HasSubstr("not those that Carillon has made"));
}

TEST_F(SqliteStoreTest, BelongsToOneStoreAtATime) {
  auto first = open();
  ASSERT_TRUE(first);
  EXPECT_FALSE(accept(**first, notification({"alice"})));
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, StoreError::unavailable);
}

TEST_F(SqliteStoreTest, AFolderThatIsNotThereIsNamed) {
  const auto store = SqliteStore::open(directory.file("missing/inbox.db"), limits, *random);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, StoreError::unavailable);
  EXPECT_THAT(store.error().message, HasSubstr("missing/inbox.db"));
}

// Damage in the middle: the schema is well, a page of data is not.
TEST_F(SqliteStoreTest, DamageIsHeldAgainstWhoMeetsIt) {
  {
    auto store = open();
    for (int i = 0; i < 200; ++i)
      EXPECT_FALSE(accept(**store, notification({"user-" + std::to_string(i % 4)}, std::string(500, '1'))));
  }
  std::int64_t page = 0;
  {
    auto database = Database::open(path());
    Statement root(*database, "SELECT rootpage FROM sqlite_schema WHERE name = 'entry'");
    ASSERT_TRUE(root.step());
    page = root.integer(0);
  }
  std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp((page - 1) * 4096);
  file << std::string(4096, '\x7f');
  file.close();
  auto store = open();
  ASSERT_TRUE(store);
  EXPECT_EQ(accept(**store, notification({"user-0"})), StoreError::corrupt);
  EXPECT_EQ(last_commit, Failure(StoreError::corrupt));
  // Nobody's log is touched by what goes to nobody.
  std::optional<StoreError> bad;
  (*store)->accept(notification({"user-1"}),
                   [&](const auto& result) { bad = result ? std::nullopt : std::optional(result.error()); });
  EXPECT_FALSE(accept(**store, notification({})));
  EXPECT_EQ(bad, StoreError::corrupt);
}

}  // namespace
}  // namespace carillon::inbox
