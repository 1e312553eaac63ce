// Every statement of SqliteLog. Part of its implementation.
#pragma once

#include <utility>

#include "inbox/sqlite_log.hpp"

namespace carillon::inbox {

struct SqliteLog::Statements {
  explicit Statements(Database& database) : db(database) {}

  Database& db;
  Statement last_seq{db, "SELECT coalesce(max(seq), 0) FROM notification"};
  Statement touch{db, "INSERT OR REPLACE INTO meta(name, value) VALUES('probe', hex(randomblob(4)))"};

  // Users.
  Statement user{db, "SELECT num, head, dropped_to FROM user WHERE id = ?"};
  Statement user_name{db, "SELECT id FROM user WHERE num = ?"};
  Statement user_sums{db,
                      "SELECT coalesce(max(number), 0), count(*), coalesce(sum(bytes), 0) FROM entry WHERE user = ?"};
  Statement new_user{db, "INSERT INTO user(id, head, dropped_to) VALUES(?, 0, 0)"};
  Statement user_marks{db, "UPDATE user SET head = max(head, ?2), dropped_to = max(dropped_to, ?3) WHERE num = ?1"};

  // Accepting.
  Statement key{db, "SELECT fingerprint, notification, recipients, at FROM idempotency WHERE key = ?"};
  Statement new_key{db,
                    "INSERT OR REPLACE INTO idempotency(key, fingerprint, notification, recipients, at) "
                    "VALUES(?, ?, ?, ?, ?)"};
  Statement new_notification{db,
                             "INSERT INTO notification(seq, id, event, data, collapse_key, sent_at, expires_at, due, "
                             "holders, recipients) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"};
  Statement new_entry{db,
                      "INSERT INTO entry(user, number, notification, expires_at, bytes, read_at, collapse_key) "
                      "VALUES(?, ?, ?, ?, ?, 0, ?)"};

  // Ending.
  Statement oldest{db,
                   "SELECT number, notification, bytes, expires_at, read_at FROM entry WHERE user = ? "
                   "ORDER BY number LIMIT 1"};
  Statement collapsible{db,
                        "SELECT number, notification, bytes, expires_at, read_at FROM entry "
                        "WHERE user = ? AND collapse_key = ? ORDER BY number LIMIT 1"};
  Statement is_covered{db, "SELECT 1 FROM proof WHERE user = ?1 AND upto >= ?2 AND after < ?2 LIMIT 1"};
  Statement delete_entry{db, "DELETE FROM entry WHERE user = ? AND number = ?"};
  Statement new_ending{db, "INSERT OR REPLACE INTO ending(user, number, kind, at, read_at) VALUES(?, ?, ?, ?, ?)"};
  Statement release{db,
                    "UPDATE notification SET holders = holders - 1, data = CASE WHEN holders = 1 THEN '' ELSE data END "
                    "WHERE seq = ?"};

  // Sweeping.
  Statement due{db, "SELECT seq, expires_at, recipients FROM notification WHERE due <= ? ORDER BY due LIMIT ?"};
  Statement expired{db, "UPDATE notification SET holders = 0, data = '', due = ?2 WHERE seq = ?1"};
  Statement entry_read_at{db, "SELECT read_at FROM entry WHERE user = ? AND number = ?"};
  Statement delete_notification{db, "DELETE FROM notification WHERE seq = ?"};
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
  Statement page{db,
                 "SELECT e.number, e.read_at, n.id, n.event, n.data, n.collapse_key, n.sent_at, n.expires_at, e.bytes "
                 "FROM entry e JOIN notification n ON n.seq = e.notification "
                 "WHERE e.user = ? AND e.number > ? AND e.expires_at > ? ORDER BY e.number"};
  Statement unread{db, "SELECT count(*) FROM entry WHERE user = ? AND read_at = 0 AND expires_at > ?"};
  Statement mark_one{db, "UPDATE entry SET read_at = ? WHERE user = ? AND number = ? AND read_at = 0"};
  Statement mark_upto{db, "UPDATE entry SET read_at = ? WHERE user = ? AND number <= ? AND read_at = 0"};
  Statement notification{db,
                         "SELECT event, data, collapse_key, sent_at, expires_at, recipients FROM notification "
                         "WHERE id = ?"};
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
  if (code_ != SQLITE_OK) return false;
  statement.bind(values...).run();
  const bool good = check(statement);
  statement.reset();
  return good;
}

}  // namespace carillon::inbox
