// SqliteLog: devices, proofs, and everything that reads.
#include <algorithm>
#include <utility>

#include "inbox/ranges.hpp"
#include "inbox/sqlite_log.hpp"
#include "inbox/sqlite_statements.hpp"

namespace carillon::inbox {

// --- devices ---

std::uint64_t SqliteLog::highest_cursor(const User& user) {
  return static_cast<std::uint64_t>(read_number(sql_->highest_cursor.bind(user.num)));
}

// Of a known device: its cursor, and from its proofs what it has received beyond.
void SqliteLog::read_received(const User& user, std::string_view device, std::uint64_t& cursor,
                              std::vector<Range>& above) {
  Statement& row = sql_->received.bind(user.num, cursor, device);
  while (row.step()) add_range(cursor, above, {row.number(0), row.number(1)});
  check(row);
  row.reset();
}

Result<DeviceState, StoreError> SqliteLog::open(std::string_view user_id, std::string_view device) {
  DeviceState state{.epoch = epoch_};
  const User* user = find_user(user_id);
  if (user == nullptr) return outcome(std::move(state));
  state.head = user->head;
  state.dropped_to = user->dropped_to;
  Statement& row = sql_->device.bind(user->num, device);
  state.known = row.step();
  if (state.known) state.cursor = row.number(0);
  check(row);
  row.reset();
  if (state.known) {
    read_received(*user, device, state.cursor, state.above);
  } else {
    state.cursor = highest_cursor(*user);
  }
  return outcome(std::move(state));
}

Result<void, StoreError> SqliteLog::look_up(const Proof& proof) {
  if (!loaded_ || is_damaged() || proof.epoch != epoch_) return {};  // begin() says so, or nothing is done
  find_user(proof.user);
  const auto found = outcome(true);
  const auto state = found && careful_ ? open(proof.user, proof.device) : DeviceState();
  if (!found || !state) return Failure(found ? state.error() : found.error());
  return {};
}

Result<void, StoreError> SqliteLog::prove(const Proof& proof) {
  const User* user = proof.epoch == epoch_ ? find_user(proof.user) : nullptr;
  if (user != nullptr) {
    Range range = proof.range;
    range.upto = std::min(range.upto, user->head);
    Statement& row = sql_->device.bind(user->num, proof.device);
    const bool known = row.step();
    std::uint64_t cursor = known ? row.number(0) : proof.begins;
    check(row);
    row.reset();
    if (range.after <= range.upto) {
      if (!known) register_device(*user, proof, cursor);
      std::vector<Range> above;
      read_received(*user, proof.device, cursor, above);
      add_range(cursor, above, range);
      run(sql_->move_device, user->num, proof.device, cursor, proof.at);
      if (range.after < range.upto)
        run(sql_->new_proof, user->num, range.upto, proof.device, range.after, proof.acknowledged, proof.at, proof.node,
            proof.socket);
    }
  }
  if (const auto result = outcome(true); !result) return Failure(result.error());
  return {};
}

void SqliteLog::register_device(const User& user, const Proof& proof, std::uint64_t cursor) {
  const auto count = static_cast<std::size_t>(read_number(sql_->device_count.bind(user.num)));
  if (count >= limits_.devices_per_user_max) run(sql_->forget_device, user.num);
  run(sql_->new_device, user.num, proof.device, cursor, proof.at);
}

// --- entries ---

// Numbers that come ascending from a statement, asked for in that order.
class SqliteLog::Numbers {
 public:
  explicit Numbers(Statement& statement) : statement_(statement), more_(statement.step()) {}
  ~Numbers() { statement_.reset(); }
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;

  bool has(std::uint64_t number) {
    while (more_ && statement_.number(0) < number) more_ = statement_.step();
    return more_ && statement_.number(0) == number;
  }
  const Statement& statement() const { return statement_; }

