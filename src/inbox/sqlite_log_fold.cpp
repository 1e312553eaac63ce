// SqliteLog: what finds the rows of `log` is written in bulk, and what was not is read again.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "inbox/sqlite_log.hpp"
#include "inbox/sqlite_statements.hpp"

namespace carillon::inbox {
namespace {

// Rows of the table `meta`.
constexpr std::string_view folded_name = "folded";
constexpr std::string_view noted_name = "noted";

}  // namespace

// The first number of the first row, or 0.
std::int64_t SqliteLog::read_number(Statement& statement) {
  const std::int64_t number = statement.step() ? statement.integer(0) : 0;
  check(statement);
  statement.reset();
  return number;
}

// --- reading what is pending ---

Result<void, StoreError> SqliteLog::load() {
  const std::string complaint = complaint_;  // a rollback's reason is more than what it takes to roll back
  code_ = SQLITE_OK;
  tail_.clear();
  accepted_ = 0;
  folded_ = read_number(sql_->meta.bind(folded_name));
  noted_ = read_number(sql_->meta.bind(noted_name));
  sealed_ = folded_;
  last_seq_ = std::max(folded_, noted_);
  Statement& row = sql_->unfolded.bind(noted_);
  while (code_ == SQLITE_OK && row.step()) load_block(row);
  check(row);
  row.reset();
  load_code_ = code_;
  loaded_ = code_ == SQLITE_OK;
  changed_ = false;
  const auto result = outcome(true);
  if (!result) return Failure(result.error());
  complaint_ = complaint;
  return {};
}

bool SqliteLog::is_ready() { return loaded_ || load() || check(load_code_); }

void SqliteLog::load_block(const Statement& row) {
  const std::string bytes = row.text(1);
  const auto bodies = split_block(bytes);
  if (!bodies) check(SQLITE_CORRUPT);
  std::int64_t seq = row.integer(0);
  for (std::size_t i = 0; code_ == SQLITE_OK && i < bodies->size(); ++i, ++seq) {
    last_seq_ = std::max(last_seq_, seq);
    if (seq <= noted_ || (*bodies)[i].empty()) continue;
    if (auto record = decode((*bodies)[i])) load_record(seq, std::move(*record));
  }
}

void SqliteLog::load_record(std::int64_t seq, LogRecord record) {
  const std::vector<HolderKey> holders = decode_recipients(record.recipients);
  tail_.append({seq, record.notification, record.key});
  if (!record.key.empty())
    tail_.remember(record.key, {seq, std::move(record.fingerprint), holders.size(), record.notification});
  if (seq <= folded_) return;
  for (const HolderKey& holder : holders) {
    User* user = read_user(holder.user);
    if (user == nullptr || holder.number > user->head + 1) check(SQLITE_CORRUPT);
    if (code_ != SQLITE_OK) return;
    if (holder.number > user->head) tail_.append(*user, {holder.number, seq, record.notification});
  }
}

// --- writing it ---

// The user's entries, whenever something is to be done with them that is no reading.
void SqliteLog::fold(User& user) {
  if (user.pending.empty()) return;
  changed_ = true;
  std::size_t bytes = 0;
  for (const SqliteTail::Pending& pending : user.pending) {
    const Notification& notification = *pending.notification;
    bytes += notification.bytes();
    if (notification.collapse_key.empty()) {
      run(sql_->new_entry, user.num, pending.number, pending.seq, notification.expires_at, notification.bytes(),
          nullptr);
    } else {
      run(sql_->new_entry, user.num, pending.number, pending.seq, notification.expires_at, notification.bytes(),
          notification.collapse_key);
    }
  }
  run(sql_->user_grows, user.num, user.head, user.pending.size(), bytes);
  tail_.folded(user);
}

void SqliteLog::fold_note(const SqliteTail::Note& note) {
  const Notification& notification = *note.notification;
  if (note.key.empty()) return;
  const SqliteTail::Key* known = tail_.find_key(note.key);
  if (known == nullptr || known->seq != note.seq) return;  // a newer one has it
  run(sql_->new_key, note.key, known->fingerprint, notification.id, known->recipients, notification.sent_at);
  tail_.forget_key(note.key);
}

// Of those whose entries are folded: so the sweep, which finds what is noted, finds all of it in the tables.
std::size_t SqliteLog::fold_notes(std::size_t notes_max) {
  std::size_t count = 0;
  for (; count < notes_max && !tail_.notes().empty() && tail_.notes().front().seq <= folded_; ++count) {
    fold_note(tail_.notes().front());
    noted_ = tail_.notes().front().seq;
    tail_.pop_note();
  }
  if (count > 0) run(sql_->set_meta, noted_name, noted_);
  return count;
}

void SqliteLog::seal() {
  tail_.seal();
  sealed_ = last_seq_;
}

void SqliteLog::fold_part(std::size_t part) {
  changed_ = true;
  std::size_t count = 0;
  while (count < part && code_ == SQLITE_OK) {
    User* user = tail_.next_sealed();
    if (user == nullptr) break;
    count += user->pending.size();
    fold(*user);
  }
  if (!tail_.all_sealed_folded()) return;
  if (folded_ != sealed_) {
    folded_ = sealed_;
    run(sql_->set_meta, folded_name, folded_);
  }
  if (count < part) fold_notes(part - count);
}

void SqliteLog::fold_everything() {
  fold_part(SIZE_MAX);
  seal();
  fold_part(SIZE_MAX);
}

// --- when ---

bool SqliteLog::should_fold() {
  const bool many_bytes = tail_.bytes() >= fold_sizes_.start_bytes && !fold_error_;
  if (!loaded_ || (accepted_ < fold_sizes_.part / 2 && !many_bytes)) return false;
  if (!tail_.all_sealed_folded()) return true;
  if (!tail_.notes().empty() && tail_.notes().front().seq <= folded_) return true;
  if (tail_.size() < fold_sizes_.start && !many_bytes) return false;
  seal();
  return true;
}

Result<void, StoreError> SqliteLog::fold_some() {
  if (!should_fold()) return {};
  Result<void, StoreError> result = begin();
  if (result) {
    fold_part(std::max(fold_sizes_.part, accepted_ * 2));  // faster than what comes
    if (const auto folded = outcome(true); !folded) result = Failure(folded.error());
  }
  if (result) result = commit();
  if (!result) rollback();
  accepted_ = 0;
  fold_error_ = result ? std::nullopt : std::optional(result.error());
  return result;
}

}  // namespace carillon::inbox
