// The adapter for sharded pub/sub of Redis 7 (createShardedAdapter): each channel lives on one master of a Redis Cluster.
#pragma once

#include <string>
#include <string_view>

#include <carillon/adapter_options.hpp>

#include "cluster/message_adapter.hpp"

namespace carillon::cluster {

struct ShardedOptions : MessageAdapterOptions {
  ShardedMode mode = ShardedMode::dynamic;
};

// Broadcasts to exactly one room go through the room's channel, if it has one: in the mode `dynamic` public rooms have,
// with `dynamic_private` those of single sockets, too. Everything else goes to everyone. Whoever holds a room that has a
// channel is subscribed to it; a server in another mode may publish where nobody listens, so all have to have the same.
class ShardedAdapter final : public MessageAdapter {
 public:
  ShardedAdapter(redis::Link& link, NodePort& port, Random& random, const ShardedOptions& options);

  void on_ready(bool ready) override;

 private:
  void send_broadcast(const socketio::Broadcast& broadcast, const OutgoingMessage& message) override;
  void send_request(const OutgoingMessage& message) override;
  std::string encode(const OutgoingMessage& message) const override { return encode_message(uid(), message); }

  ShardedMode mode_;
};

// Whether a room has a channel of its own. Servers tell the room of a single socket by its length: 20 UTF-16 units.
bool has_channel(ShardedMode mode, std::string_view room);
// Where a broadcast without acknowledgement goes.
std::string sharded_channel(std::string_view key, ShardedMode mode, const socketio::Broadcast& message);

}  // namespace carillon::cluster