 private:
  Statement& statement_;
  bool more_;
};

// By the clock of the sweeps. What was accepted since then may be of a clock that was set back.
bool SqliteLog::is_forgotten(const Posting& entry) const {
  return entry.expires_at <= forgotten_ && entry.seq <= forgotten_seq_;
}

// It has expired, and the sweep has seen it.
bool SqliteLog::is_swept(const Posting& entry) {
  if (is_forgotten(entry)) return true;
  const auto record = read_record(entry);
  return !record || record->expired;
}

// The user's entries behind `after` that have not ended, ascending, until `visit` returns false.
void SqliteLog::each_entry(const User& user, std::uint64_t after, UnixMs now, Expired expired, const Visit& visit) {
  Numbers ended(sql_->endings.bind(user.num, after));
  const Visit visit_entry = [&](const Posting& entry) {
    if (ended.has(entry.number)) return true;
    if (expired == Expired::left_out && entry.expires_at <= now) return true;
    if (entry.expires_at <= std::max(now, swept_) && is_swept(entry)) return true;
    return code_ == SQLITE_OK && visit(entry);
  };
  bool go_on = true;
  check(runs_.find(user.num, after, [&](const Posting& entry) { return go_on = visit_entry(entry); }));
  if (go_on && code_ == SQLITE_OK) tail_.visit(user, after, visit_entry);
  check(ended.statement());
}

UnixMs SqliteLog::mark_of(std::int64_t user, std::uint64_t number) {
  return read_number(sql_->mark.bind(user, number));
}

// --- reading ---

Result<Page, StoreError> SqliteLog::read(const ReadRequest& request) {
  Page page{.epoch = epoch_, .upto = request.after};
  page.continues = request.epoch.empty() || request.after == 0 || request.epoch == epoch_;
  const User* user = find_user(request.user);
  if (user == nullptr) return outcome(std::move(page));
  page.head = user->head;
  page.dropped_to = user->dropped_to;
  page.upto = fill_page(page, *user, request) ? std::max(user->head, request.after) : page.entries.back().number;
  return outcome(std::move(page));
}

// False: the page is full, and there is more.
bool SqliteLog::fill_page(Page& page, const User& user, const ReadRequest& request) {
  const std::uint64_t after = std::max(request.after, user.dropped_to);
  std::size_t bytes = 0;
  bool all = true;
  Numbers marks(sql_->marks.bind(user.num, after));
  each_entry(user, after, request.now, Expired::left_out, [&](const Posting& entry) {
    bytes += entry.bytes;
    all = page.entries.empty() || (page.entries.size() < request.entries_max && bytes <= request.bytes_max);
    if (!all) return false;
    const auto record = read_record(entry);
    if (record) page.entries.push_back({entry.number, record->notification, marks.has(entry.number)});
    return true;
  });
  check(marks.statement());
  return all;
}

Result<void, StoreError> SqliteLog::look_up(const ReadMarks& marks) {
  if (!loaded_ || is_damaged()) return {};  // begin() says so
  const User* user = find_user(marks.user);
  if (careful_ && user != nullptr) find_marked(*user, marks);
  const auto found = outcome(true);
  const auto summary = found && careful_ ? summarize(marks.user, marks.at) : UserSummary();
  if (!found || !summary) return Failure(found ? summary.error() : found.error());
  return {};
}

Result<UserSummary, StoreError> SqliteLog::mark_read(const ReadMarks& marks) {
  const User* user = marks.epoch == epoch_ ? find_user(marks.user) : nullptr;
  if (user != nullptr)
    for (const std::uint64_t number : find_marked(*user, marks)) run(sql_->new_mark, user->num, number, marks.at);
  return summarize(marks.user, marks.at);
}

std::vector<std::uint64_t> SqliteLog::find_marked(const User& user, const ReadMarks& marks) {
  std::uint64_t last = marks.upto;
  for (const std::uint64_t number : marks.numbers) last = std::max(last, number);
  std::vector<std::uint64_t> marked;
  each_entry(user, user.dropped_to, marks.at, Expired::included, [&](const Posting& entry) {
    if (entry.number > last) return false;
    if (entry.number <= marks.upto || std::ranges::find(marks.numbers, entry.number) != marks.numbers.end())
      marked.push_back(entry.number);
    return true;
  });
  return marked;
}

Result<UserSummary, StoreError> SqliteLog::summarize(std::string_view user_id, UnixMs now) {
  UserSummary summary{.epoch = epoch_};
  if (const User* user = find_user(user_id)) {
    summary.head = user->head;
    Numbers marks(sql_->marks.bind(user->num, user->dropped_to));
    each_entry(*user, user->dropped_to, now, Expired::left_out, [&](const Posting& entry) {
      if (!marks.has(entry.number)) ++summary.unread;
      return true;
    });
    check(marks.statement());
  }
  return outcome(std::move(summary));
}

// --- tracing ---

Result<std::optional<Trace>, StoreError> SqliteLog::inspect(const InspectRequest& request) {
  std::optional<Trace> trace;
  if (const auto record = is_ready() ? find_record(request.id) : std::nullopt) {
    const std::vector<HolderKey> holders = decode_recipients(record->recipients);
    trace = Trace{record->notification, holders.size(), {}};
    for (std::size_t i = request.skip; i < holders.size() && i - request.skip < request.recipients_max; ++i)
      trace->recipients.push_back(trace_recipient(holders[i], *trace->notification, request.now));
  }
  return outcome(std::move(trace));
}

RecipientTrace SqliteLog::trace_recipient(const HolderKey& holder, const Notification& notification, UnixMs now) {
  RecipientTrace trace;
  trace.position = {epoch_, holder.number};
  trace.user = user_name(holder.user);
  trace.read_at = mark_of(holder.user, holder.number);
  Statement& ending = sql_->ending.bind(holder.user, holder.number);
  if (ending.step()) {
    trace.ending = static_cast<Ending>(ending.integer(0));
    trace.ended_at = ending.integer(1);
    trace.read_at = ending.integer(2);
  } else if (notification.expires_at <= now) {
    trace.ending = Ending::expired;
    trace.ended_at = notification.expires_at;
  }
  check(ending);
  ending.reset();
  trace.receipts = receipts(holder);
  return trace;
}

// The first of each device.
std::vector<Receipt> SqliteLog::receipts(const HolderKey& holder) {
  std::vector<Receipt> found;
  Statement& row = sql_->receipts.bind(holder.user, holder.number);
  while (row.step()) {
    Receipt receipt{row.text(0), row.text(1), row.text(2), row.integer(3), row.integer(4) != 0};
    const auto same_device = [&](const Receipt& other) { return other.device == receipt.device; };
    if (std::ranges::none_of(found, same_device)) found.push_back(std::move(receipt));
  }
  check(row);
  row.reset();
  return found;
}

}  // namespace carillon::inbox
