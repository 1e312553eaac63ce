#include "inbox/sqlite_runs.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "inbox/sqlite_schema.hpp"
#include "inbox/testing.hpp"

namespace carillon::inbox {
namespace {

constexpr auto keep_all = [](const UserPosting&) { return true; };

class SqliteRunsTest : public testing::Test {
 protected:
  void begin() { ASSERT_EQ(database.execute("BEGIN"), SQLITE_OK); }
  void commit() { ASSERT_EQ(database.execute("COMMIT"), SQLITE_OK); }
  // Each of the users from `first` on gets its next posting.
  void add_run(std::int64_t first, std::int64_t count) {
    begin();
    for (std::int64_t user = first; user < first + count; ++user) {
      const Posting posting{expected[user].size() + 1, ++seq, 1'000 + seq, 10};
      expected[user].push_back(posting);
      ASSERT_EQ(runs.add({user, posting}), SQLITE_OK);
    }
    ASSERT_EQ(runs.publish(), SQLITE_OK);
    commit();
  }
  void work(std::size_t postings_max, const SqliteRuns::Keep& keep = keep_all) {
    begin();
    ASSERT_EQ(runs.work(postings_max, keep), SQLITE_OK);
    commit();
  }
  void work_all(const SqliteRuns::Keep& keep = keep_all) {
    while (runs.has_work()) work(100, keep);
  }
  std::vector<Posting> find(std::int64_t user, std::uint64_t after = 0, std::size_t postings_max = SIZE_MAX) {
    std::vector<Posting> found;
    EXPECT_EQ(runs.find(user, after,
                        [&](const Posting& posting) {
                          found.push_back(posting);
                          return found.size() < postings_max;
                        }),
              SQLITE_OK);
    return found;
  }
  void expect_everything() {
    for (const auto& [user, postings] : expected) ASSERT_EQ(find(user), postings) << user;
  }
  std::int64_t pages() {
    Statement count(database, "SELECT count(*) FROM run_page");
    EXPECT_TRUE(count.step());
    return count.integer(0);
  }

  TemporaryDirectory directory;
  std::unique_ptr<Random> random = make_system_random();
  Database database = open_database(directory.file("runs.db"), *random).value();
  SqliteRuns runs{database};
  std::map<std::int64_t, std::vector<Posting>> expected;
  std::int64_t seq = 0;
};

TEST_F(SqliteRunsTest, FindsAUsersPostingsInAllRuns) {
  add_run(1, 2'000);
  add_run(500, 1'000);
  add_run(1'999, 3);
  expect_everything();
  EXPECT_EQ(find(600, 1), std::vector{expected[600][1]});
  EXPECT_EQ(find(600, 0, 1), std::vector{expected[600][0]});
  EXPECT_TRUE(find(5'000).empty());
  EXPECT_GT(pages(), 3);
}

TEST_F(SqliteRunsTest, WhatIsNotPublishedIsNotThere) {
  begin();
  ASSERT_EQ(runs.add({1, {1, 1, 1, 1}}), SQLITE_OK);
  commit();
  EXPECT_TRUE(find(1).empty());
  // As after a crash: it is begun anew, and what there was of it goes.
  ASSERT_EQ(runs.load(), SQLITE_OK);
  add_run(1, 10);
  work_all();
  expect_everything();
  EXPECT_EQ(pages(), 1);
}

TEST_F(SqliteRunsTest, ManyRunsBecomeFew) {
  for (int i = 0; i < 64; ++i) {
    add_run(1 + 37 * (i % 5), 200);
    work_all();
    EXPECT_LE(runs.size(), 9U) << i << ": at most three of each size";
  }
  expect_everything();
  EXPECT_LE(pages(), 64 * 200 * 8 / 2'000) << "of what was merged nothing is left";
}

// Runs of any size: never more of them than the size of the whole can explain.
TEST_F(SqliteRunsTest, RunsOfAllSizesAreMerged) {
  std::mt19937 chance(1);
  for (int i = 0; i < 200; ++i) {
    add_run(1 + static_cast<std::int64_t>(chance() % 50), 1 + static_cast<std::int64_t>(chance() % 90));
    if (chance() % 3 == 0) work_all();
  }
  work_all();
  EXPECT_LE(runs.size(), 10U);
  expect_everything();
}

TEST_F(SqliteRunsTest, AMergeIsCutAnywhere) {
  for (std::size_t cut = 1; cut < 40; ++cut) {
    for (int i = 0; i < 4; ++i) add_run(1 + i * 10, 30);
    for (std::size_t i = 0; i < cut && runs.has_work(); ++i) work(7);
    expect_everything();
    ASSERT_EQ(runs.load(), SQLITE_OK);  // as after a crash
    expect_everything();
  }
  work_all();
  expect_everything();
}

TEST_F(SqliteRunsTest, RunsComeWhileOthersAreMerged) {
  for (int i = 0; i < 4; ++i) add_run(1, 100);
  work(50);
  add_run(50, 100);
  expect_everything();
  work_all();
  expect_everything();
  EXPECT_EQ(runs.size(), 2U);
}

TEST_F(SqliteRunsTest, WhatIsOfNoUseIsLeftOut) {
  for (int i = 0; i < 4; ++i) add_run(1, 100);
  work_all([](const UserPosting& entry) { return entry.user % 2 == 0 && entry.posting.number > 1; });
  for (auto& [user, postings] : expected) {
    postings.erase(postings.begin());
    if (user % 2 != 0) postings.clear();
  }
  expect_everything();
  work_all();
  for (int i = 0; i < 4; ++i) add_run(1, 2);
  work_all([](const UserPosting&) { return false; });
  EXPECT_TRUE(find(1).empty());
}

// More than fits a page.
TEST_F(SqliteRunsTest, AUserWithManyPostingsIsNotCut) {
  begin();
  for (std::int64_t user = 1; user <= 3; ++user) {
    for (std::uint64_t number = 1; number <= 3'000; ++number) {
      expected[user].push_back({number, ++seq, seq, 5});
      ASSERT_EQ(runs.add({user, expected[user].back()}), SQLITE_OK);
    }
  }
  ASSERT_EQ(runs.publish(), SQLITE_OK);
  commit();
  expect_everything();
  EXPECT_EQ(find(2, 2'999).size(), 1U);
}

TEST_F(SqliteRunsTest, DamageIsSaidToBeThere) {
  add_run(1, 10);
  ASSERT_EQ(database.execute("UPDATE run_page SET page = X'FFFF'"), SQLITE_OK);
  EXPECT_EQ(runs.find(5, 0, [](const Posting&) { return true; }), SQLITE_CORRUPT);
}

}  // namespace
}  // namespace carillon::inbox
