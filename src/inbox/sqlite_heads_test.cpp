#include "inbox/sqlite_heads.hpp"

#include <gtest/gtest.h>

#include "inbox/sqlite_schema.hpp"
#include "inbox/testing.hpp"

namespace carillon::inbox {
namespace {

class SqliteHeadsTest : public testing::Test {
 protected:
  void expect(std::int64_t user, std::uint64_t head, std::uint64_t bytes_total) {
    SqliteHeads::Head found;
    ASSERT_EQ(heads.read(user, found), SQLITE_OK);
    EXPECT_EQ(found.head, head) << user;
    EXPECT_EQ(found.bytes_total, bytes_total) << user;
  }

  TemporaryDirectory directory;
  std::unique_ptr<Random> random = make_system_random();
  Database database = open_database(directory.file("heads.db"), *random).value();
  SqliteHeads heads{database};
};

TEST_F(SqliteHeadsTest, AUserThatIsNotThereHasNothing) { expect(7, 0, 0); }

TEST_F(SqliteHeadsTest, KeepsManyUsersApart) {
  for (std::int64_t user = 1; user <= 1'000; ++user)
    ASSERT_EQ(heads.set(user, {static_cast<std::uint64_t>(user) << 40, 3}), SQLITE_OK);
  ASSERT_EQ(heads.flush(), SQLITE_OK);
  ASSERT_EQ(heads.set(500, {1, UINT64_MAX}), SQLITE_OK);
  ASSERT_EQ(heads.flush(), SQLITE_OK);
  for (const std::int64_t user : {1, 249, 250, 251, 499, 501, 1'000})
    expect(user, static_cast<std::uint64_t>(user) << 40, 3);
  expect(500, 1, UINT64_MAX);
  expect(1'001, 0, 0);
}

TEST_F(SqliteHeadsTest, WhatWasNotFlushedCanBeForgotten) {
  ASSERT_EQ(heads.set(1, {1, 1}), SQLITE_OK);
  heads.forget();
  ASSERT_EQ(heads.flush(), SQLITE_OK);
  expect(1, 0, 0);
}

TEST_F(SqliteHeadsTest, ARowOfAnotherSizeIsDamaged) {
  ASSERT_EQ(heads.set(1, {1, 1}), SQLITE_OK);
  ASSERT_EQ(heads.flush(), SQLITE_OK);
  ASSERT_EQ(database.execute("UPDATE head SET heads = substr(heads, 1, 100)"), SQLITE_OK);
  SqliteHeads::Head found;
  EXPECT_EQ(heads.read(1, found), SQLITE_CORRUPT);
}

}  // namespace
}  // namespace carillon::inbox
