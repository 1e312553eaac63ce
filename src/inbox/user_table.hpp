// Users by their id, for SqliteTail. With many of them a look-up waits for memory and for little else, so it touches two places
// only: a slot, and the user with the id beside it (a third where the id has more than 15 bytes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "inbox/posting.hpp"

namespace carillon::inbox {

// What the log knows of a user. The table of users and the heads say it on the disk, but for what is in no run yet.
struct TailUser {
  std::int64_t num = 0;
  std::uint64_t head = 0;
  std::uint64_t bytes_total = 0;  // of all that was ever appended
  std::uint64_t dropped_to = 0;
  std::uint64_t ended = 0;  // entries that are no more
  std::uint64_t ended_bytes = 0;
  std::vector<Posting> oldest{};  // some of the oldest that are live, descending; empty: not looked for
  std::uint64_t generation = 0;   // of the newest posting: while it is in no run, this must stay in memory
  std::uint32_t last = 0;         // place of that posting, from 1, if there is one
  bool used = false;              // since the last look for users to forget
  bool has_gap = false;           // something before the newest posting could not be read

  std::size_t entries() const { return head > ended ? head - ended : 0; }
  std::size_t bytes() const { return bytes_total > ended_bytes ? bytes_total - ended_bytes : 0; }
};

// Owned by one thread. A user stays at its address until it is forgotten.
class UserTable {
 public:
  TailUser* find(std::string_view id);                // null: it is not here
  TailUser& add(std::string_view id, TailUser user);  // that is not here
  void forget_if(const std::function<bool(const TailUser&)>& is_unwanted);
  void for_each(const std::function<void(TailUser&)>& visit);
  std::size_t size() const { return size_; }

 private:
  struct Entry {
    std::string id;
    TailUser user;
  };
  // Slots are searched one after the other from that of the hash; at least half of them are free.
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t place = 0;  // of the entry, from 1; 0: free
  };
  Entry& entry(std::uint32_t place);
  std::uint32_t take_place();
  void insert(const Slot& slot);
  void rebuild(std::size_t slots);

  std::vector<Slot> slots_;                         // a power of two of them, or none
  std::vector<std::unique_ptr<Entry[]>> chunks_{};  // entries do not move
  std::vector<std::uint32_t> free_places_;
  std::size_t size_ = 0;
};

}  // namespace carillon::inbox
