// Sessions kept in this process.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "base/text_hash.hpp"
#include "socketio/recovery_store.hpp"

namespace carillon::socketio {

// Shared by the shards, guarded by its mutex, which is held for a look-up at most.
class MemoryRecoveryStore final : public RecoveryStore {
 public:
  struct Limits {
    Milliseconds age_max;      // without a connection
    std::size_t sessions_max;  // without a connection; beyond it the oldest go
  };
  explicit MemoryRecoveryStore(Limits limits) : limits_(limits) {}

  void opened(std::string_view pid, std::string_view name_space, std::string_view sid, std::string_view identity,
              ShardPort& shard, std::function<void()> give_way) override;
  void keep(StoredSession session, TimePoint now) override;
  void closed(std::string_view pid) override;
  void find(std::string_view pid, std::string_view name_space, ShardPort& asker,
            std::function<void(std::optional<Facts>)> done) override;
  void take(std::string_view pid, ShardPort& asker, std::function<void(std::optional<StoredSession>)> done) override;
  bool expire(TimePoint now) override;

  std::size_t stored_count() const;  // sessions without a connection

 private:
  struct Entry {
    std::string name_space;
    std::string sid;
    std::string identity;
    ShardPort* shard;
    std::function<void()> give_way;       // while it is connected
    std::optional<StoredSession> stored;  // while it is not
    std::uint64_t number = 0;             // of the storing
  };
  struct Expiry {
    TimePoint at;
    std::string pid;
    std::uint64_t number;
  };
  std::optional<StoredSession> take_stored(std::string_view pid);

  const Limits limits_;
  mutable std::mutex mutex_;  // guards all below
  std::unordered_map<std::string, Entry, TextHash, std::equal_to<>> entries_;
  std::deque<Expiry> expiries_;  // oldest first; those of sessions that have been taken are passed over
  std::size_t stored_ = 0;
  std::uint64_t last_number_ = 0;
};

}  // namespace carillon::socketio
