// The newest part of the SQLite log, in memory: postings that lie in no run yet, keys that lie in no table, and the users that
// were asked for lately. What is here can be read from the table `log` again, so a crash loses nothing but this copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/text_hash.hpp"
#include "inbox/notification.hpp"
#include "inbox/posting.hpp"
#include "inbox/user_table.hpp"

namespace carillon::inbox {

// Owned by one thread. Knows no SQL: SqliteLog writes to the tables what it takes out of here.
class SqliteTail {
 public:
  using User = TailUser;
  // Of a notification that came with a key.
  struct Note {
    std::int64_t seq = 0;
    std::string key;
  };
  struct Key {
    std::int64_t seq = 0;  // of the newest note with it
    std::string fingerprint;
    std::size_t recipients = 0;
    std::string id;
    UnixMs sent_at = 0;
  };
  // What is sealed of a user: where its log and its bytes are after it.
  struct Sealed {
    UserPosting entry;
    std::uint64_t bytes_total = 0;
  };

  void clear();

  // Users. Pointers are good until the next add_user(), those of users with something that is in no run until it is.
  User* find_user(std::string_view id);  // null: not in memory
  User& add_user(std::string_view id, User user);

  // In order of their seq.
  void append(User& user, const Posting& posting);
  void remember(std::string_view key, Key known, UnixMs expires_at);
  const Key* find_key(std::string_view key) const;

  // What is in no run, ascending, until `visit` returns false.
  bool visit(const User& user, std::uint64_t after, const std::function<bool(const Posting&)>& visit) const;
  std::size_t size() const { return active_.size(); }  // what is not sealed
  std::size_t bytes() const { return bytes_; }         // of its notifications
  bool empty() const { return active_.empty() && sealed_.empty() && notes_.empty() && sealed_notes_.empty(); }
  // Not later than anything of this, keys included, does.
  UnixMs expires_at() const { return expires_at_; }

  // What is new becomes what is written next, in the order of users and numbers. Nothing must be sealed.
  void seal();
  std::span<const Sealed> sealed() const { return sealed_; }
  // It is in a run now.
  void drop_sealed();

  // Keys, in the order of their seq.
  const std::vector<Note>& notes() const { return notes_; }
  // They become those that are written next, in the order of the keys. None must be left of the last time.
  void seal_notes();
  const std::vector<Note>& sealed_notes() const { return sealed_notes_; }  // the next one is the last
  void pop_sealed_note();
  void forget_key(std::string_view key);

 private:
  struct Pending {
    std::int64_t user = 0;
    Posting posting;
    std::uint64_t bytes_total = 0;
    std::uint32_t previous = 0;  // as User::last
  };
  bool must_stay(const User& user) const;
  void make_room();

  UserTable users_;
  std::size_t room_at_ = 0;  // of users: then it is looked whom to forget
  std::vector<Pending> active_;
  std::vector<Sealed> sealed_;
  std::uint64_t generation_ = 2;  // of what is active; what is sealed is of the one before
  std::size_t bytes_ = 0;
  std::vector<Note> notes_;
  std::vector<Note> sealed_notes_;  // descending by key
  std::unordered_map<std::string, Key, TextHash, std::equal_to<>> keys_;
  UnixMs expires_at_ = unix_never;
  static constexpr UnixMs unix_never = INT64_MAX;
};

}  // namespace carillon::inbox
