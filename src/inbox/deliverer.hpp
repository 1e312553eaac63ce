// The delivery core of one shard: who of its sockets is to get which notification.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/text_hash.hpp"
#include "inbox/recipient.hpp"

namespace carillon::inbox {

// Told when the first socket of a user comes and when the last one has gone.
class UserWatcher {
 public:
  virtual ~UserWatcher() = default;
  virtual void on_user(const std::string& user, bool present) = 0;
};

// Sans-I/O, owned by one shard. Time comes with set_time() before each event, and in timers.
class Deliverer {
 public:
  // The references outlive it.
  Deliverer(const DeliveryOptions& options, Store& store, TimerWheel& timers, std::string node);
  ~Deliverer();
  Deliverer(const Deliverer&) = delete;
  Deliverer& operator=(const Deliverer&) = delete;

  void set_time(TimePoint now, UnixMs unix_now);
  // Before the first socket. Null: nobody wants to know.
  void set_watcher(UserWatcher* watcher) { watcher_ = watcher; }

  // A socket of a user is connected: it is sent what its device has not received, then what comes. `port` lives until
  // remove().
  std::shared_ptr<Recipient> add(RecipientIdentity identity, RecipientPort& port);
  void remove(Recipient& recipient);

  void on_signal(const Signal& signal);
  // The user's log has entries up to there, perhaps.
  void on_head(std::string_view user, const Position& head);
  void on_read(const ReadEvent& event);

  bool holds(std::string_view user) const { return recipients_.contains(user); }
  const DeliveryStats& stats() const { return context_.stats; }

 private:
  // A copy: sockets may come and go while the user's others are called.
  std::vector<std::shared_ptr<Recipient>> recipients_of(std::string_view user) const;

  DeliveryContext context_;
  UserWatcher* watcher_ = nullptr;
  std::unordered_map<std::string, std::vector<std::shared_ptr<Recipient>>, TextHash, std::equal_to<>> recipients_;
};

}  // namespace carillon::inbox
