// For tests: the test's thread as a shard, which runs its mail when the test waits for something.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "io/testing.hpp"
#include "socketio/shard_port.hpp"

namespace carillon::runtime::testing {

class Mailbox final : public socketio::ShardPort {
 public:
  void post(Task task) override {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    came_.notify_all();
  }
  bool is_current() const override { return true; }

  void run_until(const std::function<bool()>& done) {
    const auto give_up_at = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      std::unique_lock lock(mutex_);
      ASSERT_TRUE(came_.wait_until(lock, give_up_at, [&] { return !tasks_.empty(); })) << "no answer";
      auto tasks = std::exchange(tasks_, {});
      lock.unlock();
      for (Task& task : tasks) task();
      ran_ += tasks.size();
    }
  }
  std::size_t ran() const { return ran_; }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<Task> tasks_;
  std::size_t ran_ = 0;
};

}  // namespace carillon::runtime::testing
