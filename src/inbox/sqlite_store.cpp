#include "inbox/sqlite_store.hpp"

#include <optional>
#include <utility>

namespace carillon::inbox {

// Somebody who waits for a result.
class SqliteStore::Call {
 public:
  virtual ~Call() = default;
  // Before the transaction. False: the call has met damage, and is not attempted.
  virtual bool prepare() { return true; }
  // The error if the database has failed.
  virtual Result<void, StoreError> attempt() = 0;
  virtual void complete() = 0;
  virtual void fail(StoreError error) = 0;
};

template <class T>
class SqliteStore::CallFor : public Call {
 public:
  explicit CallFor(Done<T> done) : done_(std::move(done)) {}

  void complete() override { done_(std::move(result_)); }
  void fail(StoreError error) override { done_(Failure(error)); }

 protected:
  Result<void, StoreError> keep(Result<T, StoreError> result) {
    result_ = std::move(result);
    if (result_ || result_.error() == StoreError::key_conflict) return {};
    return Failure(result_.error());
  }

 private:
  Done<T> done_;
  Result<T, StoreError> result_ = Failure(StoreError::unavailable);
};

// What is asked lies in the call itself: one allocation for each.
template <class T, class Asked>
class SqliteStore::WriteCall final : public CallFor<T> {
 public:
  using Work = Result<T, StoreError> (SqliteLog::*)(const Asked&);
  WriteCall(SqliteLog& log, Work work, Asked asked, Done<T> done)
      : CallFor<T>(std::move(done)), log_(log), work_(work), asked_(std::move(asked)) {}

  bool prepare() override {
    if (log_.look_up(asked_) != Failure(StoreError::corrupt)) return true;
    static_cast<void>(this->keep(Failure(StoreError::corrupt)));
    return false;
  }
  Result<void, StoreError> attempt() override { return this->keep((log_.*work_)(asked_)); }

 private:
  SqliteLog& log_;
  Work work_;
  Asked asked_;
};

template <class T, class Work>
class SqliteStore::ReadCall final : public CallFor<T> {
 public:
  ReadCall(Work work, Done<T> done) : CallFor<T>(std::move(done)), work_(std::move(work)) {}

  Result<void, StoreError> attempt() override { return this->keep(work_()); }

 private:
  Work work_;
};

Result<std::unique_ptr<SqliteStore>, OpenError> SqliteStore::open(const std::string& path, const StoreLimits& limits,
                                                                  Random& random) {
  auto database = open_database(path, random);
  if (!database) return Failure(database.error());
  auto epoch = read_epoch(*database);
  if (!epoch) return Failure(epoch.error());
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(*database), std::move(*epoch), limits));
  if (const auto loaded = store->log_.load(); !loaded)
    return Failure(OpenError{loaded.error(), path + ": " + store->complaint()});
  return store;
}

SqliteStore::SqliteStore(Database database, std::string epoch, const StoreLimits& limits)
    : log_(std::move(database), std::move(epoch), limits) {}

SqliteStore::~SqliteStore() = default;

Result<void, StoreError> SqliteStore::commit() {
  // Completions may call again: that is the next batch.
  batch_writes_.clear();
  batch_reads_.clear();
  std::swap(writes_, batch_writes_);
  std::swap(reads_, batch_reads_);
  Result<void, StoreError> outcome = batch_writes_.empty() ? Result<void, StoreError>() : write(batch_writes_);
  if (outcome == Failure(StoreError::corrupt) && batch_writes_.size() > 1) {
    outcome = write_apart(batch_writes_);
  } else {
    for (const auto& call : batch_writes_) outcome ? call->complete() : call->fail(outcome.error());
  }
  for (const auto& call : batch_reads_) {
    if (const auto result = call->attempt(); !result) outcome = Failure(result.error());
    call->complete();
  }
  batch_writes_.clear();
  batch_reads_.clear();
  if (std::exchange(met_damage_, false) && outcome) outcome = Failure(StoreError::corrupt);
  if (const auto folded = log_.fold_some(); !folded) outcome = folded;
  return outcome;
}

// One after the other; the last error.
Result<void, StoreError> SqliteStore::write_apart(std::span<const std::unique_ptr<Call>> calls) {
  Result<void, StoreError> outcome;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto written = write(calls.subspan(i, 1));
    if (!written) outcome = written;
    written ? calls[i]->complete() : calls[i]->fail(written.error());
  }
  return outcome;
}

Result<void, StoreError> SqliteStore::write(std::span<const std::unique_ptr<Call>> calls) {
  // To take something back costs a look at all that is not folded: after a failure something small is tried first.
  if (has_failed_)
    if (auto probed = probe(); !probed) return probed;
  prepared_.clear();
  for (const auto& call : calls)
    if (call->prepare()) prepared_.push_back(call.get());
  met_damage_ = met_damage_ || prepared_.size() < calls.size();
  Result<void, StoreError> result = log_.begin();
  for (std::size_t i = 0; result && i < prepared_.size(); ++i) result = prepared_[i]->attempt();
  if (result) result = log_.commit();
  if (!result) log_.rollback();
  has_failed_ = !result && result.error() != StoreError::corrupt;
  return result;
}

Result<void, StoreError> SqliteStore::probe() {
  Result<void, StoreError> result = log_.begin();
  if (result) result = log_.touch();
  if (result) result = log_.commit();
  if (!result) log_.rollback();
  return result;
}

template <class T, class Asked>
void SqliteStore::add_write(Result<T, StoreError> (SqliteLog::*work)(const Asked&), Asked asked, Done<T> done) {
  writes_.push_back(std::make_unique<WriteCall<T, Asked>>(log_, work, std::move(asked), std::move(done)));
}

template <class T, class Work>
void SqliteStore::add_read(Work work, Done<T> done) {
  reads_.push_back(std::make_unique<ReadCall<T, Work>>(std::move(work), std::move(done)));
}

void SqliteStore::accept(Acceptance acceptance, Done<Accepted> done) {
  add_write(&SqliteLog::accept, std::move(acceptance), std::move(done));
}

void SqliteStore::prove(Proof proof, Done<void> done) {
  add_write(&SqliteLog::prove, std::move(proof), std::move(done));
}

void SqliteStore::mark_read(ReadMarks marks, Done<UserSummary> done) {
  add_write(&SqliteLog::mark_read, std::move(marks), std::move(done));
}

void SqliteStore::sweep(UnixMs now, std::size_t notifications_max, Done<bool> done) {
  add_write(&SqliteLog::sweep, Sweep{now, notifications_max}, std::move(done));
}

void SqliteStore::open(std::string user, std::string device, Done<DeviceState> done) {
  add_read([this, user = std::move(user), device = std::move(device)] { return log_.open(user, device); },
           std::move(done));
}

void SqliteStore::read(ReadRequest request, Done<Page> done) {
  add_read([this, request = std::move(request)] { return log_.read(request); }, std::move(done));
}

void SqliteStore::summarize(std::string user, UnixMs now, Done<UserSummary> done) {
  add_read([this, user = std::move(user), now] { return log_.summarize(user, now); }, std::move(done));
}

void SqliteStore::inspect(InspectRequest request, Done<std::optional<Trace>> done) {
  add_read([this, request = std::move(request)] { return log_.inspect(request); }, std::move(done));
}

}  // namespace carillon::inbox
