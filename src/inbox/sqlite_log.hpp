// The operations of a store, in SQL. Synchronous; SqliteStore puts them into transactions.
//
// Accepting appends to the table `log`, several notifications to a row (log_block.hpp), and nothing else but what finds the
// row by time and id; what finds the notification by user and key follows in bulk, sorted, which is called folding: by user as a
// run (sqlite_runs.hpp), by key in a table. Until then it is in memory (sqlite_tail.hpp), and read from `log` again after a crash or
// a rollback.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "inbox/log_block.hpp"
#include "inbox/recipients_codec.hpp"
#include "inbox/sqlite.hpp"
#include "inbox/sqlite_heads.hpp"
#include "inbox/sqlite_runs.hpp"
#include "inbox/sqlite_tail.hpp"
#include "inbox/store.hpp"

namespace carillon::inbox {

// How much is folded at once. A part is what one fold writes, between two commits; the store waits that long.
struct FoldSizes {
  std::size_t start = 131'072;  // postings, or keys, that are pending when folding begins
  std::size_t start_bytes =
      64 * 1024 * 1024;  // or this much of Notification::bytes(): so much is read again after a crash
  std::size_t part = 4'096;
};

// See Store::sweep().
struct Sweep {
  UnixMs now = 0;
  std::size_t notifications_max = 0;
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
  // Reads what was not folded. All operations try it, and fail until it has worked or has met damage that leaves nothing. What is
  // damaged is left out: then nothing can be written any more, and users in whose logs something is missing cannot be read.
  Result<void, StoreError> load();
  bool is_damaged() const { return !damage_.empty(); }
  // Folds a part in a transaction of its own, if there is a reason to.
  Result<void, StoreError> fold_some();

  // What writes, within a transaction. SQLite writes nothing more in one that has met damage. So look_up(), before it, reads the
  // users, and the blocks of a sweep; once damage was met somewhere it reads all that the call will read, so that only the first call
  // costs the others something.
  Result<void, StoreError> look_up(const Acceptance& acceptance);
  Result<void, StoreError> look_up(const Proof& proof);
  Result<void, StoreError> look_up(const ReadMarks& marks);
  Result<void, StoreError> look_up(const Sweep& sweep);
  Result<Accepted, StoreError> accept(const Acceptance& acceptance);
  Result<void, StoreError> prove(const Proof& proof);
  Result<UserSummary, StoreError> mark_read(const ReadMarks& marks);
  Result<bool, StoreError> sweep(const Sweep& sweep);

  Result<DeviceState, StoreError> open(std::string_view user, std::string_view device);
  Result<Page, StoreError> read(const ReadRequest& request);
  Result<UserSummary, StoreError> summarize(std::string_view user, UnixMs now);
  Result<std::optional<Trace>, StoreError> inspect(const InspectRequest& request);

  // For tests.
  void limit_pages(std::size_t pages_max);
  void set_read_only(bool on);
  void set_fold_sizes(const FoldSizes& sizes) { fold_sizes_ = sizes; }
  std::size_t loads() const { return loads_; }

  // What SQLite says about the last error.
  const std::string& complaint() const { return complaint_; }

 private:
  struct Statements;
  using User = SqliteTail::User;
  using Visit = SqliteRuns::Visit;
  class Numbers;
  enum class Expired : std::uint8_t { left_out, included };
  struct Due {
    UnixMs at;
    std::int64_t seq;  // of a block
  };
  // A row of `log`.
  struct Block {
    std::int64_t seq = 0;
    std::vector<std::string> bodies;
  };
  // Users with something pending, while it is read, and the number of the last of it.
  struct LoadedUser {
    User* user = nullptr;    // null: damaged
    std::uint64_t last = 0;  // 0: none yet
  };
  using Loaded = std::unordered_map<std::int64_t, LoadedUser>;
  // The row that accepting fills; it is written when it is full, at the commit, and before anybody reads it.
  struct OpenBlock {
    Blob block;
    std::int64_t seq = 0;
    UnixMs due = 0;  // of the first that expires
    std::vector<std::string> prefixes;
    std::string body;  // of the newest record
  };

  bool check(const Statement& statement);
  bool check(int code);
  bool forgive_damage();
  template <class T>
  Result<T, StoreError> outcome(T value);
  template <class... T>
  bool run(Statement& statement, const T&... values);

