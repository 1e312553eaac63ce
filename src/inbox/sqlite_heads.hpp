// Where users' logs end: the table `head`, many users to a row, so that a fold, which touches most users of a busy server,
// writes few pages. A row has for each user from its number on: head, bytes_total, in eight bytes each, the lowest first.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "inbox/sqlite.hpp"

namespace carillon::inbox {

// Owned by one thread. Functions return SQLite's code.
class SqliteHeads {
 public:
  struct Head {
    std::uint64_t head = 0;
    std::uint64_t bytes_total = 0;  // of all that was ever appended
  };

  explicit SqliteHeads(Database& database);
  ~SqliteHeads();

  int read(std::int64_t user, Head& head);  // zeros for one that is not there
  // Written with those of its row by flush(), or by the first one of another row.
  int set(std::int64_t user, const Head& head);
  int flush();
  void forget();  // what was not flushed: after an error or a rollback

 private:
  struct Statements;
  int read_row(std::int64_t first, std::string& heads);

  std::unique_ptr<Statements> sql_;
  std::int64_t first_ = -1;  // of the row that is being changed; -1: none
  std::string heads_;
};

}  // namespace carillon::inbox
