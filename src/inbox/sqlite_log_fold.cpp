// SqliteLog: what finds the rows of `log` is written in bulk, and what was not is read again.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "inbox/sqlite_log.hpp"
#include "inbox/sqlite_statements.hpp"

namespace carillon::inbox {
namespace {

// Each posting is written again so many times at most while it is merged, and merging goes on that much faster than folding.
constexpr std::size_t merge_pace = 8;

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
  heads_.forget();
  check(runs_.load());
  accepted_ = 0;
  next_sealed_ = 0;
  is_sealed_ = false;
  folded_ = read_number(sql_->meta.bind(folded_name));
  noted_ = read_number(sql_->meta.bind(noted_name));
  forgotten_ = read_number(sql_->meta.bind(forgotten_name));
  forgotten_seq_ = read_number(sql_->meta.bind(forgotten_seq_name));
  last_seq_ = std::max(folded_, noted_);
  damage_.clear();
  ++loads_;
  if (code_ == SQLITE_OK) load_unfolded();
  if (is_corrupt(code_)) damage_ = complaint_;
  load_code_ = code_;
  loaded_ = code_ == SQLITE_OK;
  changed_ = false;
  const auto result = outcome(true);
  if (!result) return Failure(result.error());
  complaint_ = is_damaged() ? damage_ : complaint;
  return {};
}

void SqliteLog::load_unfolded() {
  Loaded loaded;
  Statement& row = sql_->unfolded.bind(std::min(folded_, noted_));
  while (code_ == SQLITE_OK && row.step()) load_block(row, loaded);
  check(row);
  leave_out_damage(last_seq_ + 1);
  row.reset();
  if (!is_damaged()) return;
  for (const auto& [num, known] : loaded)
    if (known.user != nullptr && known.last < known.user->head) known.user->has_gap = true;
}

bool SqliteLog::is_ready() { return loaded_ || (!is_damaged() && load()) || check(load_code_); }

void SqliteLog::load_block(const Statement& row, Loaded& loaded) {
  const std::string bytes = row.text(1);
  const auto bodies = split_block(bytes);
  std::int64_t seq = row.integer(0);
  if (!bodies) check(SQLITE_CORRUPT);
  leave_out_damage(seq);
  if (!bodies) return;
  for (std::size_t i = 0; code_ == SQLITE_OK && i < bodies->size(); ++i, ++seq) {
    last_seq_ = std::max(last_seq_, seq);
    if (seq <= std::min(folded_, noted_) || (*bodies)[i].empty()) continue;
    if (const auto record = decode((*bodies)[i])) load_record(seq, *record, loaded);
    leave_out_damage(seq);
  }
}

void SqliteLog::leave_out_damage(std::int64_t seq) {
  if (forgive_damage() && !is_damaged())
    damage_ = fmt::format("what was accepted last cannot be read, from {} on", seq);
}

// Heads may be ahead of the run that was being written; what is damaged may hide behind that.
bool SqliteLog::continues(const LoadedUser& known, std::uint64_t number) const {
  if (!is_damaged()) return number <= known.user->head + 1;
  return number == (known.last != 0 ? known.last : known.user->head) + 1;
}

void SqliteLog::load_record(std::int64_t seq, const LogRecord& record, Loaded& loaded) {
  const std::vector<HolderKey> holders = decode_recipients(record.recipients);
  const Notification& notification = *record.notification;
  if (!record.key.empty() && seq > noted_)
    tail_.remember(record.key, {seq, record.fingerprint, holders.size(), notification.id, notification.sent_at},
                   notification.expires_at);
  if (seq <= folded_) return;
  for (const HolderKey& holder : holders) {
    auto [known, is_new] = loaded.try_emplace(holder.user);
    if (is_new) known->second.user = add_user(sql_->user_of.bind(holder.user));
    User* user = known->second.user;
    const bool has_gap = user != nullptr && !continues(known->second, holder.number);
    known->second.last = holder.number;
    if (user == nullptr || has_gap) check(SQLITE_CORRUPT);
    leave_out_damage(seq);
    if (code_ != SQLITE_OK) return;
    if (user == nullptr) continue;
    user->has_gap |= has_gap;
    // Heads may be ahead of the run that was being written.
    if (holder.number > user->head) user->bytes_total += record.bytes();
    tail_.append(*user, {holder.number, seq, notification.expires_at, record.bytes()});
  }
}

// --- writing it ---

void SqliteLog::seal() {
  tail_.seal();
  sealed_ = last_seq_;
  next_sealed_ = 0;
  is_sealed_ = true;
}

void SqliteLog::fold_sealed(std::size_t postings_max) {
  if (!is_sealed_) return;
  changed_ = true;
  const auto sealed = tail_.sealed();
  const std::size_t end = std::min(sealed.size(), next_sealed_ + std::min(postings_max, sealed.size()));
  for (; next_sealed_ < end && code_ == SQLITE_OK; ++next_sealed_) {
    const auto& [entry, bytes_total] = sealed[next_sealed_];
    check(runs_.add(entry));
    const bool is_last = next_sealed_ + 1 == sealed.size() || sealed[next_sealed_ + 1].entry.user != entry.user;
    if (is_last) check(heads_.set(entry.user, {entry.posting.number, bytes_total}));
  }
  check(heads_.flush());
  if (next_sealed_ < sealed.size() || code_ != SQLITE_OK) return;
  check(runs_.publish());
  tail_.drop_sealed();
  is_sealed_ = false;
  folded_ = sealed_;
  run(sql_->set_meta, folded_name, folded_);
  const bool all_noted = tail_.notes().empty() && tail_.sealed_notes().empty();
  if (all_noted) run(sql_->set_meta, noted_name, noted_ = std::max(noted_, folded_));
}

void SqliteLog::fold_note(const SqliteTail::Note& note) {
  const SqliteTail::Key* known = tail_.find_key(note.key);
  if (known == nullptr || known->seq != note.seq) return;  // a newer one has it
  run(sql_->new_key, note.key, known->fingerprint, known->id, known->recipients, known->sent_at);
  tail_.forget_key(note.key);
}

// In the order of the keys, so that each page of their table is written once for all of them.
void SqliteLog::fold_notes(std::size_t notes_max) {
  if (tail_.sealed_notes().empty()) return;
  changed_ = true;
  for (std::size_t count = 0; count < notes_max && !tail_.sealed_notes().empty(); ++count) {
    fold_note(tail_.sealed_notes().back());
    tail_.pop_sealed_note();
  }
  if (tail_.sealed_notes().empty()) run(sql_->set_meta, noted_name, noted_ = sealed_notes_);
}

void SqliteLog::seal_notes() {
  tail_.seal_notes();
  sealed_notes_ = last_seq_;
}

void SqliteLog::fold_everything() {
  fold_sealed(SIZE_MAX);
  fold_notes(SIZE_MAX);
  seal();
  fold_sealed(SIZE_MAX);
  seal_notes();
  fold_notes(SIZE_MAX);
}

// --- merging ---

// Leaves out what nobody can ask for any more: what has ended, and what expired so long ago that it is forgotten.
void SqliteLog::tidy_runs(std::size_t postings_max) {
  if (!runs_.has_work()) return;
  changed_ = true;
  Statement& ending = sql_->endings_from;
  bool has_ending = false;
  bool is_open = false;
  const auto is_before = [&](const UserPosting& entry) {
    return std::pair(ending.integer(0), ending.number(1)) < std::pair(entry.user, entry.posting.number);
  };
  check(runs_.work(postings_max, [&](const UserPosting& entry) {
    if (!is_open) has_ending = ending.bind(entry.user, entry.posting.number).step();
    is_open = true;
    while (has_ending && is_before(entry)) has_ending = ending.step();
    const bool has_ended = has_ending && ending.integer(0) == entry.user && ending.number(1) == entry.posting.number;
    return !has_ended && !is_forgotten(entry.posting);
  }));
  check(ending);
  ending.reset();
}

// --- when ---

bool SqliteLog::wants_seal() const {
  const bool many_bytes = tail_.bytes() >= fold_sizes_.start_bytes && !fold_error_;
  return !is_sealed_ && (many_bytes || tail_.size() >= fold_sizes_.start);
}

bool SqliteLog::wants_notes_sealed() const {
  return tail_.sealed_notes().empty() && tail_.notes().size() >= fold_sizes_.start;
}

bool SqliteLog::should_fold() const {
  if (!loaded_ || is_damaged()) return false;
  const bool many_bytes = tail_.bytes() >= fold_sizes_.start_bytes && !fold_error_;
  if (accepted_ < fold_sizes_.part / 2 && !many_bytes) return false;
  return is_sealed_ || wants_seal() || !tail_.sealed_notes().empty() || wants_notes_sealed() || runs_.has_work();
}

// It may be lost with a loss of power, and is done again then: it waits for no disk.
Result<void, StoreError> SqliteLog::fold_some() {
  if (!should_fold()) return {};
  database_.execute("PRAGMA synchronous = NORMAL");
  Result<void, StoreError> result = begin();
  if (result) {
    const std::size_t part = std::max(fold_sizes_.part, accepted_ * 2);  // faster than what comes
    if (wants_seal()) seal();
    if (wants_notes_sealed()) seal_notes();
    fold_sealed(part);
    fold_notes(part);
    tidy_runs(part * merge_pace);
    if (const auto folded = outcome(true); !folded) result = Failure(folded.error());
  }
  if (result) result = commit();
  if (!result) rollback();
  database_.execute("PRAGMA synchronous = FULL");
  accepted_ = 0;
  fold_error_ = result ? std::nullopt : std::optional(result.error());
  return result;
}

}  // namespace carillon::inbox
