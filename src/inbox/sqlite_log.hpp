// The operations of a store, in SQL. Synchronous; SqliteStore puts them into transactions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/text_hash.hpp"
#include "inbox/recipients_codec.hpp"
#include "inbox/sqlite.hpp"
#include "inbox/store.hpp"

namespace carillon::inbox {

// Owned by one thread. After an error in an operation that writes its transaction is to be rolled back. What an
// operation means is said in store.hpp.
class SqliteLog {
 public:
  SqliteLog(Database database, std::string epoch, const StoreLimits& limits);
  ~SqliteLog();
  SqliteLog(const SqliteLog&) = delete;
  SqliteLog& operator=(const SqliteLog&) = delete;

  Result<void, StoreError> begin();
  Result<void, StoreError> commit();
  void rollback();
  Result<void, StoreError> touch();  // a write of no meaning

  Result<Accepted, StoreError> accept(const Acceptance& acceptance);
  Result<void, StoreError> prove(const Proof& proof);
  Result<UserSummary, StoreError> mark_read(const ReadMarks& marks);
  Result<bool, StoreError> sweep(UnixMs now, std::size_t notifications_max);

  Result<DeviceState, StoreError> open(std::string_view user, std::string_view device);
  Result<Page, StoreError> read(const ReadRequest& request);
  Result<UserSummary, StoreError> summarize(std::string_view user, UnixMs now);
  Result<std::optional<Trace>, StoreError> inspect(const InspectRequest& request);

  // For tests.
  void limit_pages(std::size_t pages_max);
  void set_read_only(bool on);

  // What SQLite says about the last error.
  const std::string& complaint() const { return complaint_; }

 private:
  struct Statements;
  // A user's row, and what its entries add up to.
  struct User {
    std::int64_t num = 0;
    std::uint64_t head = 0;
    std::uint64_t dropped_to = 0;
    std::size_t entries = 0;
    std::size_t bytes = 0;
  };
  struct OldEntry {
    std::uint64_t number;
    std::int64_t notification;
    std::size_t bytes;
    UnixMs expires_at;
    UnixMs read_at;
  };
  struct Holders {
    std::int64_t seq;
    UnixMs expires_at;
    std::vector<HolderKey> keys;
  };

  bool check(const Statement& statement);
  bool check(int code);
  template <class T>
  Result<T, StoreError> outcome(T value);
  template <class... T>
  bool run(Statement& statement, const T&... values);

  User* find_user(std::string_view id);  // null: there is none, or an error
  User* make_user(std::string_view id);
  std::optional<Result<Accepted, StoreError>> find_key(const Acceptance& acceptance);
  std::uint64_t append(User& user, std::int64_t seq, const Notification& notification);
  void collapse(User& user, const Notification& newer);
  void make_room(User& user, const Notification& newer);
  bool is_proven(const User& user, std::uint64_t number);
  static OldEntry old_entry(const Statement& row);
  void end(User& user, const OldEntry& entry, Ending ending, UnixMs at);
  void expire(const Holders& holders);
  void forget(const Holders& holders);
  std::uint64_t highest_cursor(const User& user);
  void read_received(const User& user, std::string_view device, std::uint64_t& cursor, std::vector<Range>& above);
  void register_device(const User& user, const Proof& proof, std::uint64_t cursor);
  RecipientTrace trace_recipient(const HolderKey& holder, const Notification& notification, UnixMs now);
  std::vector<Receipt> receipts(const HolderKey& holder);

  Database database_;
  std::string epoch_;
  StoreLimits limits_;
  std::unique_ptr<Statements> sql_;
  // Of users that were written to lately; thrown away whole when there are too many, and whenever it may be wrong.
  std::unordered_map<std::string, User, TextHash, std::equal_to<>> users_;
  std::int64_t last_seq_ = 0;
  int code_ = SQLITE_OK;  // the first error of the operation
  std::string complaint_;
};

}  // namespace carillon::inbox
