// SqliteLog: the rows of `log`, each of several notifications.
#include <algorithm>
#include <utility>

#include "inbox/sqlite_log.hpp"
#include "inbox/sqlite_statements.hpp"

namespace carillon::inbox {
namespace {

// What fits a page of 4 KiB with its header; one that is larger is a block of its own.
constexpr std::size_t block_bytes_max = 4'000;

}  // namespace

// --- writing ---

void SqliteLog::append_to_block(std::int64_t seq, const LogRecord& record) {
  open_.body.clear();  // its room is needed each time
  append_body(open_.body, record);
  if (!open_.block.bytes.empty() && open_.block.bytes.size() + open_.body.size() + 2 > block_bytes_max) flush_block();
  const Notification& notification = *record.notification;
  if (open_.block.bytes.empty()) {
    open_.seq = seq;
    open_.due = notification.expires_at;
  }
  append_record(open_.block.bytes, open_.body);
  open_.due = std::min(open_.due, notification.expires_at);
  if (std::string prefix = id_prefix(notification.id); open_.prefixes.empty() || open_.prefixes.back() != prefix)
    open_.prefixes.push_back(std::move(prefix));
}

void SqliteLog::flush_block() {
  if (open_.block.bytes.empty()) return;
  run(sql_->new_block, open_.seq, open_.block);
  run(sql_->new_due, open_.due, open_.seq);
  for (const std::string& prefix : open_.prefixes) run(sql_->new_id, prefix, open_.seq);
  open_.block.bytes.clear();  // their room is needed again
  open_.prefixes.clear();
}

void SqliteLog::write_block(const Block& block) {
  std::string bytes;
  for (const std::string& body : block.bodies) append_record(bytes, body);
  const bool is_empty = std::ranges::all_of(block.bodies, &std::string::empty);
  is_empty ? run(sql_->delete_block, block.seq) : run(sql_->set_block, block.seq, Blob{bytes});
}

// Somebody does not have it any more. What it is then.
std::optional<LogRecord> SqliteLog::release(std::int64_t seq) {
  Block block = read_block(seq);
  if (code_ != SQLITE_OK) return std::nullopt;
  std::string& body = block.bodies[static_cast<std::size_t>(seq - block.seq)];
  auto record = decode(body);
  if (!record) return std::nullopt;
  record->release();
  body = encode_body(*record);
  write_block(block);
  return record;
}

// --- reading ---

// The row that would have the record of this seq, and its own; false: there is none, or an error.
bool SqliteLog::read_row(std::int64_t seq, std::int64_t& first, std::string& bytes) {
  if (!open_.block.bytes.empty() && seq >= open_.seq) flush_block();
  Statement& row = sql_->block_of.bind(seq);
  const bool found = row.step();
  if (found) {
    first = row.integer(0);
    bytes = row.text(1);
  }
  const bool good = check(row);
  row.reset();
  return found && good;
}

// Empty after an error.
SqliteLog::Block SqliteLog::read_block(std::int64_t seq) {
  Block block;
  std::string bytes;
  const auto bodies = read_row(seq, block.seq, bytes) ? split_block(bytes) : std::nullopt;
  if (!bodies || static_cast<std::size_t>(seq - block.seq) >= bodies->size()) {
    check(SQLITE_CORRUPT);
    return block;
  }
  block.bodies.assign(bodies->begin(), bodies->end());
  return block;
}

// None: it is forgotten, or an error.
std::optional<LogRecord> SqliteLog::read_record(const Posting& entry) {
  std::int64_t first = 0;
  std::string bytes;
  const bool found = read_row(entry.seq, first, bytes);
  const auto bodies = found ? split_block(bytes) : std::nullopt;
  const auto place = static_cast<std::size_t>(entry.seq - first);
  if (found && !bodies) check(SQLITE_CORRUPT);
  if (bodies && place < bodies->size() && !(*bodies)[place].empty()) return decode((*bodies)[place]);
  if (entry.expires_at > forgotten_) check(SQLITE_CORRUPT);
  return std::nullopt;
}

// None: damaged, which is an error.
std::optional<LogRecord> SqliteLog::decode(std::string_view body) {
  auto record = decode_body(body);
  if (!record) check(SQLITE_CORRUPT);
  return record;
}

// None: unknown, or an error.
std::optional<LogRecord> SqliteLog::find_record(std::string_view id) {
  std::vector<std::int64_t> blocks;
  const std::string prefix = id_prefix(id);
  Statement& row = sql_->blocks_with.bind(prefix);
  while (row.step()) blocks.push_back(row.integer(0));
  check(row);
  row.reset();
  for (const std::int64_t seq : blocks) {
    for (const std::string& body : read_block(seq).bodies) {
      if (body.empty()) continue;
      auto record = decode(body);
      if (!record) return std::nullopt;
      if (record->notification->id == id) return record;
    }
  }
  return std::nullopt;
}

}  // namespace carillon::inbox
