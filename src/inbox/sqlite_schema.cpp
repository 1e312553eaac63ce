#include "inbox/sqlite_schema.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "base/text_hash.hpp"
#include "inbox/log_block.hpp"
#include "inbox/position.hpp"
#include "inbox/recipients_codec.hpp"
#include "inbox/sqlite_heads.hpp"
#include "inbox/sqlite_runs.hpp"

namespace carillon::inbox {
namespace {

constexpr std::int64_t application_id = 0x43415249;  // "CARI"
constexpr std::size_t epoch_characters = 10;

// One step per version: the first makes version 1 of an empty file. A step is never changed once it was released.
constexpr std::array<std::string_view, newest_schema> migrations{
    R"(
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- head: not below the newest number that was ever deleted; the log's head is this or its last entry
CREATE TABLE user(num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, head INTEGER NOT NULL, dropped_to INTEGER NOT NULL);
-- recipients: pairs (user.num, number), see recipients_codec.hpp; holders: of them, who still have
-- an entry; due: when the sweep has something to do with it
CREATE TABLE notification(seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, event TEXT NOT NULL, data TEXT NOT NULL,
  collapse_key TEXT NOT NULL, sent_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, due INTEGER NOT NULL,
  holders INTEGER NOT NULL, recipients BLOB NOT NULL);
CREATE INDEX notification_due ON notification(due);
CREATE TABLE entry(user INTEGER NOT NULL, number INTEGER NOT NULL, notification INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, bytes INTEGER NOT NULL, read_at INTEGER NOT NULL, collapse_key TEXT,
  PRIMARY KEY(user, number)) WITHOUT ROWID;
CREATE INDEX entry_collapse ON entry(user, collapse_key) WHERE collapse_key IS NOT NULL;
-- why an entry is gone
CREATE TABLE ending(user INTEGER NOT NULL, number INTEGER NOT NULL, kind INTEGER NOT NULL, at INTEGER NOT NULL,
  read_at INTEGER NOT NULL, PRIMARY KEY(user, number)) WITHOUT ROWID;
CREATE TABLE device(user INTEGER NOT NULL, name TEXT NOT NULL, cursor INTEGER NOT NULL, used_at INTEGER NOT NULL,
  PRIMARY KEY(user, name)) WITHOUT ROWID;
CREATE TABLE proof(user INTEGER NOT NULL, upto INTEGER NOT NULL, device TEXT NOT NULL, after INTEGER NOT NULL,
  acknowledged INTEGER NOT NULL, at INTEGER NOT NULL, node TEXT NOT NULL, socket TEXT NOT NULL,
  PRIMARY KEY(user, upto, device, after)) WITHOUT ROWID;
CREATE TABLE idempotency(seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
  notification TEXT NOT NULL, recipients INTEGER NOT NULL, at INTEGER NOT NULL);
)",
    R"(
-- block: notifications with consecutive seqs, the first's is the row's, see log_block.hpp. What finds them follows: `entry`,
-- `user` up to the seq in meta 'folded', `idempotency` up to that in 'noted', which is never more. user.head: entries up
-- to here are folded; entries, bytes: sums over `entry`
CREATE TABLE log(seq INTEGER PRIMARY KEY, block BLOB NOT NULL);
-- prefix: of the id of one of the block's notifications
CREATE TABLE log_id(prefix TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(prefix, seq)) WITHOUT ROWID;
-- at: when the sweep has something to do with the block
CREATE TABLE due(at INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(at, seq)) WITHOUT ROWID;
INSERT INTO meta SELECT 'folded', coalesce(max(seq), 0) FROM notification;
INSERT INTO meta SELECT 'noted', coalesce(max(seq), 0) FROM notification;
ALTER TABLE user ADD COLUMN entries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE user ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE user SET
  head = max(head, (SELECT coalesce(max(number), 0) FROM entry WHERE entry.user = num)),
  entries = (SELECT count(*) FROM entry WHERE entry.user = num),
  bytes = (SELECT coalesce(sum(entry.bytes), 0) FROM entry WHERE entry.user = num);
)",
    R"(
-- What finds the notifications of a user, up to the seq in meta 'folded': postings, see sqlite_runs.hpp. live: all pages of the
-- run are there. Postings of entries that have ended stay for a while.
CREATE TABLE run(slot INTEGER PRIMARY KEY, age INTEGER NOT NULL, postings INTEGER NOT NULL, live INTEGER NOT NULL);
CREATE TABLE run_page(key INTEGER PRIMARY KEY, page BLOB NOT NULL);
CREATE TABLE head(first INTEGER PRIMARY KEY, heads BLOB NOT NULL);
-- what was read by a person, while it is an entry
CREATE TABLE mark(user INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(user, number)) WITHOUT ROWID;
-- the newest entry with the key, while it is one
CREATE TABLE collapsible(user INTEGER NOT NULL, collapse_key TEXT NOT NULL, number INTEGER NOT NULL, seq INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY(user, collapse_key)) WITHOUT ROWID;
INSERT INTO mark SELECT user, number, read_at FROM entry WHERE read_at != 0;
INSERT OR REPLACE INTO collapsible SELECT user, collapse_key, number, notification, expires_at, bytes FROM entry
  WHERE collapse_key IS NOT NULL ORDER BY number;
-- ended: entries that are no more, by number and bytes
ALTER TABLE user ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE user ADD COLUMN ended_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE user SET ended = head - entries;
)"};

