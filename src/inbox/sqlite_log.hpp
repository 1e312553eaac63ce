// The operations of a store, in SQL. Synchronous; SqliteStore puts them into transactions.
//
// Accepting appends to the table `log`, several notifications to a row (log_block.hpp), and nothing else but what finds the
// row by time and id; what finds the notification by user and key follows in bulk, in the order of those tables, which is
// called folding. Until then it is in memory (sqlite_tail.hpp), and read from `log` again after a crash or a rollback.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inbox/log_block.hpp"
#include "inbox/recipients_codec.hpp"
#include "inbox/sqlite.hpp"
#include "inbox/sqlite_tail.hpp"
#include "inbox/store.hpp"

namespace carillon::inbox {

// How much is folded at once. A part is what one fold writes, between two commits; the store waits that long.
struct FoldSizes {
  std::size_t start = 131'072;                 // entries and notifications that are pending when folding begins
  std::size_t start_bytes = 32 * 1024 * 1024;  // or this much of Notification::bytes()
  std::size_t part = 4'096;
};

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
  // Reads what was not folded. All operations try it, and fail until it has worked.
  Result<void, StoreError> load();
  // Folds a part in a transaction of its own, if there is a reason to.
  Result<void, StoreError> fold_some();

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
  void set_fold_sizes(const FoldSizes& sizes) { fold_sizes_ = sizes; }

  // What SQLite says about the last error.
  const std::string& complaint() const { return complaint_; }

 private:
  struct Statements;
  using User = SqliteTail::User;
  struct OldEntry {
    std::uint64_t number;
    std::int64_t notification;
    std::size_t bytes;
    UnixMs expires_at;
    UnixMs read_at;
  };
  struct Due {
    UnixMs at;
    std::int64_t seq;  // of a block
  };
  // A row of `log`.
  struct Block {
    std::int64_t seq = 0;
    std::vector<std::string> bodies;
  };
  // The row that accepting fills; it is written when it is full, at the commit, and before anybody reads it.
  struct OpenBlock {
    std::string bytes;
    std::int64_t seq = 0;
    UnixMs due = 0;  // of the first that expires
    std::vector<std::string> prefixes;
  };

  bool check(const Statement& statement);
  bool check(int code);
  template <class T>
  Result<T, StoreError> outcome(T value);
  template <class... T>
  bool run(Statement& statement, const T&... values);

  User* find_user(std::string_view id);  // null: there is none, or an error
  User* make_user(std::string_view id);
  User* read_user(std::int64_t num);
  std::optional<Result<Accepted, StoreError>> find_key(const Acceptance& acceptance);
  void write_log(std::int64_t seq, const Acceptance& acceptance, const std::vector<HolderKey>& holders);
  void append_to_block(std::int64_t seq, const LogRecord& record);
  void flush_block();
  bool read_row(std::int64_t seq, std::int64_t& first, std::string& bytes);
  Block read_block(std::int64_t seq);
  void write_block(const Block& block);
  std::optional<LogRecord> read_record(std::int64_t seq);
  std::optional<LogRecord> find_record(std::string_view id);
  std::optional<LogRecord> decode(std::string_view body);
  void release(std::int64_t seq);
  std::uint64_t append(User& user, std::int64_t seq, const NotificationPtr& notification);
  void collapse(User& user, const Notification& newer);
  void make_room(User& user, const Notification& newer);
  bool is_proven(const User& user, std::uint64_t number);
  static OldEntry old_entry(const Statement& row);
  void end(User& user, const OldEntry& entry, Ending ending, UnixMs at);
  void sweep_block(const Due& due, UnixMs now, std::size_t& left);
  void expire(const LogRecord& record);
  void forget(const LogRecord& record);
  std::string user_name(std::int64_t num);
  std::uint64_t highest_cursor(const User& user);
  void read_received(const User& user, std::string_view device, std::uint64_t& cursor, std::vector<Range>& above);
  void register_device(const User& user, const Proof& proof, std::uint64_t cursor);
  bool is_ready();
  void load_block(const Statement& row);
  void load_record(std::int64_t seq, LogRecord record);
  std::int64_t read_number(Statement& statement);
  bool should_fold();
  void fold(User& user);
  void fold_part(std::size_t part);
  std::size_t fold_notes(std::size_t notes_max);
  void fold_note(const SqliteTail::Note& note);
  void fold_everything();
  void seal();
  bool fill_page(Page& page, const User& user, const ReadRequest& request);
  RecipientTrace trace_recipient(const HolderKey& holder, const Notification& notification, UnixMs now);
  std::vector<Receipt> receipts(const HolderKey& holder);

  Database database_;
  std::string epoch_;
  StoreLimits limits_;
  std::unique_ptr<Statements> sql_;
  OpenBlock open_;
  SqliteTail tail_;
  FoldSizes fold_sizes_;
  std::int64_t last_seq_ = 0;  // never less than what is folded: numbers that are free again are not given again
  std::int64_t folded_ = 0;    // entries up to this seq are folded,
  std::int64_t noted_ = 0;     // notes up to this one
  std::int64_t sealed_ = 0;    // when all sealed users are folded, so are entries up to this one
  std::size_t accepted_ = 0;   // since the last part was folded
  bool loaded_ = false;        // else load_code_ says why not
  bool changed_ = false;       // what is in memory was, since begin()
  int load_code_ = SQLITE_OK;
  std::optional<StoreError> fold_error_;  // of the last fold
  int code_ = SQLITE_OK;                  // the first error of the operation
  std::string complaint_;
};

}  // namespace carillon::inbox
