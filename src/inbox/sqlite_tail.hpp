// The newest part of the SQLite log, in memory: what lies in the table `log` and in no index yet, and the users that were
// asked for lately. What is here can be read from `log` again, so a crash loses nothing but this copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/text_hash.hpp"
#include "inbox/notification.hpp"

namespace carillon::inbox {

// Owned by one thread. Knows no SQL: SqliteLog writes to the tables what it takes out of here.
class SqliteTail {
 public:
  struct Pending {
    std::uint64_t number = 0;
    std::int64_t seq = 0;
    NotificationPtr notification;
  };
  // A user's row, and what its entries add up to, the pending ones included.
  struct User {
    std::int64_t num = 0;
    std::uint64_t head = 0;
    std::uint64_t dropped_to = 0;
    std::size_t entries = 0;
    std::size_t bytes = 0;
    std::vector<Pending> pending{};  // ascending; they are in no table but `log`
    bool queued = false;             // it waits for its fold: it must stay in memory
    bool used = false;               // since the last look for users to forget
  };
  struct Note {
    std::int64_t seq = 0;
    NotificationPtr notification;
    std::string key;  // empty: none
  };
  struct Key {
    std::int64_t seq = 0;  // of the newest note with it
    std::string fingerprint;
    std::size_t recipients = 0;
    NotificationPtr notification;
  };

  void clear();

  // Users. Pointers are good until the next add_user().
  User* find_user(std::string_view id);  // null: not in memory
  User& add_user(std::string_view id, User user);

  // Notes come in order of their seq.
  void append(User& user, Pending pending);
  void append(Note note);
  void remember(std::string_view key, Key known);
  const Key* find_key(std::string_view key) const;

  // The pending entries of the user are in the table now.
  void folded(User& user);
  // The users that wait become those that are folded next, in the order of the table.
  void seal();
  // The next of them that has anything pending; null: there is none left. The caller folds it.
  User* next_sealed();
  bool all_sealed_folded() const { return sealed_.empty(); }

  const std::deque<Note>& notes() const { return notes_; }
  void pop_note();
  void forget_key(std::string_view key);

  std::size_t size() const { return pending_ + notes_.size(); }
  std::size_t bytes() const { return bytes_; }       // of the notes
  UnixMs expires_at() const { return expires_at_; }  // not later than any note does

 private:
  void make_room();

  std::unordered_map<std::string, User, TextHash, std::equal_to<>> users_;
  std::vector<User*> queue_;   // those with something pending
  std::vector<User*> sealed_;  // descending by num: the next one is the last
  std::deque<Note> notes_;
  std::unordered_map<std::string, Key, TextHash, std::equal_to<>> keys_;
  std::size_t pending_ = 0;
  std::size_t bytes_ = 0;
  UnixMs expires_at_ = unix_never;
  static constexpr UnixMs unix_never = INT64_MAX;
};

}  // namespace carillon::inbox