// Behind the last step: what it has moved elsewhere.
constexpr const char* drop_entries =
    "DROP TABLE entry; ALTER TABLE user DROP COLUMN head; ALTER TABLE user DROP COLUMN entries; "
    "ALTER TABLE user DROP COLUMN bytes;";

std::int64_t pragma(Database& database, std::string_view name) {
  Statement statement(database, fmt::format("PRAGMA {}", name));
  return statement.step() ? statement.integer(0) : -1;
}

// Damage, or somebody's hand, that has changed a table shows here and not in the middle of a night.
std::string schema_checksum(Database& database) {
  Statement statement(
      database, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_stat%' ORDER BY name");
  std::string text;
  while (statement.step()) text += statement.text(0) + ";";
  return fmt::format("{:016x}", sip_hash(SipKey{}, text));
}

std::string meta(Database& database, std::string_view name) {
  Statement statement(database, "SELECT value FROM meta WHERE name = ?");
  return statement.bind(name).step() ? statement.text(0) : std::string();
}

int set_meta(Database& database, std::string_view name, std::string_view value) {
  Statement statement(database, "INSERT OR REPLACE INTO meta(name, value) VALUES(?, ?)");
  statement.bind(name, value).run();
  return statement.error();
}

// Of schema 1: each becomes a block of its own.
int pack_notifications(Database& database) {
  Statement row(database,
                "SELECT seq, id, event, data, collapse_key, sent_at, expires_at, due, holders, recipients "
                "FROM notification ORDER BY seq");
  Statement block(database, "INSERT INTO log(seq, block) VALUES(?, ?)");
  Statement id(database, "INSERT INTO log_id(prefix, seq) VALUES(?, ?)");
  Statement due(database, "INSERT INTO due(at, seq) VALUES(?, ?)");
  while (row.step()) {
    LogRecord record;
    record.notification = std::make_shared<const Notification>(
        Notification{row.text(1), row.text(2), row.text(3), row.text(4), row.integer(5), row.integer(6)});
    record.expired = row.integer(7) != row.integer(6);
    record.holders = row.number(8);
    record.recipients = row.text(9);
    Blob bytes;
    append_record(bytes.bytes, encode_body(record));
    const std::string prefix = id_prefix(record.notification->id);
    for (Statement* statement : {&block.bind(row.integer(0), bytes), &id.bind(prefix, row.integer(0)),
                                 &due.bind(row.integer(7), row.integer(0))})
      if (!statement->run()) return statement->error();
  }
  return row.error() == SQLITE_OK ? database.execute("DROP TABLE notification") : row.error();
}

// Of schema 2: entries become a run, and what is appended and not folded yet can be collapsed.
int make_run(Database& database) {
  SqliteRuns runs(database);
  Statement row(database, "SELECT user, number, notification, expires_at, bytes FROM entry ORDER BY user, number");
  while (row.step()) {
    const UserPosting entry{row.integer(0), {row.number(1), row.integer(2), row.integer(3), row.number(4)}};
    if (const int code = runs.add(entry); code != SQLITE_OK) return code;
  }
  return row.error() == SQLITE_OK ? runs.publish() : row.error();
}

int move_heads(Database& database) {
  SqliteHeads heads(database);
  Statement row(database, "SELECT num, head, bytes FROM user ORDER BY num");
  while (row.step())
    if (const int code = heads.set(row.integer(0), {row.number(1), row.number(2)}); code != SQLITE_OK) return code;
  return row.error() == SQLITE_OK ? heads.flush() : row.error();
}

int note_collapsible(Database& database) {
  const std::string folded = meta(database, "folded");
  Statement row(
      database,
      "SELECT seq, block FROM log WHERE seq >= (SELECT coalesce(max(seq), 0) FROM log WHERE seq <= ?1) ORDER BY seq");
  Statement note(database,
                 "INSERT OR REPLACE INTO collapsible(user, collapse_key, number, seq, expires_at, bytes) "
                 "VALUES(?, ?, ?, ?, ?, ?)");
  const std::int64_t folded_seq = std::strtoll(folded.c_str(), nullptr, 10);
  row.bind(folded_seq);
  while (row.step()) {
    const std::string bytes = row.text(1);
    const auto bodies = split_block(bytes);
    if (!bodies) return SQLITE_CORRUPT;
    std::int64_t seq = row.integer(0) - 1;
    for (const std::string_view body : *bodies) {
      if (++seq <= folded_seq || body.empty()) continue;
      const auto record = decode_body(body);
      if (!record) return SQLITE_CORRUPT;
      const Notification& notification = *record->notification;
      if (notification.collapse_key.empty()) continue;
      for (const HolderKey& holder : decode_recipients(record->recipients))
        if (!note.bind(holder.user, notification.collapse_key, holder.number, seq, notification.expires_at,
                       record->bytes())
                 .run())
          return note.error();
    }
  }
  return row.error();
}

int leave_schema_two(Database& database) {
  for (const auto step : {make_run, move_heads, note_collapsible})
    if (const int code = step(database); code != SQLITE_OK) return code;
  return database.execute(drop_entries);
}

int migrate(Database& database, std::int64_t version, std::size_t schema, Random& random) {
  int code = database.execute("BEGIN IMMEDIATE");
  for (auto step = static_cast<std::size_t>(version); code == SQLITE_OK && step < schema; ++step) {
    code = database.execute(std::string(migrations[step]));
    if (code == SQLITE_OK && step == 1) code = pack_notifications(database);
    if (code == SQLITE_OK && step == 2) code = leave_schema_two(database);
  }
  if (code == SQLITE_OK && version == 0) code = set_meta(database, "epoch", make_epoch(random, epoch_characters));
  if (code == SQLITE_OK) code = set_meta(database, "schema_checksum", schema_checksum(database));
  if (code == SQLITE_OK)
    code = database.execute(
        fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT", application_id, schema));
  return code;
}

OpenError error_of(const Database& database, int code, const std::string& path) {
  return {store_error(code), fmt::format("{}: {}", path, database.last_error())};
}

// None: it is ours, and as this program has made it.
std::optional<OpenError> check(Database& database, const std::string& path) {
  const std::int64_t version = pragma(database, "user_version");
  if (version > static_cast<std::int64_t>(migrations.size()))
    return OpenError{StoreError::corrupt,
                     fmt::format("{}: made by a newer version of Carillon (schema {}, this one knows {})", path,
                                 version, migrations.size())};
  if (version <= 0 || pragma(database, "application_id") != application_id)
    return OpenError{StoreError::corrupt, fmt::format("{}: a database of another program", path)};
  if (meta(database, "schema_checksum") != schema_checksum(database))
    return OpenError{StoreError::corrupt, fmt::format("{}: its tables are not those that Carillon has made", path)};
  return std::nullopt;
}

}  // namespace

Result<Database, OpenError> open_database(const std::string& path, Random& random, std::size_t schema) {
  auto database = Database::open(path);
  if (!database)
    return Failure(
        OpenError{store_error(database.error()), fmt::format("{}: {}", path, sqlite3_errstr(database.error()))});
  // EXCLUSIVE: a second process would not know what this one has in its cache. FULL: a commit survives a power loss.
  int code = database->execute(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = "
      "-65536;"
      "PRAGMA foreign_keys = OFF; PRAGMA wal_autocheckpoint = 4000;");
  if (code != SQLITE_OK) return Failure(error_of(*database, code, path));
  Statement tables(*database, "SELECT count(*) FROM sqlite_schema");
  const bool is_empty = tables.step() && tables.integer(0) == 0;
  if (tables.error() != SQLITE_OK) return Failure(error_of(*database, tables.error(), path));
  tables.reset();
  if (!is_empty)
    if (auto error = check(*database, path)) return Failure(std::move(*error));
  const std::int64_t version = pragma(*database, "user_version");
  if (version < static_cast<std::int64_t>(schema)) code = migrate(*database, version, schema, random);
  if (code != SQLITE_OK) {
    const OpenError error = error_of(*database, code, path);
    if (database->in_transaction()) database->execute("ROLLBACK");
    return Failure(error);
  }
  return std::move(*database);
}

Result<std::string, OpenError> read_epoch(Database& database) {
  std::string epoch = meta(database, "epoch");
  if (epoch.empty()) return Failure(OpenError{StoreError::corrupt, "the database names no epoch"});
  return epoch;
}

}  // namespace carillon::inbox
