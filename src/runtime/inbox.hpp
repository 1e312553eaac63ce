// Notifications on a node: the store's thread, and on each shard the delivery to its sockets.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <carillon/handshake.hpp>

#include "api/notifications.hpp"
#include "inbox/deliverer.hpp"
#include "runtime/store_thread.hpp"
#include "socketio/socket_watcher.hpp"

namespace carillon::runtime {

class Shard;

struct InboxOptions {
  StoreThread::Settings store;
  inbox::DeliveryOptions delivery{};
  // What a client has said about its device. On the socket's shard.
  struct Device {
    std::string name;           // empty: the user's default one
    bool acknowledges = false;  // its application acknowledges each notification
  };
  std::function<Device(const Handshake&)> device_of;
};

class Inbox;

// The part of one shard, on which everything is called.
class ShardInbox final : public socketio::SocketWatchers {
 public:
  ShardInbox(Inbox& inbox, Shard& shard, const InboxOptions& options, const std::string& node);
  ~ShardInbox() override;

  void set_time(TimePoint now);
  std::unique_ptr<socketio::SocketWatcher> watch(socketio::SocketCore& socket) override;
  inbox::Deliverer& deliverer() { return deliverer_; }
  const inbox::DeliveryStats& stats() const { return deliverer_.stats(); }
  inbox::Store& store() { return *store_; }
  Inbox& inbox() { return inbox_; }

 private:
  Inbox& inbox_;
  const InboxOptions& options_;
  std::unique_ptr<inbox::Store> store_;
  inbox::Deliverer deliverer_;
};

// Outlives the shards.
class Inbox final : public api::NotificationPort {
 public:
  explicit Inbox(InboxOptions options);

  void start() { store_thread_.start(); }
  // After the shards have ended: what they have asked for is still done.
  void stop() { store_thread_.stop(); }

  // On the thread that makes the shards.
  std::unique_ptr<ShardInbox> make_shard(Shard& shard, const std::string& node);
  // They are gone: others will be made.
  void forget_shards();
  StoreThread& store_thread() { return store_thread_; }
  const StoreThread& store_thread() const { return store_thread_; }
  const std::vector<ShardInbox*>& shards() const { return parts_; }

  // To the user's other sockets. Any shard.
  void tell_read(inbox::ReadEvent event);

  // api::NotificationPort, on the API's shard: the first.
  void accept(inbox::Acceptance acceptance, inbox::Store::Done<inbox::Accepted> done) override;
  inbox::Store& store() override { return parts_.front()->store(); }
  std::string new_id(UnixMs now) override { return inbox::make_id(now, *random_); }

 private:
  // Runs it with each shard's deliverer: at once on the caller's own, by mail on the others.
  void on_each_shard(const std::function<void(inbox::Deliverer&)>& task);

  InboxOptions options_;
  std::unique_ptr<Random> random_ = make_system_random();  // of the API's shard
  StoreThread store_thread_;
  std::vector<Shard*> shards_;
  std::vector<ShardInbox*> parts_;
};

}  // namespace carillon::runtime
