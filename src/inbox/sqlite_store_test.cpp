#include "inbox/sqlite_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "inbox/log_block.hpp"
#include "inbox/recipients_codec.hpp"
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
  std::string epoch_of(SqliteStore& store) {
    std::string epoch;
    store.summarize("", start, [&](const auto& summary) { epoch = summary->epoch; });
    EXPECT_TRUE(store.commit());
    return epoch;
  }
  // The first page of the table; nobody has the file open.
  void damage(const std::string& table) {
    std::int64_t page = 0;
    {
      auto database = Database::open(path());
      Statement root(*database, "SELECT rootpage FROM sqlite_schema WHERE name = ?");
      ASSERT_TRUE(root.bind(table).step());
      page = root.integer(0);
    }
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp((page - 1) * 4096);
    file << std::string(4096, '\x7f');
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
  execute("ALTER TABLE user ADD COLUMN extra");
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

// Every user's entries are in their table then.
void fold_all(SqliteStore& store) {
  store.sweep(std::numeric_limits<UnixMs>::max() / 2, 0, [](const auto& more) { EXPECT_TRUE(more); });
  EXPECT_TRUE(store.commit());
}

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
  for (const char* name : {"inbox.db", "inbox.db-wal"})
    std::filesystem::copy_file(directory.path() / name, copy.path() / name);
  auto after = SqliteStore::open(copy.file("inbox.db"), limits, *random);
  ASSERT_TRUE(after) << after.error().message;
  const Page page = read(**after, "everybody");
  ASSERT_EQ(page.entries.size(), 100U);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(page.entries[i].number, i + 1);
    EXPECT_EQ(page.entries[i].notification->id, "id-" + std::to_string(i + 1));
  }
  EXPECT_EQ(read(**after, "user-0").entries.size(), 34U);
  for (int i = 0; i < 100; ++i) {
    Acceptance again = notification({"everybody"});
    again.idempotency_key = "key-" + std::to_string(i);
    EXPECT_FALSE(accept(**after, again));
  }
  EXPECT_EQ(read(**after, "everybody").head, 100U) << "every key is known";
}

