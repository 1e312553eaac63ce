// The thread that owns the SQLite store, and each shard's way to it.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/counter.hpp"
#include "base/random.hpp"
#include "inbox/sqlite_store.hpp"
#include "io/loop.hpp"
#include "runtime/store_port.hpp"
#include "socketio/shard_port.hpp"

namespace carillon::runtime {

struct StoreStats {
  Counter commits;         // batches
  Counter calls;           // that were in them
  Counter failed_batches;  // with an error, if only of one call
  Gauge waiting_bytes;     // of notifications that have not been committed; by all shards' ports together
};

// Every turn of its loop gathers what the shards have asked for and commits it together. A store that cannot be opened
// is opened again every second, one that cannot be written is tried, and one that takes nothing because it is damaged is opened again
// when its file has changed. Meanwhile calls fail with the reason.
class StoreThread final : public StoreHome, private io::LoopHooks {
 public:
  struct Settings {
    std::string directory;  // made if it is not there; throws std::runtime_error from start() if that cannot be done
    inbox::StoreLimits limits{};
    std::size_t waiting_bytes_max = 64 * 1024 * 1024;  // notifications on their way to the disk; beyond: overloaded
  };
  explicit StoreThread(Settings settings);
  ~StoreThread() override;

  void start();
  // Commits what has come, then ends the thread. Calls that come later are never answered. Any other thread.
  void stop();

  // The store as a shard sees it; answers come by the shard's mail. It must not outlive the thread object.
  std::unique_ptr<inbox::Store> port_for(socketio::ShardPort& shard);

  // Any thread: what is wrong with the store, if anything.
  std::optional<inbox::StoreError> trouble() const override;
  const StoreStats& stats() const { return stats_; }

  void visit(Visit visit) override;

 private:
  std::string path() const;
  void open();
  void note(std::optional<inbox::StoreError> trouble, const std::string& complaint);
  void on_failure(inbox::StoreError error, TimePoint now);
  void mend(TimePoint now);
  bool can_stay_open() const;
  void sweep(TimePoint now);

  void on_turn_begin(TimePoint) override {}
  void on_turn_end(TimePoint now) override;
  TimePoint next_deadline() const override;

  Settings settings_;
  std::unique_ptr<Random> random_ = make_system_random();
  std::unique_ptr<inbox::SqliteStore> store_;  // null: it could not be opened
  struct stat file_{};                         // as it was when it was opened
  StoreStats stats_;
  std::atomic<int> trouble_{-1};  // -1: none; else a StoreError
  TimePoint mend_at_ = never;
  TimePoint sweep_at_{};
  TimePoint damage_said_at_{};
  bool sweeping_ = false;
  io::Loop loop_;
  std::thread thread_;
};

}  // namespace carillon::runtime
