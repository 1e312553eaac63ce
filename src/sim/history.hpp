// The checkers, and all that they see: what producers were told, what clients received, and the store's log. They share
// no code with what they check.
//
//   accepted  what a producer was told to be accepted stays in the log
//   once      an idempotency key stands for one notification
//   order     what a device receives for the first time has a higher number than all before
//   gap       whoever receives a number has received, or was told of, every lower one that had not ended by itself
//   proof     what the store holds as received by a device was received by it
//   cursor    what was saved as received is still so when the device comes back
//   queue     logs and windows keep their limits
//   expiry    nothing is sent later than a second after its time is over
//   liveness  once faults have stopped, every device receives what has not ended
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "inbox/recipient_port.hpp"
#include "inbox/store.hpp"
#include "sim/plan.hpp"
#include "sim/scheduler.hpp"

namespace carillon::sim {

struct DeviceKey {
  std::string user;
  std::string device;
  auto operator<=>(const DeviceKey&) const = default;
};

class History {
 public:
  History(const Plan& plan, const Scheduler& scheduler) : plan_(plan), scheduler_(scheduler) {}

  // The store's log. What was stored may still be cut off by a crash; what was answered may not.
  void on_accept_stored(const inbox::Acceptance& acceptance, const inbox::Accepted& accepted);
  void on_proof_stored(const inbox::Proof& proof);
  void on_log_size(const std::string& user, std::size_t entries, std::size_t bytes);
  void on_proof_answered(const inbox::Proof& proof);
  void on_open_answered(const DeviceKey& key, const inbox::DeviceState& state);
  // Of all that was stored, the first `records` are left.
  void on_cut(std::size_t records);
  std::size_t records() const { return records_.size(); }

  void on_told_accepted(const std::string& id);

  void on_sent(const DeviceKey& key, const inbox::Notification& notification);
  void on_received(const DeviceKey& key, const inbox::Position& position, const std::string& id);
  void on_gap(const DeviceKey& key, const inbox::Gap& gap);

  // After the time of phase 2.
  void finish();

  void report(std::string_view checker, std::string text);
  // By checker: the first that each has found.
  const std::map<std::string, std::string, std::less<>>& violations() const { return violations_; }

  // For people: that something has happened at all.
  std::size_t told() const { return told_.size(); }
  std::size_t received() const { return received_; }
  std::size_t repeats() const { return repeats_; }
  std::size_t gaps() const { return gaps_; }

 private:
  struct AcceptRecord {
    inbox::NotificationPtr notification;
    std::string request;  // of those with an idempotency key
    std::vector<inbox::Placement> placements;
  };
  using Record = std::variant<AcceptRecord, inbox::Proof>;
  struct Log {
    std::string epoch;
    std::map<std::string, std::uint64_t> ends;    // of earlier epochs
    std::vector<inbox::NotificationPtr> entries;  // number 1 first
    bool knows(const std::string& of) const { return of == epoch || ends.contains(of); }
    std::uint64_t proven_max = 0;
    std::map<std::string, std::uint64_t> registered;  // device -> what came before it, which is not for it
  };
  struct Device {
    std::set<std::string> received;  // ids
    std::set<std::string> told;      // that they were dropped
    std::uint64_t highest = 0;
    std::uint64_t checked_to = 0;
    std::set<std::uint64_t> missing;  // passed over, without a reason
    std::uint64_t cursor = 0;
    std::vector<inbox::Range> saved;
  };

  void apply(const Record& record);
  Device& device(const DeviceKey& key) { return devices_[key]; }
  std::uint64_t size_of(const std::string& user) const;
  // Up to which number an epoch says what the log says.
  std::uint64_t valid_upto(const std::string& epoch, const std::string& user) const;
  void carry_over(const Log& before, Log& after);
  void forget_cut(Device& device, std::uint64_t size) const;
  std::uint64_t base(const DeviceKey& key, const Log& log) const;
  bool ended(const Log& log, std::uint64_t number) const;
  static bool is_replaced(const Log& log, std::uint64_t number);
  bool may_be_dropped(const Log& log, std::uint64_t number) const;
  void check_registration(const DeviceKey& key, const Log& log, std::uint64_t cursor);
  void look_for_gaps(const DeviceKey& key, Device& device, std::uint64_t upto);
  void finish_user(const std::string& user, const Log& log);
  void finish_device(const DeviceKey& key, const Log& log, std::uint64_t number);

  const Plan& plan_;
  const Scheduler& scheduler_;
  std::vector<Record> records_;
  std::map<std::string, Log> logs_;          // follows from the records
  std::map<std::string, std::string> keys_;  // as well: request -> id
  std::set<std::string> ids_;                // as well
  std::set<std::string> told_;
  std::set<std::string> revived_;
  std::map<DeviceKey, Device> devices_;
  std::map<std::string, std::string, std::less<>> violations_;
  std::size_t received_ = 0;
  std::size_t repeats_ = 0;
  std::size_t gaps_ = 0;
};

}  // namespace carillon::sim
