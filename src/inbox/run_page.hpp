// A page of a run (sqlite_runs.hpp): postings in the order of their users and numbers.
//
//   page    = 1*posting
//   posting = user number seq expires_at bytes
//
//   user        what it is more than that of the posting before, which for the first of a page is 0; 0: the same user
//   number      the same, but from 0 where the user is another one
//   seq         how it differs from that of the posting before, from 0 for the first; with a sign, as expires_at
//   expires_at
//   bytes       as it is
//
// Numbers are LEB128 (leb128.hpp); with a sign they are 2 n for n >= 0 and -2 n - 1 for others.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "inbox/posting.hpp"

namespace carillon::inbox {

class RunPageWriter {
 public:
  bool empty() const { return bytes_.empty(); }
  std::size_t size() const { return bytes_.size(); }
  std::int64_t first_user() const { return first_user_; }
  std::int64_t last_user() const { return last_.user; }
  void add(const UserPosting& entry);  // not before the last one
  std::string take();                  // empty afterwards

 private:
  std::string bytes_;
  std::int64_t first_user_ = 0;
  UserPosting last_;
};

class RunPageReader {
 public:
  RunPageReader() = default;
  explicit RunPageReader(std::string_view page) : rest_(page) {}  // which outlives the reader
  bool at_end() const { return rest_.empty(); }
  std::optional<UserPosting> next();  // none: damaged, or at the end

 private:
  std::string_view rest_;
  UserPosting last_;
};

}  // namespace carillon::inbox
