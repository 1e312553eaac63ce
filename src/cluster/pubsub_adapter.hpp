// The classic Redis adapter: broadcasts by PUBLISH, received through a subscription per room that is held here; requests
// to all servers on one channel per namespace, answers on another.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "base/text_hash.hpp"
#include "cluster/adapter.hpp"
#include "cluster/complaints.hpp"
#include "cluster/interests.hpp"
#include "cluster/node_port.hpp"
#include "cluster/pubsub_codec.hpp"
#include "cluster/pubsub_request.hpp"
#include "cluster/remote_socket_codec.hpp"
#include "cluster/requests.hpp"

namespace carillon::cluster {

struct PubSubOptions {
  std::string key = "socket.io";  // prefix of all channels, as in the Node.js adapter's options
  std::vector<std::string> namespaces{"/"};
  // One pattern per namespace instead of the base channel and one per room: every message of everybody comes here.
  bool pattern = false;
  Requests::Limits limits{};
  Handshakes handshakes = Handshakes::whole;  // of our sockets, in answers to others
};

// See Adapter. Exactly one subscription of the request channel per namespace, whatever the number of shards: servers
// count the subscribers to know how many answers to wait for.
class PubSubAdapter final : public Adapter {
 public:
  // Subscribes to the channels of each namespace. `link` and `port` must outlive the adapter; the caller makes the
  // adapter the link's listener.
  PubSubAdapter(redis::Link& link, NodePort& port, Random& random, PubSubOptions options);

  void publish(const socketio::Broadcast& message) override;

  void open_namespace(unsigned shard, std::string_view name_space) override;
  void close_namespace(unsigned shard, std::string_view name_space) override;
  void open_room(unsigned shard, std::string_view name_space, std::string_view room, Task done) override;
  void await_room(std::string_view name_space, std::string_view room, Task done) override;
  void close_room(unsigned shard, std::string_view name_space, std::string_view room) override;

  void operate(socketio::OperationPtr operation, socketio::OperationDone done, TimePoint now) override;

  const Statistics& statistics() const override { return statistics_; }
  TimePoint next_deadline() const override { return requests_.next_deadline(); }
  void on_time(TimePoint now) override { requests_.on_time(now); }

  // From the link.
  void on_message(redis::ChannelKind kind, std::string_view channel, std::string_view payload) override;
  void on_subscribed(redis::ChannelKind kind, std::string_view channel) override;
  void on_ready(bool ready) override;

 private:
  // The channels of a namespace that are not for broadcasts.
  enum class Role : std::uint8_t { requests, responses };
  struct Service {
    Role role;
    std::string name_space;
  };

  std::string request_channel(std::string_view name_space) const;
  std::string response_channel(std::string_view name_space, std::string_view uid = {}) const;
  void begin_namespace(std::string_view name_space);
  void end_namespace(std::string_view name_space);

  bool is_wanted(redis::ChannelKind kind, std::string_view channel) const;
  void on_broadcast(std::string_view channel, std::string_view payload);
  void on_request(const std::string& name_space, std::string_view channel, std::string_view payload);
  void perform(PubSubRequest request);
  void perform_broadcast(PubSubRequest request);
  void perform_server_event(PubSubRequest request);
  void respond(const PubSubRequest& request, Object members);
  Object answer_of(const PubSubRequest& request, const socketio::OperationResult& result) const;
  void on_response(const std::string& name_space, std::string_view channel, std::string_view payload);
  void ask(socketio::OperationPtr operation, socketio::OperationDone done, TimePoint now);
  void reject(Malformed kind, std::string_view channel);

  redis::Link& link_;
  NodePort& port_;
  Random& random_;
  PubSubOptions options_;
  std::string uid_;  // of this node, in all its namespaces
  Statistics statistics_;
  Interests interests_;
  Requests requests_;
  Complaints complaints_;
  std::unordered_map<std::string, Service, TextHash, std::equal_to<>> services_;  // by channel
  IncomingBroadcast incoming_;                                                    // scratch
};

}  // namespace carillon::cluster
