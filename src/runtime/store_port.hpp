// A store that lives on another thread, as a shard sees it.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "inbox/store.hpp"
#include "socketio/shard_port.hpp"

namespace carillon::runtime {

// The thread on which a store lives. Any thread may call.
class StoreHome {
 public:
  // With the store; null: there is none now, and why.
  using Visit = std::move_only_function<void(inbox::Store* store, inbox::StoreError why)>;

  explicit StoreHome(std::size_t waiting_bytes_max) : waiting_bytes_max_(waiting_bytes_max) {}
  virtual ~StoreHome() = default;

  // Runs it there, in the order of a thread's calls.
  virtual void visit(Visit visit) = 0;
  // What is wrong with the store, if anything.
  virtual std::optional<inbox::StoreError> trouble() const = 0;

  // Of notifications that are on their way to the store; of all shards together.
  std::size_t waiting_bytes() const { return *waiting_bytes_; }

 private:
  friend class StorePort;
  std::size_t waiting_bytes_max_;
  // Shared, because an answer may lie in a shard's mail when this object is gone.
  std::shared_ptr<std::atomic<std::size_t>> waiting_bytes_ = std::make_shared<std::atomic<std::size_t>>(0);
};

// Carries calls to the store's thread and answers back. Belongs to its shard; the home outlives it.
class StorePort final : public inbox::Store {
 public:
  StorePort(StoreHome& home, socketio::ShardPort& shard) : home_(home), shard_(shard) {}

  // Beyond the home's limit of bytes: overloaded.
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
  void carry(std::move_only_function<void(Store&, Done<T>)> call, Done<T> done);

  StoreHome& home_;
  socketio::ShardPort& shard_;
};

}  // namespace carillon::runtime