  User* find_user(std::string_view id);  // null: there is none, or an error
  User* make_user(std::string_view id);
  User* add_user(Statement& row);
  std::optional<Result<Accepted, StoreError>> find_key(const Acceptance& acceptance);
  void write_log(std::int64_t seq, const Acceptance& acceptance);
  void append_to_block(std::int64_t seq, const LogRecord& record);
  void flush_block();
  bool read_row(std::int64_t seq, std::int64_t& first, std::string& bytes);
  Block read_block(std::int64_t seq);
  void write_block(const Block& block);
  std::optional<LogRecord> read_record(const Posting& entry);
  std::optional<LogRecord> find_record(std::string_view id);
  std::optional<LogRecord> decode(std::string_view body);
  std::optional<LogRecord> release(std::int64_t seq);
  std::uint64_t append(User& user, std::int64_t seq, const Notification& notification);
  void collapse(User& user, const Notification& newer);
  bool is_at_limit(const User& user, const Notification& newer) const;
  void make_room(User& user, const Notification& newer);
  void read_what_goes(const User& user, const Notification& newer);
  void find_oldest(User& user, UnixMs now);
  bool is_proven(const User& user, std::uint64_t number);
  void end(User& user, const Posting& entry, Ending ending, UnixMs at);
  bool is_forgotten(const Posting& entry) const;
  bool is_swept(const Posting& entry);
  void each_entry(const User& user, std::uint64_t after, UnixMs now, Expired expired, const Visit& visit);
  void sweep_block(const Due& due, UnixMs now, std::size_t& left);
  void put_off(const Due& due, UnixMs now);
  std::vector<Due> find_due(const Sweep& sweep);
  std::vector<std::optional<LogRecord>> decode_all(const Block& block);
  UnixMs due_at(const LogRecord& record) const;
  void note_forgotten(UnixMs upto);
  void expire(const LogRecord& record);
  void forget(const LogRecord& record);
  std::string user_name(std::int64_t num);
  UnixMs mark_of(std::int64_t user, std::uint64_t number);
  std::uint64_t highest_cursor(const User& user);
  std::vector<std::uint64_t> find_marked(const User& user, const ReadMarks& marks);
  void read_received(const User& user, std::string_view device, std::uint64_t& cursor, std::vector<Range>& above);
  void register_device(const User& user, const Proof& proof, std::uint64_t cursor);
  bool is_ready();
  void load_unfolded();
  void load_block(const Statement& row, Loaded& loaded);
  void leave_out_damage(std::int64_t seq);
  bool continues(const LoadedUser& known, std::uint64_t number) const;
  void load_record(std::int64_t seq, const LogRecord& record, Loaded& loaded);
  std::int64_t read_number(Statement& statement);
  bool wants_seal() const;
  bool wants_notes_sealed() const;
  bool should_fold() const;
  void seal();
  void seal_notes();
  void fold_sealed(std::size_t postings_max);
  void fold_notes(std::size_t notes_max);
  void fold_note(const SqliteTail::Note& note);
  void fold_everything();
  void tidy_runs(std::size_t postings_max);
  bool fill_page(Page& page, const User& user, const ReadRequest& request);
  RecipientTrace trace_recipient(const HolderKey& holder, const Notification& notification, UnixMs now);
  std::vector<Receipt> receipts(const HolderKey& holder);

  Database database_;
  std::string epoch_;
  StoreLimits limits_;
  std::unique_ptr<Statements> sql_;
  SqliteRuns runs_;
  SqliteHeads heads_;
  OpenBlock open_;
  std::vector<HolderKey> holders_;  // of what is being accepted; kept for their room
  // Of those that are due: what the next sweep shall not touch, and those beside damage that a sweep has met.
  std::unordered_set<std::int64_t> damaged_blocks_;
  std::unordered_set<std::int64_t> unsweepable_blocks_;
  UnixMs sweep_fold_at_ = 0;  // after damage: not before then
  UnixMs sweep_keys_at_ = 0;
  bool careful_ = false;  // damage was met since the start: look_up() reads more, which all others need not pay for
  SqliteTail tail_;
  FoldSizes fold_sizes_;
  std::int64_t last_seq_ = 0;       // never less than what is folded: numbers that are free again are not given again
  std::int64_t folded_ = 0;         // postings up to this seq are in runs,
  std::int64_t noted_ = 0;          // keys up to this one in their table
  std::int64_t sealed_ = 0;         // what is sealed goes up to this one,
  std::size_t next_sealed_ = 0;     // and up to here it is written
  bool is_sealed_ = false;          // something is, though it may be nothing but seqs
  std::int64_t sealed_notes_ = 0;   // the sealed keys go up to this one
  UnixMs forgotten_ = 0;            // what has expired by then may be forgotten,
  std::int64_t forgotten_seq_ = 0;  // and is not asked for any more if it is not behind this
  UnixMs swept_ = 0;                // the newest time of a sweep since the start
  std::size_t accepted_ = 0;        // postings and keys since the last part was folded
  bool loaded_ = false;             // else load_code_ says why not
  std::size_t loads_ = 0;
  std::string damage_;    // what cannot be read; empty: nothing
  bool changed_ = false;  // what is in memory was, since begin()
  int load_code_ = SQLITE_OK;
  std::optional<StoreError> fold_error_;  // of the last fold
  int code_ = SQLITE_OK;                  // the first error of the operation
  std::string complaint_;
};

}  // namespace carillon::inbox
