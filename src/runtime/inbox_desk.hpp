// The inbox in Redis, on the backplane's shard: the store, signals from other nodes, and who here wants them.
#pragma once

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/counter.hpp"
#include "base/text_hash.hpp"
#include "inbox/recipient.hpp"
#include "inbox/redis_store.hpp"
#include "runtime/store_port.hpp"

namespace carillon::runtime {

class Shard;

struct DeskStats {
  Gauge users;          // whose signals this node hears
  Counter signals;      // heard
  Counter malformed;    // messages on users' channels that are nothing of ours
  Counter head_checks;  // heads of logs asked for, because signals may have been missed
};

// What the shards' parts of the inbox are told. Called on their own shard.
class SignalSink {
 public:
  virtual ~SignalSink() = default;
  virtual void on_signal(const inbox::Signal& signal) = 0;
  virtual void on_head(std::string_view user, const inbox::Position& head) = 0;
  virtual void on_read(const inbox::ReadEvent& event) = 0;
};

// State belongs to the backplane's shard. A node listens to the channels of the users whose sockets it holds. Signals may be
// lost while a channel is not subscribed, so each time when Redis confirms a subscription, the first time as after an
// outage, the head of that user's log is asked for. Others may be lost although it is: servers of a Redis Cluster hand them
// on without proof. So each head is asked for every now and then, too. Few questions are on their way at the same time.
class InboxDesk final : public StoreHome {
 public:
  struct Settings {
    inbox::RedisStoreSettings store;
    std::size_t waiting_bytes_max = 64 * 1024 * 1024;
    std::size_t head_checks_max = 64;          // on their way at the same time
    Milliseconds head_check_interval{30'000};  // of each user
  };
  InboxDesk(Shard& home, redis::Link& link, Random& random, Settings settings);

  // Any thread.
  void visit(Visit visit) override;
  std::optional<inbox::StoreError> trouble() const override;
  void want(std::string user, Shard& shard, SignalSink& sink);
  void unwant(std::string user, SignalSink& sink);
  void tell_read(inbox::ReadEvent event);
  const DeskStats& stats() const { return stats_; }

  // From the backplane. False: it is not the inbox's.
  bool on_message(std::string_view channel, std::string_view payload);
  bool on_subscribed(std::string_view channel);
  void on_ready(bool ready);
  TimePoint next_deadline() const { return rounds_.empty() ? act_at_ : std::min(act_at_, rounds_.front().at); }
  void on_time(TimePoint now);

 private:
  struct Listener {
    Shard* shard;
    SignalSink* sink;
  };
  struct User {
    std::vector<Listener> listeners{};
    TimePoint check_at{};
    bool unchecked = false;  // is in the list
  };
  struct Round {
    TimePoint at;
    std::string user;
  };
  void on_home(Task task);
  void check_again_later(const std::string& user, User& state);
  void check_who_is_due(TimePoint now);
  void check_soon(std::string_view user);
  void tell(std::string_view user, const std::function<void(SignalSink&)>& what);
  void check_heads();
  void probe();
  void note(std::optional<inbox::StoreError> trouble);

  Shard& home_;
  redis::Link& link_;
  Settings settings_;
  inbox::RedisStore store_;
  DeskStats stats_;
  std::unordered_map<std::string, User, TextHash, std::equal_to<>> users_;
  std::deque<Round> rounds_;  // by time; one of another time than its user's has gone with an earlier stay
  std::deque<std::string> unchecked_;
  std::size_t checking_ = 0;
  bool probing_ = false;
  TimePoint act_at_ = never;      // probe, and check again what could not be checked
  std::atomic<int> trouble_{-1};  // -1: none; else a StoreError
};

}  // namespace carillon::runtime
