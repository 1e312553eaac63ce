// The Socket.IO server of one shard.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/random.hpp"
#include "base/text_hash.hpp"
#include "base/timer_wheel.hpp"
#include "engineio/engine.hpp"
#include "socketio/broadcast.hpp"
#include "socketio/cluster_port.hpp"
#include "socketio/namespace_core.hpp"
#include "socketio/namespace_registry.hpp"
#include "socketio/recovery.hpp"
#include "socketio/shard_link.hpp"
#include "socketio/shard_port.hpp"
#include "socketio/socket_watcher.hpp"
#include "socketio/stats.hpp"
#include "socketio/stream_shard.hpp"

namespace carillon::socketio {

struct Options {
  Milliseconds connect_timeout{45'000};
  PacketParser parser = PacketParser::json;
  std::size_t attachments_max = 10;
  std::size_t packet_bytes_max = 4 * 1024 * 1024;  // a packet with its attachments
  std::size_t pending_packet_bytes_total_max =
      0;  // packets of all clients whose attachments have not come; 0: no limit
  std::size_t namespaces_per_client_max = 100;
  std::size_t rooms_per_socket_max = 10'000;
  std::size_t pending_acks_per_socket_max = 10'000;
  Milliseconds ack_timeout{0};  // zero: none
  Milliseconds broadcast_ack_timeout{10'000};
  std::size_t broadcast_ack_bytes_max = 16 * 1024 * 1024;
};

// Sans-I/O, owned by one shard; the references must outlive it.
class ServerCore final : public engineio::SessionHandler {
 public:
  struct Surroundings {
    ShardPort& shard;
    BroadcastPort& broadcasts;  // of the whole node: a socket's own broadcasts go through it
    ClusterPort* cluster;       // null: a single node
    TimerWheel& timers;
    Random& random;
    Recovery* recovery = nullptr;  // null: clients are not recovered
    unsigned shard_index = 0;
    StreamRecovery* streams = nullptr;   // instead of `recovery`: clients are recovered by the stream
    SocketWatchers* watchers = nullptr;  // null: nobody follows sockets
  };
  ServerCore(const Options& options, NamespaceRegistry& namespaces, Surroundings surroundings);
  ~ServerCore() override;

  void on_open(engineio::Session& session) override;
  void on_message(engineio::Session& session, bool binary, std::string_view data) override;
  void on_close(engineio::Session& session, engineio::CloseReason reason) override;

  void on_ping_sent(engineio::Session& session) override;
  void on_pong(engineio::Session& session) override;
  void on_upgraded(engineio::Session& session) override;

  // Delivers to the sockets of this shard.
  void deliver(const Broadcast& message);
  // Does it with the sockets of this shard; `done` gets their part of the answer, at once or later, on this shard.
  void operate(const Operation& operation, OperationPartDone done);
  // The same with all that has been appended to the recovery log.
  void deliver_log();
  // The position in it up to which this shard has delivered.
  std::uint64_t cursor() const { return cursor_; }

  // Null where clients are not recovered by the stream.
  StreamShard* stream_shard() const { return stream_shard_.get(); }

  // A session is waiting to be recovered, or a broadcast has been kept: looks after them until there are none.
  void watch_recovery();

  // Those that this shard has a part of.
  NamespaceCore* find_namespace(std::string_view name);
  // A child that exists on this node, made here if need be; null if there is none.
  NamespaceCore* find_child(std::string_view name);
  // The same, and makes the child if it does not exist; null if there are too many.
  NamespaceCore* create_child(std::string_view name, std::size_t parent);
  // Forgets a child, unless it is in use again by the time that nobody on the stack refers to it.
  void forget_later(std::string_view name);
  NamespaceRegistry& registry() { return registry_; }
  const Options& options() const { return options_; }
  Surroundings& surroundings() { return surroundings_; }
  // For what may outlive this server.
  const std::shared_ptr<ShardLink>& shard_link() const { return shard_link_; }
  Stats& stats() { return stats_; }
  const Stats& stats() const { return stats_; }

  // The time of the event being handled, for deadlines set by it.
  TimePoint now() const { return now_; }
  PacketFormat format() const {
    return {.parser = options_.parser,
            .offsets = surroundings_.recovery != nullptr || surroundings_.streams != nullptr,
            .stream_offsets = surroundings_.streams != nullptr};
  }
  void set_time(TimePoint now) { now_ = now; }

 private:
  class RecoveryTimer;

  NamespaceCore* add_child(std::string_view name, NamespaceRegistry::Handlers handlers);
  void forget(std::string_view name);

  const Options& options_;
  NamespaceRegistry& registry_;
  Surroundings surroundings_;
  std::shared_ptr<ShardLink> shard_link_;
  std::unordered_map<std::string, std::unique_ptr<NamespaceCore>, TextHash, std::equal_to<>> namespaces_;
  Stats stats_;
  TimePoint now_{};
  std::uint64_t cursor_ = 0;
  std::vector<BroadcastPtr> unread_;  // of the recovery log, while it is being delivered
  bool delivering_log_ = false;
  std::unique_ptr<RecoveryTimer> recovery_timer_;
  std::unique_ptr<StreamShard> stream_shard_;
};

}  // namespace carillon::socketio
