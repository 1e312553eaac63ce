// The node's place in the cluster: the Redis adapter on its shard, reachable from all of them.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/server.hpp>

#include "cluster/adapter.hpp"
#include "cluster/gathering.hpp"
#include "cluster/node_port.hpp"
#include "cluster/roster.hpp"
#include "runtime/inbox_desk.hpp"
#include "runtime/redis_driver.hpp"
#include "runtime/session_desk.hpp"
#include "runtime/turn_guest.hpp"
#include "socketio/cluster_port.hpp"

namespace carillon::runtime {

class Shard;

// Lives on one shard (the first); what others ask of it travels through that shard's mailbox, in order.
class Backplane final : private redis::LinkListener, private TurnGuest {
 public:
  struct Settings {
    const AdapterOptions& options;
    std::vector<std::string> namespaces;
    std::string node_name;
    Milliseconds ack_timeout;      // of broadcasts that name none
    std::size_t acks_bytes_max;    // of clients of other nodes to one broadcast
    std::function<Value()> facts;  // of this node, for the others
    // Clients are recovered by the stream: with the streams adapter.
    struct Recovery {
      Milliseconds away_max;
      Milliseconds renew_interval;
      std::size_t session_bytes_max;
      socketio::PacketFormat format;
    };
    std::optional<Recovery> recovery{};
    std::optional<InboxDesk::Settings> inbox{};  // notifications are kept in Redis
  };
  // `node` is called on the backplane's shard.
  Backplane(Settings settings, Shard& home, cluster::NodePort& node);
  ~Backplane() override;

  // Any thread. Messages of one thread keep their order.
  void publish(socketio::BroadcastPtr message);
  // The part of the other nodes, see cluster::Adapter; `done` runs on the backplane's shard.
  void operate(socketio::OperationPtr operation, socketio::OperationDone done);
  // Which Carillon nodes there are; `done` runs on the backplane's shard.
  void list_nodes(cluster::Roster::Done done);
  // The shard's own port; call it on that shard.
  socketio::ClusterPort& port_of(Shard& shard);

  // Where clients are recovered by the stream; null otherwise. Any shard.
  socketio::SessionPort* sessions() { return sessions_.get(); }

  InboxDesk* inbox() { return inbox_.get(); }  // null: no notifications in Redis. Any shard.

  bool ready() const { return ready_; }  // any thread
  const redis::Statistics& redis_statistics() const { return driver_.link().statistics(); }
  const cluster::Statistics& cluster_statistics() const { return adapter_->statistics(); }
  const cluster::Statistics* session_statistics() const { return sessions_ ? &sessions_->statistics() : nullptr; }

 private:
  class ShardPort;

  void on_message(redis::ChannelKind kind, std::string_view channel, std::string_view payload) override;
  void on_subscribed(redis::ChannelKind kind, std::string_view channel) override;
  void on_ready(bool ready) override;
  void on_entry(std::string_view stream, std::string_view id, redis::StreamFieldsView fields) override;
  void on_position(std::string_view stream, std::string_view id) override;
  void on_entries_lost(std::string_view stream) override;

  // The adapter's requests have deadlines.
  void on_turn_end(TimePoint now) override;
  TimePoint next_deadline() const override;
  bool has_finished() const override { return true; }
  void give_up() override {}

  Shard& home_;
  std::unique_ptr<Random> random_;
  RedisDriver driver_;
  cluster::Statistics roster_statistics_;
  cluster::Roster roster_;
  cluster::Gathering gathering_;
  std::unique_ptr<cluster::Adapter> adapter_;
  std::unique_ptr<SessionDesk> sessions_;
  std::unique_ptr<InboxDesk> inbox_;
  std::vector<std::unique_ptr<ShardPort>> ports_;
  std::atomic<bool> ready_{false};
};

}  // namespace carillon::runtime
