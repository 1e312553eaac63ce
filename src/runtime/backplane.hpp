// The node's place in the cluster: the Redis adapter on its shard, reachable from all of them.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <carillon/server.hpp>

#include "cluster/pubsub_adapter.hpp"
#include "runtime/redis_driver.hpp"
#include "socketio/cluster_port.hpp"

namespace carillon::runtime {

class Shard;

// Lives on one shard (the first); what others ask of it travels through that shard's mailbox, in order.
class Backplane final : private redis::LinkListener {
 public:
  // Broadcasts of other nodes; called on the backplane's shard.
  Backplane(const AdapterOptions& options, std::vector<std::string> namespaces, const std::string& node_name,
            Shard& home, cluster::DeliveryPort& deliveries);
  ~Backplane() override;

  // Any thread. Messages of one thread keep their order.
  void publish(socketio::BroadcastPtr message);
  // The shard's own port; call it on that shard.
  socketio::ClusterPort& port_of(Shard& shard);

  bool ready() const { return ready_; }  // any thread
  const redis::Statistics& redis_statistics() const { return driver_.client().statistics(); }
  const cluster::Statistics& cluster_statistics() const { return adapter_.statistics(); }

 private:
  class ShardPort;

  void on_message(std::string_view channel, std::string_view payload) override;
  void on_subscribed(std::string_view channel) override;
  void on_ready(bool ready) override;

  Shard& home_;
  std::unique_ptr<Random> random_;
  RedisDriver driver_;
  cluster::PubSubAdapter adapter_;
  std::vector<std::unique_ptr<ShardPort>> ports_;
  std::atomic<bool> ready_{false};
};

}  // namespace carillon::runtime
