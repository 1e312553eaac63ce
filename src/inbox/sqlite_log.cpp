#include "inbox/sqlite_log.hpp"

#include <algorithm>
#include <utility>

#include "inbox/sqlite_statements.hpp"

namespace carillon::inbox {
namespace {

constexpr std::size_t cached_users_max = 100'000;

}  // namespace

SqliteLog::SqliteLog(Database database, std::string epoch, const StoreLimits& limits)
    : database_(std::move(database)),
      epoch_(std::move(epoch)),
      limits_(limits),
      sql_(std::make_unique<Statements>(database_)) {
  rollback();
}

SqliteLog::~SqliteLog() = default;

// --- errors ---

bool SqliteLog::check(int code) {
  if (code == SQLITE_OK) return true;
  if (code_ == SQLITE_OK) {
    code_ = code;
    complaint_ = std::string(sqlite3_errstr(code)) + ": " + database_.last_error();
  }
  return false;
}

bool SqliteLog::check(const Statement& statement) { return check(statement.error()); }

// --- transactions ---

Result<void, StoreError> SqliteLog::begin() {
  check(database_.execute("BEGIN IMMEDIATE"));
  const auto result = outcome(true);
  if (!result) return Failure(result.error());
  return {};
}

Result<void, StoreError> SqliteLog::commit() {
  check(database_.execute("COMMIT"));
  const auto result = outcome(true);
  if (!result) return Failure(result.error());
  return {};
}

void SqliteLog::rollback() {
  if (database_.in_transaction()) database_.execute("ROLLBACK");
  users_.clear();
  sql_->last_seq.bind();
  if (sql_->last_seq.step()) last_seq_ = sql_->last_seq.integer(0);
  sql_->last_seq.reset();
  code_ = SQLITE_OK;
}

Result<void, StoreError> SqliteLog::touch() {
  run(sql_->touch);
  if (const auto result = outcome(true); !result) return Failure(result.error());
  return {};
}

void SqliteLog::limit_pages(std::size_t pages_max) {
  database_.execute("PRAGMA max_page_count = " + std::to_string(pages_max));
}

void SqliteLog::set_read_only(bool on) { database_.execute(on ? "PRAGMA query_only = 1" : "PRAGMA query_only = 0"); }

// --- users ---

SqliteLog::User* SqliteLog::find_user(std::string_view id) {
  if (const auto known = users_.find(id); known != users_.end()) return &known->second;
  if (users_.size() >= cached_users_max) users_.clear();
  User user;
  Statement& row = sql_->user.bind(id);
  const bool found = row.step();
  if (found) user = {row.integer(0), row.number(1), row.number(2), 0, 0};
  check(row);
  row.reset();
  if (!found) return nullptr;
  Statement& sums = sql_->user_sums.bind(user.num);
  if (sums.step()) {
    user.head = std::max(user.head, sums.number(0));
    user.entries = sums.number(1);
    user.bytes = sums.number(2);
  }
  const bool good = check(sums);
  sums.reset();
  return good ? &users_.emplace(id, user).first->second : nullptr;
}

SqliteLog::User* SqliteLog::make_user(std::string_view id) {
  if (User* known = find_user(id)) return known;
  if (!run(sql_->new_user, id)) return nullptr;
  User user;
  user.num = database_.last_rowid();
  return &users_.emplace(id, user).first->second;
}

// --- accepting ---

std::optional<Result<Accepted, StoreError>> SqliteLog::find_key(const Acceptance& acceptance) {
  if (acceptance.idempotency_key.empty()) return std::nullopt;
  Statement& row = sql_->key.bind(acceptance.idempotency_key);
  std::optional<Result<Accepted, StoreError>> known;
  if (row.step() && row.integer(3) + limits_.idempotency_keep.count() > acceptance.notification->sent_at) {
    if (row.text(0) == acceptance.fingerprint) {
      known = Accepted{row.text(1), row.number(2), true, {}};
    } else {
      known = Failure(StoreError::key_conflict);
    }
  }
  check(row);
  row.reset();
  return known;
}

Result<Accepted, StoreError> SqliteLog::accept(const Acceptance& acceptance) {
  if (auto known = find_key(acceptance)) return std::move(*known);
  const Notification& notification = *acceptance.notification;
  const std::int64_t seq = ++last_seq_;
  Accepted accepted{notification.id, acceptance.users.size(), false, {}};
  std::vector<HolderKey> holders;
  for (const std::string& id : acceptance.users) {
    User* user = make_user(id);
    if (user == nullptr) break;
    const std::uint64_t number = append(*user, seq, notification);
    holders.push_back({user->num, number});
    accepted.placements.push_back({id, {epoch_, number}});
  }
  run(sql_->new_notification, seq, notification.id, notification.event, notification.data, notification.collapse_key,
      notification.sent_at, notification.expires_at, notification.expires_at, holders.size(),
      Blob{encode_recipients(holders)});
  if (!acceptance.idempotency_key.empty())
    run(sql_->new_key, acceptance.idempotency_key, acceptance.fingerprint, notification.id, acceptance.users.size(),
        notification.sent_at);
  return outcome(std::move(accepted));
}

std::uint64_t SqliteLog::append(User& user, std::int64_t seq, const Notification& notification) {
  if (!notification.collapse_key.empty()) collapse(user, notification);
  make_room(user, notification);
  const std::uint64_t number = user.head + 1;
  if (notification.collapse_key.empty()) {
    run(sql_->new_entry, user.num, number, seq, notification.expires_at, notification.bytes(), nullptr);
  } else {
    run(sql_->new_entry, user.num, number, seq, notification.expires_at, notification.bytes(),
        notification.collapse_key);
  }
  user.head = number;
  ++user.entries;
  user.bytes += notification.bytes();
  return number;
}

SqliteLog::OldEntry SqliteLog::old_entry(const Statement& row) {
  return {row.number(0), row.integer(1), row.number(2), row.integer(3), row.integer(4)};
}

bool SqliteLog::is_proven(const User& user, std::uint64_t number) {
  if (highest_cursor(user) >= number) return true;
  Statement& row = sql_->is_covered.bind(user.num, number);
  const bool covered = row.step();
  check(row);
  row.reset();
  return covered;
}

void SqliteLog::collapse(User& user, const Notification& newer) {
  Statement& row = sql_->collapsible.bind(user.num, newer.collapse_key);
  std::optional<OldEntry> older;
  if (row.step()) older = old_entry(row);
  check(row);
  row.reset();
  if (!older || is_proven(user, older->number)) return;
  end(user, *older, Ending::collapsed, newer.sent_at);
}

void SqliteLog::make_room(User& user, const Notification& newer) {
  while (
      code_ == SQLITE_OK && user.entries > 0 &&
      (user.entries >= limits_.notifications_per_user_max || user.bytes + newer.bytes() > limits_.bytes_per_user_max)) {
    Statement& row = sql_->oldest.bind(user.num);
    std::optional<OldEntry> oldest;
    if (row.step()) oldest = old_entry(row);
    check(row);
    row.reset();
    if (!oldest) return;
    const bool expired = oldest->expires_at <= newer.sent_at;
    if (!expired) user.dropped_to = oldest->number;
    end(user, *oldest, expired ? Ending::expired : Ending::dropped, expired ? oldest->expires_at : newer.sent_at);
  }
}

void SqliteLog::end(User& user, const OldEntry& entry, Ending ending, UnixMs at) {
  run(sql_->delete_entry, user.num, entry.number);
  run(sql_->new_ending, user.num, entry.number, static_cast<int>(ending), at, entry.read_at);
  run(sql_->release, entry.notification);
  run(sql_->user_marks, user.num, entry.number, user.dropped_to);
  --user.entries;
  user.bytes -= std::min(user.bytes, entry.bytes);
}

// --- sweeping ---

Result<bool, StoreError> SqliteLog::sweep(UnixMs now, std::size_t notifications_max) {
  std::vector<Holders> found;
  Statement& row = sql_->due.bind(now, notifications_max);
  while (row.step()) found.push_back({row.integer(0), row.integer(1), decode_recipients(row.text(2))});
  check(row);
  row.reset();
  for (const Holders& holders : found) {
    expire(holders);
    const UnixMs forget_at = holders.expires_at + limits_.trace_keep.count();
    if (forget_at <= now) {
      forget(holders);
    } else {
      run(sql_->expired, holders.seq, forget_at);
    }
  }
  run(sql_->delete_keys, now - limits_.idempotency_keep.count(), notifications_max);
  if (!found.empty()) users_.clear();
  return outcome(found.size() >= notifications_max);
}

// That it has expired can be told from its time; that somebody had read it cannot.
void SqliteLog::expire(const Holders& holders) {
  for (const HolderKey& holder : holders.keys) {
    Statement& row = sql_->entry_read_at.bind(holder.user, holder.number);
    const bool is_there = row.step();
    const UnixMs read_at = is_there ? row.integer(0) : 0;
    check(row);
    row.reset();
    if (!is_there) continue;
    run(sql_->delete_entry, holder.user, holder.number);
    run(sql_->user_marks, holder.user, holder.number, 0);
    if (read_at != 0)
      run(sql_->new_ending, holder.user, holder.number, static_cast<int>(Ending::expired), holders.expires_at, read_at);
  }
}

void SqliteLog::forget(const Holders& holders) {
  for (const HolderKey& holder : holders.keys) {
    run(sql_->delete_ending, holder.user, holder.number);
    run(sql_->delete_proofs, holder.user, holder.number);
  }
  run(sql_->delete_notification, holders.seq);
}

}  // namespace carillon::inbox
