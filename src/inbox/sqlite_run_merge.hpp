// Reads several runs as if they were one. Part of the implementation of SqliteRuns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "inbox/run_page.hpp"
#include "inbox/sqlite.hpp"

namespace carillon::inbox {

// Keys of the table `run_page`: the slot of the run, then the first user of the page.
constexpr int run_user_bits = 52;
constexpr std::int64_t run_slots = std::int64_t{1} << (62 - run_user_bits);
inline std::int64_t run_page_key(std::int64_t slot, std::int64_t user) { return (slot << run_user_bits) | user; }

// From the first posting to the last. Reads a page at a time, so that nothing is held from one transaction to the next: the
// pages stay as they are.
class RunCursor {
 public:
  explicit RunCursor(std::int64_t slot) : slot_(slot), last_key_(run_page_key(slot, 0)) {}
  // Moves on. SQLite's code.
  int next(Statement& next_page);
  const std::optional<UserPosting>& at() const { return at_; }  // none: the end, or before the first next()

 private:
  std::int64_t slot_;
  std::int64_t last_key_;
  std::string page_;
  RunPageReader reader_;
  std::optional<UserPosting> at_;
};

class RunMerge {
 public:
  // Slots of the runs, the oldest first.
  RunMerge(Database& database, const std::vector<std::int64_t>& slots);
  int start();
  // The next posting; none: there is none left, or `code` says what went wrong.
  std::optional<UserPosting> next(int& code);

 private:
  Statement next_page_;
  std::vector<RunCursor> cursors_;
};

}  // namespace carillon::inbox
