// The Socket.IO server of one shard.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/random.hpp"
#include "base/timer_wheel.hpp"
#include "engineio/engine.hpp"
#include "socketio/broadcast.hpp"
#include "socketio/cluster_port.hpp"
#include "socketio/namespace_core.hpp"
#include "socketio/shard_link.hpp"
#include "socketio/shard_port.hpp"
#include "socketio/stats.hpp"

namespace carillon::socketio {

struct Options {
  Milliseconds connect_timeout{45'000};
  std::size_t attachments_max = 10;
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
  };
  ServerCore(const Options& options, const NamespaceTable& namespaces, Surroundings surroundings);
  ~ServerCore() override;

  void on_open(engineio::Session& session) override;
  void on_message(engineio::Session& session, bool binary, std::string_view data) override;
  void on_close(engineio::Session& session, engineio::CloseReason reason) override;

  // Delivers to the sockets of this shard.
  void deliver(const Broadcast& message);
  // Does it with the sockets of this shard; `done` gets their part of the answer, at once or later, on this shard.
  using OperationPartDone = std::move_only_function<void(OperationResult)>;
  void operate(const Operation& operation, OperationPartDone done);

  NamespaceCore* find_namespace(std::string_view name);
  const Options& options() const { return options_; }
  Surroundings& surroundings() { return surroundings_; }
  // For what may outlive this server.
  const std::shared_ptr<ShardLink>& shard_link() const { return shard_link_; }
  Stats& stats() { return stats_; }
  const Stats& stats() const { return stats_; }

  // The time of the event being handled, for deadlines set by it.
  TimePoint now() const { return now_; }
  void set_time(TimePoint now) { now_ = now; }

 private:
  const Options& options_;
  Surroundings surroundings_;
  std::shared_ptr<ShardLink> shard_link_;
  std::unordered_map<std::string, std::unique_ptr<NamespaceCore>, StringHash, std::equal_to<>> namespaces_;
  Stats stats_;
  TimePoint now_{};
};

}  // namespace carillon::socketio
