// The inbox in Redis, on the backplane's shard: the store, signals from other nodes, and who here wants them.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/counter.hpp"
#include "base/text_hash.hpp"
#include "inbox/head_checks.hpp"
#include "inbox/recipient.hpp"
#include "inbox/redis_store.hpp"
#include "runtime/store_port.hpp"

namespace carillon::runtime {

class Shard;

struct DeskStats {
  Gauge users;        // whose signals this node hears
  Counter signals;    // heard
  Counter malformed;  // messages on users' channels that are nothing of ours
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
class InboxDesk final : public StoreHome, private inbox::HeadCheckPort {
 public:
  struct Settings {
    inbox::RedisStoreSettings store;
    std::size_t waiting_bytes_max = 64 * 1024 * 1024;
    inbox::HeadCheckOptions head_checks{};
  };
  InboxDesk(Shard& home, redis::Link& link, Random& random, Settings settings);

  // Any thread.
  void visit(Visit visit) override;
  std::optional<inbox::StoreError> trouble() const override;
  void want(std::string user, Shard& shard, SignalSink& sink);
  void unwant(std::string user, SignalSink& sink);
  void tell_read(inbox::ReadEvent event);
  const DeskStats& stats() const { return stats_; }
  const Counter& head_checks() const { return heads_.asked(); }

  // From the backplane. False: it is not the inbox's.
  bool on_message(std::string_view channel, std::string_view payload);
  bool on_subscribed(std::string_view channel);
  void on_ready(bool ready);
  TimePoint next_deadline() const { return std::min(probe_at_, heads_.next_deadline()); }
  void on_time(TimePoint now);

 private:
  struct Listener {
    Shard* shard;
    SignalSink* sink;
  };
  void on_home(Task task);
  TimePoint now() const override;
  void on_head(const std::string& user, const inbox::Position& head) override;
  void tell(std::string_view user, const std::function<void(SignalSink&)>& what);
  void probe();
  void note(std::optional<inbox::StoreError> trouble);

  Shard& home_;
  redis::Link& link_;
  Settings settings_;
  inbox::RedisStore store_;
  DeskStats stats_;
  inbox::HeadChecks heads_;
  std::unordered_map<std::string, std::vector<Listener>, TextHash, std::equal_to<>> listeners_;
  bool probing_ = false;
  TimePoint probe_at_ = never;
  std::atomic<int> trouble_{-1};  // -1: none; else a StoreError
};

}  // namespace carillon::runtime
