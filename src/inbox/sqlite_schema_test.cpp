#include "inbox/sqlite_schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "inbox/log_block.hpp"
#include "inbox/recipients_codec.hpp"
#include "inbox/testing_sqlite.hpp"

namespace carillon::inbox {
namespace {

using testing::HasSubstr;

void expect_refused(const Result<std::unique_ptr<SqliteStore>, OpenError>& store, StoreError kind,
                    const std::string& why) {
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, kind);
  EXPECT_THAT(store.error().message, HasSubstr(why));
}

TEST_F(SqliteStoreTest, AFileThatIsNoDatabaseIsRefusedAndLeftAlone) {
  const std::string text(5000, 'x');
  std::ofstream(path()) << text;
  expect_refused(open(), StoreError::corrupt, "inbox.db");
  std::ifstream file(path());
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text);
}

TEST_F(SqliteStoreTest, ADatabaseOfAnotherProgramIsRefused) {
  execute("CREATE TABLE something(a)");
  expect_refused(open(), StoreError::corrupt, "another program");
}

TEST_F(SqliteStoreTest, ADatabaseOfANewerVersionIsRefused) {
  ASSERT_TRUE(open());
  execute("PRAGMA user_version = 99");
  expect_refused(open(), StoreError::corrupt, "newer version");
}

TEST_F(SqliteStoreTest, TablesThatSomebodyHasChangedAreRefused) {
  ASSERT_TRUE(open());
  execute("ALTER TABLE user ADD COLUMN extra");
  expect_refused(open(), StoreError::corrupt, "not those that Carillon has made");
}

TEST_F(SqliteStoreTest, BelongsToOneStoreAtATime) {
  auto first = open();
  ASSERT_TRUE(first);
  EXPECT_FALSE(accept(**first, notification({"alice"})));
  expect_refused(open(), StoreError::unavailable, "inbox.db");
}

TEST_F(SqliteStoreTest, AFolderThatIsNotThereIsNamed) {
  expect_refused(SqliteStore::open(directory.file("missing/inbox.db"), limits, *random), StoreError::unavailable,
                 "missing/inbox.db");
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
