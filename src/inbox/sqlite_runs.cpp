#include "inbox/sqlite_runs.hpp"

#include <algorithm>
#include <utility>

#include "inbox/sqlite_run_merge.hpp"

namespace carillon::inbox {
namespace {

// What fits a page of SQLite's with its header, less the largest posting. A user's postings are never cut.
constexpr std::size_t page_bytes_max = 3'960;
// Merging: so many runs at least, of which none has more than so many times the postings of the largest newer one of them.
constexpr std::size_t merged_runs_min = 4;
constexpr std::size_t merged_ratio_max = 2;
// From so many runs on, however their sizes came about: none has more postings than all newer ones together.
constexpr std::size_t runs_many = 16;
// What removing a page counts for, in postings.
constexpr std::size_t removal_postings = 64;

}  // namespace

struct SqliteRuns::Statements {
  explicit Statements(Database& database) : db(database) {}

  Database& db;
  Statement runs{db, "SELECT slot, age, postings, live FROM run ORDER BY age"};
  Statement new_run{db, "INSERT INTO run(slot, age, postings, live) VALUES(?, 0, 0, 0)"};
  Statement publish{db, "UPDATE run SET age = ?2, postings = ?3, live = 1 WHERE slot = ?1"};
  Statement retire{db, "UPDATE run SET live = 0 WHERE slot = ?"};
  Statement delete_run{db, "DELETE FROM run WHERE slot = ?"};
  Statement new_page{db, "INSERT INTO run_page(key, page) VALUES(?, ?)"};
  Statement page_of{db, "SELECT page FROM run_page WHERE key <= ? AND key > ? ORDER BY key DESC LIMIT 1"};
  Statement delete_pages{
      db,
      "DELETE FROM run_page WHERE key IN (SELECT key FROM run_page WHERE key > ? AND key < ? ORDER BY key LIMIT ?)"};
};

SqliteRuns::SqliteRuns(Database& database) : database_(database), sql_(std::make_unique<Statements>(database)) {}

SqliteRuns::~SqliteRuns() = default;

int SqliteRuns::load() {
  runs_.clear();
  dead_.clear();
  new_.reset();
  merged_.reset();
  merge_.reset();
  inputs_.clear();
  Statement& row = sql_->runs;
  row.reset();
  while (row.step()) {
    if (row.integer(3) != 0) {
      runs_.push_back({row.integer(0), row.number(1), row.number(2)});
    } else {
      dead_.push_back(row.integer(0));
    }
  }
  const int code = row.error();
  row.reset();
  return code;
}

// --- reading ---

int SqliteRuns::find(std::int64_t user, std::uint64_t after, const Visit& visit) {
  bool go_on = true;
  for (std::size_t i = 0; go_on && i < runs_.size(); ++i) {
    const std::int64_t slot = runs_[i].slot;
    Statement& row = sql_->page_of.bind(run_page_key(slot, user), run_page_key(slot, 0));
    const std::string page = row.step() ? row.text(0) : std::string();
    const int code = row.error();
    row.reset();
    if (code != SQLITE_OK) return code;
    RunPageReader reader(page);
    while (go_on && !reader.at_end()) {
      const auto entry = reader.next();
      if (!entry) return SQLITE_CORRUPT;
      if (entry->user > user) break;
      if (entry->user == user && entry->posting.number > after) go_on = visit(entry->posting);
    }
  }
  return SQLITE_OK;
}

// --- writing ---

std::int64_t SqliteRuns::free_slot() const {
  const auto is_taken = [&](std::int64_t slot) {
    return std::ranges::find(runs_, slot, &Run::slot) != runs_.end() || std::ranges::find(dead_, slot) != dead_.end() ||
           (new_ && new_->run.slot == slot) || (merged_ && merged_->run.slot == slot);
  };
  std::int64_t slot = 1;
  while (slot < run_slots && is_taken(slot)) ++slot;
  return slot;
}

int SqliteRuns::begin(std::optional<Building>& building) {
  const std::int64_t slot = free_slot();
  if (slot == run_slots) return SQLITE_FULL;
  const int code = sql_->new_run.execute(slot);
  if (code == SQLITE_OK) building.emplace(slot);
  return code;
}

int SqliteRuns::flush(Building& building) {
  if (building.page.empty()) return SQLITE_OK;
  const std::int64_t key = run_page_key(building.run.slot, building.page.first_user());
  const Blob page{building.page.take()};
  return sql_->new_page.execute(key, page);
}

int SqliteRuns::add(Building& building, const UserPosting& entry) {
  const RunPageWriter& page = building.page;
  if (page.size() > page_bytes_max && page.last_user() != entry.user)
    if (const int code = flush(building); code != SQLITE_OK) return code;
  building.page.add(entry);
  ++building.run.postings;
  return SQLITE_OK;
}

int SqliteRuns::add(const UserPosting& entry) {
  if (!new_)
    if (const int code = begin(new_); code != SQLITE_OK) return code;
  return add(*new_, entry);
}

int SqliteRuns::publish(Building& building, std::uint64_t age) {
  if (const int code = flush(building); code != SQLITE_OK) return code;
  if (building.run.postings == 0) return retire(building.run.slot);
  building.run.age = age;
  const auto place = std::ranges::upper_bound(runs_, age, {}, &Run::age);
  runs_.insert(place, building.run);
  return sql_->publish.execute(building.run.slot, age, building.run.postings);
}

int SqliteRuns::publish() {
  if (!new_) return SQLITE_OK;
  const int code = publish(*new_, runs_.empty() ? 1 : runs_.back().age + 1);
  new_.reset();
  return code;
}

// Its pages go later.
int SqliteRuns::retire(std::int64_t slot) {
  std::erase_if(runs_, [&](const Run& run) { return run.slot == slot; });
  dead_.push_back(slot);
  return sql_->retire.execute(slot);
}

// --- merging ---

// Where they end, from the newest on: those of about one size.
std::span<const SqliteRuns::Run> SqliteRuns::due() const {
  for (std::size_t end = runs_.size(); end >= merged_runs_min; --end) {
    std::size_t first = end - 1;
    std::size_t largest = runs_[first].postings;
    std::size_t sum = largest;
    const auto fits = [&](std::size_t postings) {
      return postings <= merged_ratio_max * largest || (runs_.size() >= runs_many && postings <= sum);
    };
    while (first > 0 && fits(runs_[first - 1].postings)) {
      --first;
      largest = std::max(largest, runs_[first].postings);
      sum += runs_[first].postings;
    }
    if (end - first >= merged_runs_min) return std::span(runs_).subspan(first, end - first);
  }
  return {};
}

bool SqliteRuns::has_work() const { return merge_ != nullptr || !dead_.empty() || !due().empty(); }

int SqliteRuns::work(std::size_t postings_max, const Keep& keep) {
  if (merge_ != nullptr) return merge(postings_max, keep);
  if (!dead_.empty()) return remove(postings_max);
  const std::span<const Run> inputs = due();
  if (inputs.empty()) return SQLITE_OK;
  inputs_.assign(inputs.begin(), inputs.end());
  std::vector<std::int64_t> slots;
  slots.reserve(inputs_.size());
  for (const Run& run : inputs_) slots.push_back(run.slot);
  if (const int code = begin(merged_); code != SQLITE_OK) return code;
  merge_ = std::make_unique<RunMerge>(database_, slots);
  if (const int code = merge_->start(); code != SQLITE_OK) return code;
  return merge(postings_max, keep);
}

int SqliteRuns::merge(std::size_t postings_max, const Keep& keep) {
  for (std::size_t i = 0; i < postings_max; ++i) {
    int code = SQLITE_OK;
    const auto entry = merge_->next(code);
    if (code != SQLITE_OK) return code;
    if (!entry) return end_merge();
    if (!keep(*entry)) continue;
    if (code = add(*merged_, *entry); code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

int SqliteRuns::end_merge() {
  for (const Run& run : inputs_)
    if (const int code = retire(run.slot); code != SQLITE_OK) return code;
  const int code = publish(*merged_, inputs_.back().age);
  merged_.reset();
  merge_.reset();
  inputs_.clear();
  return code;
}

int SqliteRuns::remove(std::size_t postings_max) {
  const std::int64_t slot = dead_.back();
  const std::size_t pages_max = std::max<std::size_t>(postings_max / removal_postings, 1);
  if (const int code = sql_->delete_pages.execute(run_page_key(slot, 0), run_page_key(slot + 1, 0), pages_max);
      code != SQLITE_OK)
    return code;
  if (static_cast<std::size_t>(sqlite3_changes(database_.handle())) == pages_max) return SQLITE_OK;
  dead_.pop_back();
  return sql_->delete_run.execute(slot);
}

}  // namespace carillon::inbox
