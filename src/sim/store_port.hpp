// The store as a shard has it: calls travel there and back, and some of them do not arrive.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "inbox/store.hpp"
#include "sim/store_host.hpp"

namespace carillon::sim {

class Shard;

// What stands between a node and the store.
struct StoreLink {
  bool lost_to = false;    // requests do not arrive
  bool lost_from = false;  // answers do not
};

class StorePort final : public inbox::Store {
 public:
  StorePort(World& world, StoreHost& host, Shard& shard, const StoreLink& link);

  // The connection is broken: whatever waits hears `unavailable`.
  void break_off();

  void accept(inbox::Acceptance acceptance, Done<inbox::Accepted> done) override;
  void open(std::string user, std::string device, Done<inbox::DeviceState> done) override;
  void read(inbox::ReadRequest request, Done<inbox::Page> done) override;
  void prove(inbox::Proof proof, Done<void> done) override;
  void mark_read(inbox::ReadMarks marks, Done<inbox::UserSummary> done) override;
  void summarize(std::string user, UnixMs now, Done<inbox::UserSummary> done) override;
  void inspect(inbox::InspectRequest request, Done<std::optional<inbox::Trace>> done) override;
  void sweep(UnixMs now, std::size_t notifications_max, Done<bool> done) override;

 private:
  template <class T>
  void call(std::string_view name, bool writes, typename StoreCallOf<T>::Parts parts, Done<T> done);
  void send(const std::shared_ptr<StoreCall>& call);
  void arrive(std::uint64_t id, std::uint64_t life, const std::shared_ptr<StoreCall>& call);
  void answer(std::uint64_t id);
  void fail(std::uint64_t id);
  void complete(std::uint64_t id);

  World& world_;
  StoreHost& host_;
  Shard& shard_;
  const StoreLink& link_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::shared_ptr<StoreCall>> waiting_;
  TimePoint last_arrival_{};
  TimePoint last_answer_{};
};

}  // namespace carillon::sim