// As often as parts are written, and between them.
TEST_F(SqliteStoreTest, ACrashInTheMiddleOfFoldingLosesNothing) {
  auto store = open();
  (*store)->set_fold_sizes_for_tests({.start = 40, .part = 4});
  for (int i = 0; i < 150; ++i) {
    EXPECT_FALSE(accept(**store, notification({"user-" + std::to_string(i % 7), "everybody"})));
    if (i % 3 != 0) continue;
    const TemporaryDirectory copy;
    for (const char* name : {"inbox.db", "inbox.db-wal"})
      std::filesystem::copy_file(directory.path() / name, copy.path() / name);
    auto after = SqliteStore::open(copy.file("inbox.db"), limits, *random);
    ASSERT_TRUE(after) << after.error().message;
    const Page page = read(**after, "everybody");
    ASSERT_EQ(page.head, static_cast<std::uint64_t>(i + 1));
    ASSERT_EQ(page.entries.size(), static_cast<std::size_t>(i + 1));
    for (std::size_t n = 0; n < page.entries.size(); ++n) ASSERT_EQ(page.entries[n].number, n + 1);
    EXPECT_EQ(read(**after, "user-0").entries.size(), static_cast<std::size_t>(i / 7 + 1));
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

TEST_F(SqliteStoreTest, AFileOfSchemaOneBecomesOneOfToday) {
  {
    auto database = open_database(path(), *random, 1);
    ASSERT_TRUE(database) << database.error().message;
    ASSERT_EQ(database->execute(
                  "INSERT INTO user VALUES(7, 'alice', 1, 1), (9, 'bob', 5, 0);"
                  "INSERT INTO notification VALUES(4, 'id-1', 'e', '\"one\"', '', 1700000000000, 1700000060000, "
                  "1700000060000, 1, X'0702'), (5, 'id-2', 'e', '\"two\"', 'score', 1700000000001, 1700000060000, "
                  "1700000060000, 1, X'0703');"
                  "INSERT INTO entry VALUES(7, 2, 4, 1700000060000, 10, 1700000000500, NULL), "
                  "(7, 3, 5, 1700000060000, 15, 0, 'score');"
                  "INSERT INTO device VALUES(7, 'phone', 2, 1700000000600);"
                  "INSERT INTO proof VALUES(7, 2, 'phone', 1, 1, 1700000000600, 'n', 's');"
                  "INSERT INTO idempotency VALUES(1, 'key', 'print', 'id-1', 1, 1700000000000);"),
              SQLITE_OK)
        << database->last_error();
  }
  auto store = open();
  ASSERT_TRUE(store) << store.error().message;
  const Page page = read(**store, "alice");
  EXPECT_EQ(page.head, 3U);
  EXPECT_EQ(page.dropped_to, 1U);
  ASSERT_EQ(page.entries.size(), 2U);
  EXPECT_EQ(page.entries[0].notification->data, "\"one\"");
  EXPECT_TRUE(page.entries[0].read);
  EXPECT_EQ(page.entries[1].notification->collapse_key, "score");
  EXPECT_FALSE(page.entries[1].read);
  EXPECT_EQ(read(**store, "bob").head, 5U);
  Acceptance known = notification({"alice"});
  known.idempotency_key = "key";
  known.fingerprint = "print";
  EXPECT_FALSE(accept(**store, known));
  EXPECT_EQ(read(**store, "alice").head, 3U) << "its key is known";
  std::size_t receipts = 0;
  (*store)->inspect({"id-1", 0, 10, start},
                    [&](const auto& trace) { receipts = (**trace).recipients.at(0).receipts.size(); });
  EXPECT_TRUE((*store)->commit());
  EXPECT_EQ(receipts, 1U);
  ids = 10;
  EXPECT_FALSE(accept(**store, notification({"alice", "bob"})));
  EXPECT_EQ(read(**store, "alice").head, 4U);
  EXPECT_EQ(read(**store, "bob").head, 6U);
}

// Made by the version before: two entries are folded, two are not, of which one has a collapse key.
TEST_F(SqliteStoreTest, AFileOfSchemaTwoBecomesOneOfToday) {
  const auto block = [](std::int64_t number, std::string id, std::string collapse_key) {
    Notification made{std::move(id), "e", "\"data\"", std::move(collapse_key), start, start + 60'000};
    std::string bytes;
    append_record(bytes, encode_body({std::make_shared<Notification>(made), "", "",
                                      encode_recipients({{7, static_cast<std::uint64_t>(number)}}), 1}));
    return Blob{bytes};
  };
  {
    auto database = open_database(path(), *random, 2);
    ASSERT_TRUE(database) << database.error().message;
    ASSERT_EQ(
        database->execute("INSERT INTO user(num, id, head, dropped_to, entries, bytes) VALUES(7, 'alice', 3, 1, 2, 24);"
                          "INSERT INTO entry VALUES(7, 2, 2, 1700000060000, 12, 1700000000500, NULL), "
                          "(7, 3, 3, 1700000060000, 12, 0, 'old');"
                          "UPDATE meta SET value = 3 WHERE name IN ('folded', 'noted')"),
        SQLITE_OK)
        << database->last_error();
    Statement insert(*database, "INSERT INTO log(seq, block) VALUES(?, ?)");
    for (const auto& [number, key] : {std::pair(2, ""), {3, "old"}, {4, "new"}, {5, ""}}) {
      const Blob bytes = block(number, "id-" + std::to_string(number), key);
      ASSERT_TRUE(insert.bind(number, bytes).run());
    }
  }
  auto store = open();
  ASSERT_TRUE(store) << store.error().message;
  Page page = read(**store, "alice");
  EXPECT_EQ(page.head, 5U);
  EXPECT_EQ(page.dropped_to, 1U);
  ASSERT_EQ(page.entries.size(), 4U);
  EXPECT_TRUE(page.entries[0].read);
  EXPECT_FALSE(page.entries[1].read);
  ids = 10;
  for (const char* key : {"old", "new"}) {
    Notification newer = *notification({}).notification;
    newer.collapse_key = key;
    EXPECT_FALSE(accept(**store, {std::make_shared<Notification>(newer), {"alice"}, "", ""}));
  }
  page = read(**store, "alice");
  std::vector<std::uint64_t> numbers;
  for (const Entry& entry : page.entries) numbers.push_back(entry.number);
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{2, 5, 6, 7})) << "both of the older ones are replaced";
}

}  // namespace
}  // namespace carillon::inbox
