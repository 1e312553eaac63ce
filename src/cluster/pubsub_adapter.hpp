// The classic Redis adapter: broadcasts by PUBLISH, received through a subscription per room that is held here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "base/task.hpp"
#include "base/text_hash.hpp"
#include "cluster/pubsub_codec.hpp"
#include "cluster/statistics.hpp"
#include "redis/link.hpp"
#include "socketio/broadcast.hpp"

namespace carillon::cluster {

inline constexpr unsigned shards_max = 64;  // a mask has a bit for each
inline constexpr std::uint64_t every_shard = ~std::uint64_t{0};

// Where broadcasts of other nodes go. Called on the backplane's shard.
class DeliveryPort {
 public:
  virtual ~DeliveryPort() = default;
  // Bit N of the mask: shard N holds one of the rooms (every_shard for a broadcast to everyone).
  // Nobody else may share the message yet, as with BroadcastPort.
  virtual void deliver(socketio::BroadcastPtr message, std::uint64_t shard_mask) = 0;
  // Messages of other nodes may have been lost.
  virtual void on_gap() {}
  // The format in which the messages are to be.
  virtual socketio::PacketFormat packet_format() const { return {}; }
};

struct PubSubOptions {
  std::string key = "socket.io";  // prefix of all channels, as in the Node.js adapter's options
  std::vector<std::string> namespaces{"/"};
};

// Owned by the backplane's shard; the other shards reach it through mailboxes, so it hears of their rooms in order.
//
// Requests of other nodes (fetchSockets, socketsJoin, ...) are not taken part in: the adapter is not subscribed to the
// request channel, so Node.js servers do not count this node among those that they wait for.
class PubSubAdapter final : public redis::LinkListener {
 public:
  // Subscribes to the base channel of each namespace. `link` and `port` must outlive the adapter; the caller makes the
  // adapter the link's listener.
  PubSubAdapter(redis::Link& link, DeliveryPort& port, Random& random, PubSubOptions options);

  // A broadcast of this node, for the others; those with the flag `local` are none.
  void publish(const socketio::Broadcast& message);

  // See socketio::ClusterPort: namespaces beside those of the options.
  void open_namespace(unsigned shard, std::string_view name_space);
  void close_namespace(unsigned shard, std::string_view name_space);

  // See socketio::ClusterPort. `done` is called when the room's subscription is confirmed; at once while the link is
  // not ready, and when it stops being ready. `shard` is below shards_max; opening what is open already is harmless.
  void open_room(unsigned shard, std::string_view name_space, std::string_view room, Task done);
  void await_room(std::string_view name_space, std::string_view room, Task done);
  void close_room(unsigned shard, std::string_view name_space, std::string_view room);

  const Statistics& statistics() const { return statistics_; }

  // From the link.
  void on_message(std::string_view channel, std::string_view payload) override;
  void on_subscribed(std::string_view channel) override;
  void on_ready(bool ready) override;

 private:
  // A channel that somebody here wants.
  struct Interest {
    std::uint64_t shards = 0;  // that hold the room
    bool base = false;         // the base channel of a namespace that is served here
  };
  template <class T>
  using ByName = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

  void listen_to(std::string_view name_space);
  std::uint64_t shards_for(const IncomingBroadcast& message);
  // Valid until the next call.
  std::string_view scratch_channel(std::string_view name_space, std::string_view room);
  void wait_for(std::string_view channel, Task done);
  void reject(Malformed kind, std::string_view channel);

  redis::Link& link_;
  DeliveryPort& port_;
  std::string key_;
  std::string uid_;                           // of this node, in all its namespaces
  std::set<std::string, std::less<>> fixed_;  // namespaces that are served here always
  ByName<std::uint64_t> opened_;              // others: by which shards
  ByName<Interest> interests_;                // by channel
  ByName<std::vector<Task>> waiting_;         // by channel: not confirmed yet
  IncomingBroadcast incoming_;                // scratch
  std::string channel_;                       // of scratch_channel()
  Statistics statistics_;
  unsigned told_ = 0;  // kinds of malformed messages that have been logged
};

}  // namespace carillon::cluster
