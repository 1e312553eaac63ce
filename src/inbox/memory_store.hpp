// The model of a store: everything in maps, nothing outlives the object. For tests and the simulator.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/task.hpp"
#include "inbox/store.hpp"

namespace carillon::inbox {

// Owned by one thread. Effects are immediate; completions wait until run() or run_one(), in order.
class MemoryStore final : public Store {
 public:
  // What happens to a call, by its name ("accept", "open", ...).
  enum class Fault : std::uint8_t {
    none,
    refused,      // no effect; completes with the error
    answer_lost,  // the effect is there; completes with `unavailable`
  };
  struct Faults {
    Fault fault = Fault::none;
    StoreError error = StoreError::unavailable;
  };

  explicit MemoryStore(std::string epoch, StoreLimits limits = {}) : epoch_(std::move(epoch)), limits_(limits) {}

  // Asked about each call; empty: all is well.
  void set_faults(std::function<Faults(std::string_view call)> faults) { faults_ = std::move(faults); }
  bool run_one();  // false: nothing waits
  void run();      // until nothing waits
  // As if it had been deleted and made anew.
  void lose_everything(std::string epoch);
  // As if another process had taken over, which has of each log what is up to there.
  void lose_tail(std::string epoch, std::uint64_t upto);
  // As if the process were another one since then: a log begins its next epoch with its next entry.
  void restart(std::string epoch) { epoch_ = std::move(epoch); }

  void accept(Acceptance acceptance, Done<Accepted> done) override;
  void open(std::string user, std::string device, Done<DeviceState> done) override;
  void read(ReadRequest request, Done<Page> done) override;
  void prove(Proof proof, Done<void> done) override;
  void mark_read(ReadMarks marks, Done<UserSummary> done) override;
  void summarize(std::string user, UnixMs now, Done<UserSummary> done) override;
  void inspect(InspectRequest request, Done<std::optional<Trace>> done) override;
  void sweep(UnixMs now, std::size_t notifications_max, Done<bool> done) override;

 private:
  struct Stored {
    NotificationPtr notification;
    UnixMs read_at = 0;
  };
  struct Device {
    std::uint64_t cursor = 0;
    UnixMs used_at = 0;
  };
  struct Seen {
    Range range;
    Receipt receipt;
  };
  struct Log {
    std::string epoch;
    std::uint64_t head = 0;
    std::uint64_t dropped_to = 0;
    std::size_t bytes = 0;
    std::map<std::uint64_t, Stored> entries;
    std::map<std::string, Device, std::less<>> devices;
    std::vector<Seen> proofs;
    std::vector<std::pair<std::string, std::uint64_t>> past;  // earlier epochs and their ends
  };
  struct Holder {
    std::string user;
    std::uint64_t number;
    Ending ending = Ending::none;
    UnixMs ended_at = 0;
    UnixMs read_at = 0;
  };
  struct Known {
    NotificationPtr notification;
    std::vector<Holder> holders;
  };
  struct Key {
    std::string fingerprint;
    std::string id;
    std::size_t recipients;
    UnixMs at;
  };

  template <class T, class Effect>
  void call(std::string_view name, Done<T> done, Effect effect);
  Result<Accepted, StoreError> do_accept(const Acceptance& acceptance);
  Placement append(const std::string& user, const NotificationPtr& notification);
  void end(const std::string& user, Log& log, std::uint64_t number, Ending ending, UnixMs at);
  void collapse(const std::string& user, Log& log, const Notification& newer);
  void make_room(const std::string& user, Log& log, const Notification& newer);
  static void add_received(const Log& log, std::string_view device, std::uint64_t& cursor, std::vector<Range>& above);
  // Up to which number the epoch says the same as the log; none: it is of another log.
  std::optional<std::uint64_t> valid_upto(const Log& log, std::string_view epoch) const;
  void do_prove(const Proof& proof);
  DeviceState do_open(const std::string& user, const std::string& device) const;
  Page do_read(const ReadRequest& request) const;
  bool do_mark(const ReadMarks& marks);  // false: of another log
  UserSummary do_summarize(const std::string& user, UnixMs now) const;
  std::optional<Trace> do_inspect(const InspectRequest& request) const;
  bool do_sweep(UnixMs now, std::size_t notifications_max);
  void forget(const Known& known);

  std::string epoch_;  // of what is appended from now on
  StoreLimits limits_;
  std::function<Faults(std::string_view)> faults_;
  std::map<std::string, Log> logs_;
  std::map<std::string, Known> notifications_;  // by id
  std::map<std::string, Key> keys_;
  std::deque<Task> completions_;
};

}  // namespace carillon::inbox
