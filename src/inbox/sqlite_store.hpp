// The store of a node without Redis: one SQLite file.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "inbox/sqlite_log.hpp"
#include "inbox/sqlite_schema.hpp"
#include "inbox/store.hpp"

namespace carillon::inbox {

// Owned by one thread. Calls are gathered until commit(), which runs them all in one transaction, so that they share one
// write to the disk: writes first, then reads. What commit() has reported survives a loss of power. If anything goes
// wrong nothing of the batch has happened, and all its writes fail with that error; only damage in the file is held
// against those calls alone that meet it.
class SqliteStore final : public Store {
 public:
  // Makes the file where there is none. It belongs to this store alone until it is destroyed.
  static Result<std::unique_ptr<SqliteStore>, OpenError> open(const std::string& path, const StoreLimits& limits,
                                                              Random& random);
  ~SqliteStore() override;

  std::size_t waiting() const { return writes_.size() + reads_.size(); }
  // Does what has been asked for and calls back, then perhaps folds (sqlite_log.hpp). The error that it had, if any; what
  // it was is in complaint(). Who is called back may ask again, but not commit().
  Result<void, StoreError> commit();
  // Writes something of no meaning, to see whether the file can be written.
  Result<void, StoreError> probe();
  const std::string& complaint() const { return log_.complaint(); }
  // Something that was accepted cannot be read: nothing can be written until another file is opened. Else it is as before.
  bool is_damaged() const { return log_.is_damaged(); }

  // For tests: as if the disk had room for so many pages; as if the file could not be written.
  void limit_pages_for_tests(std::size_t pages_max) { log_.limit_pages(pages_max); }
  void set_read_only_for_tests(bool on) { log_.set_read_only(on); }
  void set_fold_sizes_for_tests(const FoldSizes& sizes) { log_.set_fold_sizes(sizes); }
  std::size_t loads_for_tests() const { return log_.loads(); }  // how often what is not folded was read

  void accept(Acceptance acceptance, Done<Accepted> done) override;
  void open(std::string user, std::string device, Done<DeviceState> done) override;
  void read(ReadRequest request, Done<Page> done) override;
  void prove(Proof proof, Done<void> done) override;
  void mark_read(ReadMarks marks, Done<UserSummary> done) override;
  void summarize(std::string user, UnixMs now, Done<UserSummary> done) override;
  void inspect(InspectRequest request, Done<std::optional<Trace>> done) override;
  void sweep(UnixMs now, std::size_t notifications_max, Done<bool> done) override;

 private:
  class Call;
  template <class T>
  class CallFor;
  template <class T, class Asked>
  class WriteCall;
  template <class T, class Work>
  class ReadCall;
  template <class T, class Asked>
  void add_write(Result<T, StoreError> (SqliteLog::*work)(const Asked&), Asked asked, Done<T> done);
  template <class T, class Work>
  void add_read(Work work, Done<T> done);

  SqliteStore(Database database, std::string epoch, const StoreLimits& limits);
  Result<void, StoreError> write(std::span<const std::unique_ptr<Call>> calls);
  Result<void, StoreError> write_apart(std::span<const std::unique_ptr<Call>> calls);

  SqliteLog log_;
  bool has_failed_ = false;  // the last write, for a reason that the next one may meet again
  bool met_damage_ = false;  // a call of this batch, before the transaction
  std::vector<std::unique_ptr<Call>> writes_;
  std::vector<std::unique_ptr<Call>> reads_;
  std::vector<std::unique_ptr<Call>> batch_writes_;  // of the batch that is on; between them their room is kept
  std::vector<std::unique_ptr<Call>> batch_reads_;
  std::vector<Call*> prepared_;  // of the transaction that is on
};

}  // namespace carillon::inbox
