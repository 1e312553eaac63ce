// Notifications on a node: the store, on a thread of its own or in Redis, and on each shard the delivery to its sockets.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/notifications.hpp"
#include "base/counter.hpp"
#include "inbox/deliverer.hpp"
#include "runtime/inbox_options.hpp"
#include "socketio/socket_watcher.hpp"

namespace carillon::runtime {

class Shard;

class Inbox;

// The part of one shard, on which everything is called.
class ShardInbox final : public socketio::SocketWatchers, private SignalSink, private inbox::UserWatcher {
 public:
  ShardInbox(Inbox& inbox, Shard& shard, const InboxOptions& options, const std::string& node);
  ~ShardInbox() override;

  void set_time(TimePoint now);
  std::unique_ptr<socketio::SocketWatcher> watch(socketio::SocketCore& socket) override;
  inbox::Deliverer& deliverer() { return deliverer_; }
  const inbox::DeliveryStats& stats() const { return deliverer_.stats(); }
  inbox::Store& store() { return *store_; }
  Inbox& inbox() { return inbox_; }

  std::size_t questions_per_socket_max() const { return options_.questions_per_socket_max; }
  void note_refused_question() { questions_refused_.add(); }
  const Counter& questions_refused() const { return questions_refused_; }

 private:
  void on_signal(const inbox::Signal& signal) override { deliverer_.on_signal(signal); }
  void on_head(std::string_view user, const inbox::Position& head) override { deliverer_.on_head(user, head); }
  void on_read(const inbox::ReadEvent& event) override { deliverer_.on_read(event); }
  void on_user(const std::string& user, bool present) override;

  Inbox& inbox_;
  Shard& shard_;
  const InboxOptions& options_;
  std::unique_ptr<inbox::Store> store_;
  inbox::Deliverer deliverer_;
  Counter questions_refused_;
};

// Outlives the shards.
class Inbox final : public api::NotificationPort {
 public:
  explicit Inbox(InboxOptions options);

  void start() {
    if (store_thread_) store_thread_->start();
  }
  // After the shards have ended: what they have asked for is still done.
  void stop() {
    if (store_thread_) store_thread_->stop();
  }
  // With Redis, before the shards are made: it outlives them. Null: it has gone with them.
  void set_desk(InboxDesk* desk) { desk_ = desk; }
  InboxDesk* desk() const { return desk_; }

  // On the thread that makes the shards.
  std::unique_ptr<ShardInbox> make_shard(Shard& shard, const std::string& node);
  // They are gone: others will be made.
  void forget_shards();
  const InboxOptions& options() const { return options_; }
  StoreHome& home();
  const StoreThread* store_thread() const { return store_thread_ ? &*store_thread_ : nullptr; }  // null: in Redis
  // What is wrong with the store, if anything. Any thread, while there are shards.
  std::optional<inbox::StoreError> trouble() const;
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
  std::optional<StoreThread> store_thread_;
  InboxDesk* desk_ = nullptr;
  std::vector<Shard*> shards_;
  std::vector<ShardInbox*> parts_;
};

}  // namespace carillon::runtime
