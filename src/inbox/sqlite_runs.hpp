// Where a user's entries are found: runs, in the tables `run` and `run_page`. A run has postings of many users, sorted by user
// and number, in pages (run_page.hpp) that are written once. What is new makes a run of its own; four of about one size become
// one (as in a log-structured merge tree), so that there are few, and each posting is written again some times only.
//
// Of a user's postings those of an older run have the lower numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "inbox/run_page.hpp"
#include "inbox/sqlite.hpp"

namespace carillon::inbox {

class RunMerge;

// Owned by one thread. Functions that return an int return SQLite's code; after an error, and after a rollback, load() says
// again what there is. What writes is called within a transaction.
class SqliteRuns {
 public:
  explicit SqliteRuns(Database& database);
  ~SqliteRuns();

  int load();

  // Visits the user's postings behind `after`, ascending, until `visit` returns false.
  using Visit = std::function<bool(const Posting&)>;
  int find(std::int64_t user, std::uint64_t after, const Visit& visit);

  // A new run: its postings in their order, in any number of transactions; with publish() all of them are there at once.
  int add(const UserPosting& entry);
  int publish();

  // Merging, and removing what was merged. False from `keep`: the posting is of no use any more.
  using Keep = std::function<bool(const UserPosting&)>;
  bool has_work() const;
  int work(std::size_t postings_max, const Keep& keep);

  std::size_t size() const { return runs_.size(); }

 private:
  struct Run {
    std::int64_t slot = 0;  // the first part of its pages' keys
    std::uint64_t age = 0;  // grows with each new run
    std::size_t postings = 0;
  };
  struct Statements;
  // A run that is being written.
  struct Building {
    explicit Building(std::int64_t slot) { run.slot = slot; }
    Run run;
    RunPageWriter page;
  };

  std::int64_t free_slot() const;
  int begin(std::optional<Building>& building);
  int add(Building& building, const UserPosting& entry);
  int flush(Building& building);
  int publish(Building& building, std::uint64_t age);
  int retire(std::int64_t slot);
  // The runs, from one to another, that should become one; empty: none.
  std::span<const Run> due() const;
  int merge(std::size_t postings_max, const Keep& keep);
  int end_merge();
  int remove(std::size_t postings_max);

  Database& database_;
  std::unique_ptr<Statements> sql_;
  std::vector<Run> runs_;           // oldest first
  std::vector<std::int64_t> dead_;  // slots whose pages are to be removed
  std::optional<Building> new_;
  std::optional<Building> merged_;
  std::unique_ptr<RunMerge> merge_;
  std::vector<Run> inputs_;  // of it
};

}  // namespace carillon::inbox
