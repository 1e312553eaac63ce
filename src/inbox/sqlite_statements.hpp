// Every statement of SqliteLog. Part of its implementation.
#pragma once

#include <string_view>
#include <utility>

#include "inbox/sqlite_log.hpp"

namespace carillon::inbox {

// Rows of the table `meta`.
constexpr std::string_view folded_name = "folded";
constexpr std::string_view noted_name = "noted";
constexpr std::string_view forgotten_name = "forgotten";
constexpr std::string_view forgotten_seq_name = "forgotten_seq";

struct SqliteLog::Statements {
  explicit Statements(Database& database) : db(database) {}

  Database& db;
  Statement meta{db, "SELECT CAST(value AS INTEGER) FROM meta WHERE name = ?"};
  Statement begin{db, "BEGIN IMMEDIATE"};
  Statement commit{db, "COMMIT"};
  Statement set_meta{db, "INSERT OR REPLACE INTO meta(name, value) VALUES(?, ?)"};
  Statement touch{db, "INSERT OR REPLACE INTO meta(name, value) VALUES('probe', hex(randomblob(4)))"};

  // Users.
  Statement user{db, "SELECT num, id, dropped_to, ended, ended_bytes FROM user WHERE id = ?"};
  Statement user_of{db, "SELECT num, id, dropped_to, ended, ended_bytes FROM user WHERE num = ?"};
  Statement user_name{db, "SELECT id FROM user WHERE num = ?"};
  Statement new_user{db, "INSERT INTO user(id, dropped_to, ended, ended_bytes) VALUES(?, 0, 0, 0)"};
  Statement user_shrinks{db,
                         "UPDATE user SET dropped_to = max(dropped_to, ?2), ended = ended + 1, "
                         "ended_bytes = ended_bytes + ?3 WHERE num = ?1"};

  // Accepting.
  Statement key{db, "SELECT fingerprint, notification, recipients, at FROM idempotency WHERE key = ?"};
  Statement new_block{db, "INSERT INTO log(seq, block) VALUES(?, ?)"};
  Statement new_id{db, "INSERT OR IGNORE INTO log_id(prefix, seq) VALUES(?, ?)"};
  Statement new_due{db, "INSERT OR IGNORE INTO due(at, seq) VALUES(?, ?)"};

  // Blocks.
  Statement block_of{db, "SELECT seq, block FROM log WHERE seq <= ? ORDER BY seq DESC LIMIT 1"};
  Statement set_block{db, "UPDATE log SET block = ?2 WHERE seq = ?1"};
  Statement blocks_with{db, "SELECT seq FROM log_id WHERE prefix = ? ORDER BY seq"};

  // Folding.
  Statement unfolded{db,
                     "SELECT seq, block FROM log WHERE seq >= (SELECT coalesce(max(seq), 0) FROM log WHERE seq <= ?) "
                     "ORDER BY seq"};
  Statement new_key{db,
                    "INSERT OR REPLACE INTO idempotency(key, fingerprint, notification, recipients, at) "
                    "VALUES(?, ?, ?, ?, ?)"};

  // Ending.
  Statement collapsible{db,
                        "SELECT number, seq, expires_at, bytes FROM collapsible WHERE user = ? AND collapse_key = ?"};
  Statement new_collapsible{db,
                            "INSERT OR REPLACE INTO collapsible(user, collapse_key, number, seq, expires_at, bytes) "
                            "VALUES(?, ?, ?, ?, ?, ?)"};
  Statement delete_collapsible{db, "DELETE FROM collapsible WHERE user = ? AND collapse_key = ? AND number = ?"};
  Statement is_covered{db, "SELECT 1 FROM proof WHERE user = ?1 AND upto >= ?2 AND after < ?2 LIMIT 1"};
  Statement new_ending{db, "INSERT OR REPLACE INTO ending(user, number, kind, at, read_at) VALUES(?, ?, ?, ?, ?)"};

  // Sweeping.
  Statement due{db, "SELECT at, seq FROM due WHERE at <= ? ORDER BY at, seq LIMIT ?"};
  Statement endings_from{db, "SELECT user, number FROM ending WHERE (user, number) >= (?1, ?2) ORDER BY user, number"};
  Statement delete_block{db, "DELETE FROM log WHERE seq = ?"};
  Statement delete_id{db, "DELETE FROM log_id WHERE prefix = ? AND seq = ?"};
  Statement delete_due{db, "DELETE FROM due WHERE at = ? AND seq = ?"};
  Statement delete_ending{db, "DELETE FROM ending WHERE user = ? AND number = ?"};
  Statement delete_proofs{db, "DELETE FROM proof WHERE user = ? AND upto = ?"};
  Statement delete_keys{db,
                        "DELETE FROM idempotency WHERE at <= ?1 AND seq IN (SELECT seq FROM idempotency ORDER BY seq "
                        "LIMIT ?2)"};

  // Devices.
  Statement device{db, "SELECT cursor FROM device WHERE user = ? AND name = ?"};
  Statement highest_cursor{db, "SELECT coalesce(max(cursor), 0) FROM device WHERE user = ?"};
  Statement device_count{db, "SELECT count(*) FROM device WHERE user = ?"};
  Statement forget_device{db,
                          "DELETE FROM device WHERE user = ?1 AND name = "
                          "(SELECT name FROM device WHERE user = ?1 ORDER BY used_at, name LIMIT 1)"};
  Statement new_device{db, "INSERT INTO device(user, name, cursor, used_at) VALUES(?, ?, ?, ?)"};
  Statement move_device{db, "UPDATE device SET cursor = ?3, used_at = max(used_at, ?4) WHERE user = ?1 AND name = ?2"};
  Statement received{db, "SELECT after, upto FROM proof WHERE user = ? AND upto > ? AND device = ?"};
  Statement new_proof{db,
                      "INSERT OR IGNORE INTO proof(user, upto, device, after, acknowledged, at, node, socket) "
                      "VALUES(?, ?, ?, ?, ?, ?, ?, ?)"};

  // Reading.
  Statement endings{db, "SELECT number FROM ending WHERE user = ? AND number > ? ORDER BY number"};
  Statement marks{db, "SELECT number FROM mark WHERE user = ? AND number > ? ORDER BY number"};
  Statement mark{db, "SELECT at FROM mark WHERE user = ? AND number = ?"};
  Statement new_mark{db, "INSERT OR IGNORE INTO mark(user, number, at) VALUES(?, ?, ?)"};
  Statement delete_mark{db, "DELETE FROM mark WHERE user = ? AND number = ?"};
  Statement ending{db, "SELECT kind, at, read_at FROM ending WHERE user = ? AND number = ?"};
  Statement receipts{db,
                     "SELECT device, node, socket, at, acknowledged FROM proof "
                     "WHERE user = ?1 AND upto >= ?2 AND after < ?2 ORDER BY at, upto"};
};

// `value`, unless something has gone wrong in the operation that ends with this.
template <class T>
Result<T, StoreError> SqliteLog::outcome(T value) {
  const int code = std::exchange(code_, SQLITE_OK);
  if (code != SQLITE_OK) return Failure(store_error(code));
  return value;
}

template <class... T>
bool SqliteLog::run(Statement& statement, const T&... values) {
  return code_ == SQLITE_OK && check(statement.execute(values...));
}

}  // namespace carillon::inbox
