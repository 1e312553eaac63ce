// The event loop of one thread: epoll, a mailbox for other threads, the clock.
//
// Plain epoll instead of a library: see docs/decisions/0003-own-event-loop.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/task.hpp"
#include "base/time.hpp"

struct epoll_event;

namespace carillon::io {

// Told when its file descriptor can be used. An error or hang-up counts as readable: reading tells which it is.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on_io(bool readable, bool writable) = 0;
};

// What happens around the events of a turn; implemented by whoever owns the loop.
class LoopHooks {
 public:
  virtual ~LoopHooks() = default;
  virtual void on_turn_begin(TimePoint now) = 0;
  // After all events and mail of the turn: run timers, write what was queued, drop what has ended.
  virtual void on_turn_end(TimePoint now) = 0;
  // When the next turn must begin at the latest.
  virtual TimePoint next_deadline() const = 0;
};

// One turn: wait, events, mail, on_turn_end. Owned by the thread that calls run(); post() and stop() from any thread.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run(LoopHooks& hooks);
  void stop();

  // Runs the task in this or a later turn. Tasks of one thread keep their order. Tasks that are left when run() ends,
  // and those that come later, are destroyed without having run.
  void post(Task task);
  bool is_current() const { return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }

  // The time of this turn.
  TimePoint now() const { return now_; }
  static UnixMs unix_now();
  static TimePoint read_clock();

  // Level-triggered. The watcher must stay until unwatch(), which may be called at any time, also from on_io().
  void watch(int fd, Watcher& watcher, bool reads = true, bool writes = false);
  void change(int fd, Watcher& watcher, bool reads, bool writes);
  void unwatch(int fd, Watcher& watcher);

 private:
  void wait(LoopHooks& hooks);
  void run_mail();
  void end();

  int epoll_ = -1;
  int wake_ = -1;  // eventfd
  std::atomic<std::thread::id> thread_{};
  std::atomic<bool> stopping_{false};
  TimePoint now_{};
  std::span<epoll_event> ready_;  // of the current turn, not handled yet

  std::mutex mutex_;
  bool ended_ = false;        // guarded by mutex_: run() has returned
  std::vector<Task> mail_;    // guarded by mutex_
  std::vector<Task> opened_;  // being run
};

}  // namespace carillon::io
