// The machine with the store: its memory, and a disk that has what was synced. Redis where nodes share it, else SQLite in
// the only node's process. What lies in it is the model that SQLite is compared with, too (inbox::MemoryStore).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "inbox/memory_store.hpp"
#include "inbox/recipient.hpp"
#include "sim/store_call.hpp"
#include "sim/world.hpp"

namespace carillon::sim {

// Hears what is published while it is subscribed.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  virtual void publish(const inbox::Signal& signal) = 0;
};

class StoreHost {
 public:
  explicit StoreHost(World& world);

  bool is_up() const { return up_; }
  // Changes with each crash: what was on its way before does not arrive after it.
  std::uint64_t life() const { return life_; }

  // A call has come. `answer` is called when its result may leave; never, if a crash comes before.
  void arrive(std::shared_ptr<StoreCall> call, Task answer);

  void crash();
  void restart();
  // Of a shared store. A crash ends all subscriptions.
  void subscribe(const std::string& user, Subscriber& subscriber);
  void unsubscribe(const std::string& user, Subscriber& subscriber);
  void drop(Subscriber& subscriber);
  void publish(const inbox::Signal& signal);

  // Writes are refused so; reads are not.
  void set_trouble(std::optional<inbox::StoreError> trouble) { trouble_ = trouble; }

 private:
  struct Logged {
    std::shared_ptr<StoreCall> call;  // null: here another process took over
    std::string epoch;                // of what it appends
    std::size_t records;              // of the history, with this one
  };
  struct Waiting {
    std::shared_ptr<StoreCall> call;
    Task answer;
  };

  void take(StoreCall& call);
  void sync_later(Milliseconds delay);
  void sync();
  void fail_batch();
  void release();
  void rebuild(std::size_t calls);
  void begin_epoch();
  inbox::StoreError any_error();

  World& world_;
  bool up_ = true;
  std::uint64_t life_ = 0;
  std::optional<inbox::StoreError> trouble_;
  unsigned epochs_ = 0;
  std::unique_ptr<inbox::MemoryStore> model_;
  std::vector<Logged> log_;  // of the calls that have written
  std::size_t synced_ = 0;   // of them
  std::vector<Waiting> waiting_;
  bool syncing_ = false;
  std::map<std::string, std::vector<Subscriber*>> subscribers_;  // by user
};

}  // namespace carillon::sim
