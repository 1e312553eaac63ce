#include "inbox/sqlite_run_merge.hpp"

namespace carillon::inbox {

int RunCursor::next(Statement& next_page) {
  at_.reset();
  if (reader_.at_end()) {
    next_page.bind(last_key_, run_page_key(slot_ + 1, 0));
    if (next_page.step()) {
      last_key_ = next_page.integer(0);
      page_ = next_page.text(1);
      reader_ = RunPageReader(page_);
    }
    const int code = next_page.error();
    next_page.reset();
    if (code != SQLITE_OK || reader_.at_end()) return code;
  }
  at_ = reader_.next();
  return at_ ? SQLITE_OK : SQLITE_CORRUPT;
}

RunMerge::RunMerge(Database& database, const std::vector<std::int64_t>& slots)
    : next_page_(database, "SELECT key, page FROM run_page WHERE key > ? AND key < ? ORDER BY key LIMIT 1") {
  for (const std::int64_t slot : slots) cursors_.emplace_back(slot);
}

int RunMerge::start() {
  for (RunCursor& cursor : cursors_)
    if (const int code = cursor.next(next_page_); code != SQLITE_OK) return code;
  return SQLITE_OK;
}

// There are few cursors. Of one user the oldest run comes first, whose numbers are the lowest.
std::optional<UserPosting> RunMerge::next(int& code) {
  RunCursor* first = nullptr;
  for (RunCursor& cursor : cursors_)
    if (cursor.at() && (first == nullptr || cursor.at()->user < first->at()->user)) first = &cursor;
  if (first == nullptr) return std::nullopt;
  const UserPosting entry = *first->at();
  code = first->next(next_page_);
  return code == SQLITE_OK ? std::optional(entry) : std::nullopt;
}

}  // namespace carillon::inbox
