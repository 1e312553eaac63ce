// For tests of the SQLite store: a file, and what is asked of it.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "inbox/sqlite_store.hpp"
#include "inbox/testing.hpp"

namespace carillon::inbox {

inline constexpr UnixMs start = 1'700'000'000'000;
inline constexpr int page_bytes = 4'096;

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
  // The files as a crash would leave them: the write-ahead log is not merged yet.
  void copy_files(const TemporaryDirectory& copy) {
    for (const char* name : {"inbox.db", "inbox.db-wal"})
      std::filesystem::copy_file(directory.path() / name, copy.path() / name);
  }
  std::unique_ptr<SqliteStore> open_crashed(const TemporaryDirectory& copy) {
    copy_files(copy);
    auto store = SqliteStore::open(copy.file("inbox.db"), limits, *random);
    if (!store) throw std::runtime_error(store.error().message);
    return std::move(*store);
  }
  // Every user's entries are in a run then.
  void fold_all(SqliteStore& store) {
    store.sweep(std::numeric_limits<UnixMs>::max() / 2, 0, [](const auto& more) { EXPECT_TRUE(more); });
    EXPECT_TRUE(store.commit());
  }
  std::int64_t root_page(Database& database, const std::string& table) {
    Statement root(database, "SELECT rootpage FROM sqlite_schema WHERE name = ?");
    EXPECT_TRUE(root.bind(table).step());
    return root.integer(0);
  }
  std::int64_t root_page(const std::string& table) {
    auto database = Database::open(path());
    return root_page(*database, table);
  }
  void overwrite(std::int64_t page) {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp((page - 1) * page_bytes);
    file << std::string(page_bytes, '\x7f');
  }
  // The first page of the table; nobody has the file open.
  void damage(const std::string& table) { overwrite(root_page(table)); }
  // That with the first rows of a table that has several. An inner page of a tree of rows: its kind (5), and from its 12th byte the
  // places of its cells, each with the number of a page first. Source: SQLite's file format.
  void damage_first_leaf(const std::string& table) {
    std::ifstream file(path(), std::ios::binary);
    std::string page(page_bytes, '\0');
    file.seekg((root_page(table) - 1) * page_bytes);
    file.read(page.data(), page_bytes);
    ASSERT_EQ(page[0], 5) << table << " has one page only";
    const auto number = [&](std::size_t at, std::size_t bytes) {
      std::size_t value = 0;
      for (std::size_t i = 0; i < bytes; ++i) value = value * 256 + static_cast<unsigned char>(page[at + i]);
      return value;
    };
    overwrite(static_cast<std::int64_t>(number(number(12, 2), 4)));
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

}  // namespace carillon::inbox
