#include "inbox/sqlite_log.hpp"

#include <algorithm>
#include <utility>

#include "inbox/sqlite_statements.hpp"

namespace carillon::inbox {
namespace {

// So often the size at which folding begins may pend when folding fails; then nothing more is accepted.
constexpr std::size_t pending_times_max = 4;
constexpr std::size_t oldest_at_once = 32;

}  // namespace

SqliteLog::SqliteLog(Database database, std::string epoch, const StoreLimits& limits)
    : database_(std::move(database)),
      epoch_(std::move(epoch)),
      limits_(limits),
      sql_(std::make_unique<Statements>(database_)),
      runs_(database_),
      heads_(database_) {}

SqliteLog::~SqliteLog() = default;

// --- errors ---

bool SqliteLog::check(int code) {
  if (code == SQLITE_OK) return true;
  careful_ = careful_ || is_corrupt(code);
  if (code_ == SQLITE_OK) {
    code_ = code;
    complaint_ = std::string(sqlite3_errstr(code)) + ": " + database_.last_error();
  }
  return false;
}

bool SqliteLog::check(const Statement& statement) { return check(statement.error()); }

// True: the operation has met damage, and goes on without what is damaged. Other errors stay: they may be none the next time.
bool SqliteLog::forgive_damage() {
  if (!is_corrupt(code_)) return false;
  code_ = SQLITE_OK;
  return true;
}

// --- transactions ---

Result<void, StoreError> SqliteLog::begin() {
  if (!loaded_ && !is_damaged())
    if (const auto result = load(); !result) return result;
  if (is_damaged()) {
    complaint_ = damage_;
    return Failure(StoreError::corrupt);
  }
  changed_ = false;
  run(sql_->begin);
  if (is_corrupt(code_)) damage_ = complaint_;
  const auto result = outcome(true);
  if (!result) return Failure(result.error());
  return {};
}

Result<void, StoreError> SqliteLog::commit() {
  flush_block();
  run(sql_->commit);
  const auto result = outcome(true);
  if (!result) return Failure(result.error());
  return {};
}

void SqliteLog::rollback() {
  if (database_.in_transaction()) database_.execute("ROLLBACK");
  code_ = SQLITE_OK;
  open_ = {};
  if (changed_ || (!loaded_ && !is_damaged())) static_cast<void>(load());  // is_ready() tries again
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
  if (!is_ready()) return nullptr;
  User* known = tail_.find_user(id);
  if (known == nullptr) return add_user(sql_->user.bind(id));
  return known->has_gap && !check(SQLITE_CORRUPT) ? nullptr : known;
}

// Of its first row, if it has one.
SqliteLog::User* SqliteLog::add_user(Statement& row) {
  const bool found = row.step();
  User user;
  std::string id;
  if (found) {
    user.num = row.integer(0);
    id = row.text(1);
    user.dropped_to = row.number(2);
    user.ended = row.number(3);
    user.ended_bytes = row.number(4);
  }
  const bool good = check(row);
  row.reset();
  SqliteHeads::Head head;
  if (!found || !good || !check(heads_.read(user.num, head))) return nullptr;
  user.head = head.head;
  user.bytes_total = head.bytes_total;
  return &tail_.add_user(id, std::move(user));
}

SqliteLog::User* SqliteLog::make_user(std::string_view id) {
  if (User* known = find_user(id)) return known;
  changed_ = true;
  if (!run(sql_->new_user, id)) return nullptr;
  User user;
  user.num = database_.last_rowid();
  return &tail_.add_user(id, std::move(user));
}

// --- accepting ---

std::optional<Result<Accepted, StoreError>> SqliteLog::find_key(const Acceptance& acceptance) {
  if (acceptance.idempotency_key.empty()) return std::nullopt;
  const UnixMs remembered_from = acceptance.notification->sent_at - limits_.idempotency_keep.count();
  const auto answer = [&](std::string_view fingerprint, std::string id,
                          std::size_t recipients) -> Result<Accepted, StoreError> {
    if (fingerprint != acceptance.fingerprint) return Failure(StoreError::key_conflict);
    return Accepted{std::move(id), recipients, true, {}};
  };
  if (const SqliteTail::Key* known = tail_.find_key(acceptance.idempotency_key)) {
    if (known->sent_at <= remembered_from) return std::nullopt;
    return answer(known->fingerprint, known->id, known->recipients);
  }
  Statement& row = sql_->key.bind(acceptance.idempotency_key);
  std::optional<Result<Accepted, StoreError>> known;
  if (row.step() && row.integer(3) > remembered_from) known = answer(row.text(0), row.text(1), row.number(2));
  check(row);
  row.reset();
  return known;
}

Result<void, StoreError> SqliteLog::look_up(const Acceptance& acceptance) {
  if (!loaded_ || is_damaged()) return {};  // begin() says so
  for (const std::string& id : acceptance.users) {
    const User* user = find_user(id);
    if (careful_ && user != nullptr) read_what_goes(*user, *acceptance.notification);
  }
  const auto found = outcome(true);
  if (found) return {};
  const bool is_known = find_key(acceptance).has_value();  // then nothing is done for these users
  if (outcome(true) && is_known) return {};
  return Failure(found.error());
}

Result<Accepted, StoreError> SqliteLog::accept(const Acceptance& acceptance) {
  const bool too_much = std::max(tail_.size(), tail_.notes().size()) > fold_sizes_.start * pending_times_max ||
                        tail_.bytes() > fold_sizes_.start_bytes * pending_times_max;
  if (too_much && fold_error_) return Failure(*fold_error_);
  if (auto known = find_key(acceptance)) return std::move(*known);
  changed_ = true;
  const std::int64_t seq = ++last_seq_;
  Accepted accepted{acceptance.notification->id, acceptance.users.size(), false, {}};
  holders_.clear();
  accepted.placements.reserve(acceptance.users.size());
  for (const std::string& id : acceptance.users) {
    User* user = make_user(id);
    if (user == nullptr) return outcome(std::move(accepted));
    const std::uint64_t number = append(*user, seq, *acceptance.notification);
    holders_.push_back({user->num, number});
    accepted.placements.push_back({id, {epoch_, number}});
  }
  write_log(seq, acceptance);
  accepted_ += holders_.size() + (acceptance.idempotency_key.empty() ? 0 : 1);
  return outcome(std::move(accepted));
}

void SqliteLog::write_log(std::int64_t seq, const Acceptance& acceptance) {
  const Notification& notification = *acceptance.notification;
  append_to_block(seq, {acceptance.notification, acceptance.idempotency_key, acceptance.fingerprint,
                        encode_recipients(holders_), holders_.size()});
  if (!acceptance.idempotency_key.empty())
    tail_.remember(acceptance.idempotency_key,
                   {seq, acceptance.fingerprint, acceptance.users.size(), notification.id, notification.sent_at},
                   notification.expires_at);
}

std::uint64_t SqliteLog::append(User& user, std::int64_t seq, const Notification& notification) {
  if (!notification.collapse_key.empty()) collapse(user, notification);
  make_room(user, notification);
  const Posting posting{user.head + 1, seq, notification.expires_at, notification.bytes()};
  user.bytes_total += posting.bytes;
  tail_.append(user, posting);
  if (!notification.collapse_key.empty())
    run(sql_->new_collapsible, user.num, notification.collapse_key, posting.number, seq, posting.expires_at,
        posting.bytes);
  return posting.number;
}

// The entries that may make room for a newer one, and what accept() reads of them.
void SqliteLog::read_what_goes(const User& user, const Notification& newer) {
  if (is_at_limit(user, newer))
    each_entry(user, user.dropped_to, newer.sent_at, Expired::included, [&](const Posting& entry) {
      read_block(entry.seq);
      return false;
    });
  if (newer.collapse_key.empty()) return;
  Statement& row = sql_->collapsible.bind(user.num, newer.collapse_key);
  const std::int64_t seq = row.step() ? row.integer(1) : 0;
  check(row);
  row.reset();
  if (seq != 0) read_block(seq);
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
  std::optional<Posting> older;
  if (row.step()) older = Posting{row.number(0), row.integer(1), row.integer(2), row.number(3)};
  check(row);
  row.reset();
  if (!older || is_proven(user, older->number)) return;
  end(user, *older, Ending::collapsed, newer.sent_at);
}

bool SqliteLog::is_at_limit(const User& user, const Notification& newer) const {
  return user.entries() > 0 && (user.entries() >= limits_.notifications_per_user_max ||
                                user.bytes() + newer.bytes() > limits_.bytes_per_user_max);
}

void SqliteLog::make_room(User& user, const Notification& newer) {
  while (code_ == SQLITE_OK && is_at_limit(user, newer)) {
    if (user.oldest.empty()) find_oldest(user, newer.sent_at);
    if (user.oldest.empty()) return;
    const Posting oldest = user.oldest.back();
    const bool expired = oldest.expires_at <= newer.sent_at;
    if (!expired) user.dropped_to = oldest.number;
    end(user, oldest, expired ? Ending::expired : Ending::dropped, expired ? oldest.expires_at : newer.sent_at);
  }
}

// Several at once: who is at a limit is so with the next notification, too.
void SqliteLog::find_oldest(User& user, UnixMs now) {
  each_entry(user, user.dropped_to, now, Expired::included, [&](const Posting& entry) {
    user.oldest.push_back(entry);
    return user.oldest.size() < oldest_at_once;
  });
  std::ranges::reverse(user.oldest);
}

void SqliteLog::end(User& user, const Posting& entry, Ending ending, UnixMs at) {
  changed_ = true;
  const UnixMs read_at = mark_of(user.num, entry.number);
  if (read_at != 0) run(sql_->delete_mark, user.num, entry.number);
  run(sql_->new_ending, user.num, entry.number, static_cast<int>(ending), at, read_at);
  const auto record = release(entry.seq);
  if (record && !record->notification->collapse_key.empty())
    run(sql_->delete_collapsible, user.num, record->notification->collapse_key, entry.number);
  run(sql_->user_shrinks, user.num, user.dropped_to, entry.bytes);
  ++user.ended;
  user.ended_bytes += entry.bytes;
  std::erase_if(user.oldest, [&](const Posting& other) { return other.number == entry.number; });
}

std::string SqliteLog::user_name(std::int64_t num) {
  Statement& row = sql_->user_name.bind(num);
  std::string name = row.step() ? row.text(0) : std::string();
  check(row);
  row.reset();
  return name;
}

}  // namespace carillon::inbox
