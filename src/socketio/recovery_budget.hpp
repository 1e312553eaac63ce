// How much all sessions of a node together keep for the return of their clients.
#pragma once

#include <atomic>
#include <cstddef>

namespace carillon::socketio {

// Shared by the sessions of all shards, wherever they are. Any thread.
class RecoveryBudget {
 public:
  explicit RecoveryBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void take(std::size_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void give_back(std::size_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  bool is_exceeded() const { return bytes() > bytes_max_; }
  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  const std::size_t bytes_max_;
  std::atomic<std::size_t> bytes_ = 0;
};

}  // namespace carillon::socketio
