// SqliteLog: what has expired goes, and later all that was known of it.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inbox/sqlite_log.hpp"
#include "inbox/sqlite_statements.hpp"

namespace carillon::inbox {
namespace {

constexpr UnixMs damage_put_off_ms = 24 * 3'600'000;

}  // namespace

std::vector<SqliteLog::Due> SqliteLog::find_due(const Sweep& sweep) {
  std::vector<Due> found;
  Statement& row = sql_->due.bind(sweep.now, sweep.notifications_max);
  while (row.step()) found.push_back({row.integer(0), row.integer(1)});
  check(row);
  row.reset();
  return found;
}

// When it expires, and then when it is forgotten.
UnixMs SqliteLog::due_at(const LogRecord& record) const {
  return record.notification->expires_at + (record.expired ? limits_.trace_keep.count() : 0);
}

// None for those that are gone. What is damaged is an error.
std::vector<std::optional<LogRecord>> SqliteLog::decode_all(const Block& block) {
  std::vector<std::optional<LogRecord>> records;
  records.reserve(block.bodies.size());
  for (const std::string& body : block.bodies) records.push_back(body.empty() ? std::nullopt : decode(body));
  return records;
}

Result<void, StoreError> SqliteLog::look_up(const Sweep& sweep) {
  damaged_blocks_.clear();
  if (!loaded_ || is_damaged()) return {};  // begin() says so
  std::size_t left = sweep.notifications_max;
  for (const Due& due : find_due(sweep)) {
    if (code_ != SQLITE_OK || left == 0) break;
    const auto records = decode_all(read_block(due.seq));
    if (forgive_damage()) {
      damaged_blocks_.insert(due.seq);
      continue;
    }
    for (const auto& record : records)
      if (left > 0 && record && due_at(*record) <= sweep.now) --left;
  }
  if (const auto result = outcome(true); !result) return Failure(result.error());
  return {};
}

// Each part that meets damage is put off, and the others go on with the next sweep.
Result<bool, StoreError> SqliteLog::sweep(const Sweep& sweep) {
  const UnixMs now = sweep.now;
  flush_block();
  // What is not folded is read from the table again after a crash: it must not be gone from there.
  if (!tail_.empty() && tail_.expires_at() <= now - limits_.trace_keep.count()) {
    if (now < sweep_fold_at_) return outcome(false);
    fold_everything();
    if (is_corrupt(code_)) sweep_fold_at_ = now + damage_put_off_ms;
  }
  swept_ = std::max(swept_, now);
  const std::vector<Due> found = find_due(sweep);
  std::size_t left = sweep.notifications_max;
  for (const Due& due : found) {
    if (code_ != SQLITE_OK || left == 0) break;
    if (damaged_blocks_.contains(due.seq) || unsweepable_blocks_.contains(due.seq)) {
      put_off(due, now);
      continue;
    }
    sweep_block(due, now, left);
    if (is_corrupt(code_)) unsweepable_blocks_.insert(due.seq);  // beside damage: SQLite moves rows from page to page
  }
  if (!found.empty()) note_forgotten(now - limits_.trace_keep.count());
  if (code_ == SQLITE_OK && now >= sweep_keys_at_) {
    run(sql_->delete_keys, now - limits_.idempotency_keep.count(), sweep.notifications_max);
    if (is_corrupt(code_)) sweep_keys_at_ = now + damage_put_off_ms;
  }
  return outcome(left == 0);
}

// A clock that was set back says nothing of what was accepted meanwhile.
void SqliteLog::note_forgotten(UnixMs upto) {
  if (upto < forgotten_) return;
  changed_ = true;
  forgotten_ = upto;
  forgotten_seq_ = last_seq_;
  run(sql_->set_meta, forgotten_name, forgotten_);
  run(sql_->set_meta, forgotten_seq_name, forgotten_seq_);
}

// Damaged: it is not looked at again for long, so that those behind it have their turn.
void SqliteLog::put_off(const Due& due, UnixMs now) {
  run(sql_->delete_due, due.at, due.seq);
  run(sql_->new_due, now + damage_put_off_ms, due.seq);
}

// Not more than `left` of its notifications; it is due again with the next of them.
void SqliteLog::sweep_block(const Due& due, UnixMs now, std::size_t& left) {
  if (code_ != SQLITE_OK) return;
  Block block = read_block(due.seq);
  std::vector<std::optional<LogRecord>> records = decode_all(block);  // before anything is written
  if (code_ != SQLITE_OK) return;
  std::optional<UnixMs> next;
  std::vector<std::string> kept;  // prefixes of ids
  std::vector<std::string> gone;
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto& record = records[i];
    if (!record) continue;
    std::string& body = block.bodies[i];
    const std::string prefix = id_prefix(record->notification->id);
    if (left > 0 && due_at(*record) <= now) {
      --left;
      if (!record->expired) expire(*record);
      record->expired = true;
      if (due_at(*record) <= now) {
        forget(*record);
        body.clear();
        gone.push_back(prefix);
        continue;
      }
      record->holders = 0;
      record->clear_data();
      body = encode_body(*record);
    }
    next = std::min(next.value_or(due_at(*record)), due_at(*record));
    kept.push_back(prefix);
  }
  write_block(block);
  run(sql_->delete_due, due.at, due.seq);
  if (next) run(sql_->new_due, *next, due.seq);
  for (const std::string& prefix : gone)
    if (std::ranges::find(kept, prefix) == kept.end()) run(sql_->delete_id, prefix, due.seq);
}

// That it has expired can be told from its time; that somebody had read it cannot.
void SqliteLog::expire(const LogRecord& record) {
  const Notification& notification = *record.notification;
  for (const HolderKey& holder : decode_recipients(record.recipients)) {
    Statement& row = sql_->ending.bind(holder.user, holder.number);
    const bool has_ended = row.step();
    check(row);
    row.reset();
    if (has_ended) continue;
    changed_ = true;
    run(sql_->user_shrinks, holder.user, 0, record.bytes());
    if (!notification.collapse_key.empty())
      run(sql_->delete_collapsible, holder.user, notification.collapse_key, holder.number);
    if (User* user = tail_.find_user(user_name(holder.user))) {
      ++user->ended;
      user->ended_bytes += record.bytes();
      user->oldest.clear();
    }
    if (const UnixMs read_at = mark_of(holder.user, holder.number); read_at != 0) {
      run(sql_->delete_mark, holder.user, holder.number);
      run(sql_->new_ending, holder.user, holder.number, static_cast<int>(Ending::expired), notification.expires_at,
          read_at);
    }
  }
}

void SqliteLog::forget(const LogRecord& record) {
  for (const HolderKey& holder : decode_recipients(record.recipients)) {
    run(sql_->delete_ending, holder.user, holder.number);
    run(sql_->delete_proofs, holder.user, holder.number);
  }
}

}  // namespace carillon::inbox
