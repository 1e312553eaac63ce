// What the sharded and the streams adapter have in common: whom they ask, and what they do for others.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "cluster/adapter.hpp"
#include "cluster/cluster_message.hpp"
#include "cluster/complaints.hpp"
#include "cluster/interests.hpp"
#include "cluster/node_port.hpp"
#include "cluster/remote_socket_codec.hpp"
#include "cluster/requests.hpp"

namespace carillon::cluster {

struct MessageAdapterOptions {
  std::string key = "socket.io";  // prefix of all channels, as in the Node.js adapters' options
  std::vector<std::string> namespaces{"/"};
  Requests::Limits limits{};
  Handshakes handshakes = Handshakes::whole;  // of our sockets, in answers to others
};

// See Adapter. The adapters differ in how a message travels: each says what it does with one of this node's, and brings
// those of others.
//
// Two channels per namespace, each subscribed exactly once whatever the number of shards: "key#/#", where servers ask each
// other and whose subscribers they count, and "key#/#uid#" for answers to this server.
class MessageAdapter : public Adapter {
 public:
  const std::string& uid() const { return uid_; }  // of this node, in all its namespaces

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

 protected:
  // `kind`: of all channels. `has_channel`: rooms that have one of their own. Subscribes to the channels of each namespace.
  // `link` and `port` must outlive the adapter; the caller makes the adapter the link's listener.
  MessageAdapter(redis::Link& link, NodePort& port, Random& random, MessageAdapterOptions options,
                 redis::ChannelKind kind, std::function<bool(std::string_view room)> has_channel);

  redis::Link& link() const { return link_; }
  NodePort& port() { return port_; }
  Statistics& counters() { return statistics_; }
  const std::string& key() const { return options_.key; }
  std::string channel(std::string_view name_space) const;
  std::string channel(std::string_view name_space, std::string_view room_or_uid) const;

  // A message of whomever. `place`: where it was found.
  void receive(const IncomingMessage& message, std::string_view place);
  void reject(Malformed kind, std::string_view place) { complaints_.reject(kind, place); }

 private:
  // A broadcast without acknowledgement, for all other servers.
  virtual void send_broadcast(const socketio::Broadcast& broadcast, const OutgoingMessage& message) = 0;
  // A request, for all other servers.
  virtual void send_request(const OutgoingMessage& message) = 0;
  // Membership is what Redis says of subscribers, so most say nothing.
  virtual void on_heartbeat(const IncomingMessage& /*message*/) { statistics_.unwanted.add(); }
  // Of what goes through channels.
  virtual std::string encode(const OutgoingMessage& message) const = 0;

  void begin_namespace(std::string_view name_space);
  void end_namespace(std::string_view name_space);
  std::string new_id();
  void ask(socketio::OperationPtr operation, socketio::OperationDone done, TimePoint now);

  // Whom an answer goes to.
  struct Asker {
    std::string uid;
    std::string name_space;
    std::string id;
  };
  void on_request(const IncomingMessage& message, std::string_view place);
  void deliver(MessageRequest request, const socketio::StreamOffset& entry, std::string_view place);
  void perform(MessageRequest request, Asker asker);
  void perform_broadcast(const MessageRequest& request, Asker asker, std::string_view place);
  void perform_server_event(MessageRequest request, const Asker& asker);
  void respond(const Asker& asker, MessageType type, Object members);
  void on_answer(const IncomingMessage& message, std::string_view place);

  redis::Link& link_;
  NodePort& port_;
  Random& random_;
  MessageAdapterOptions options_;
  redis::ChannelKind kind_;
  std::string uid_;
  Statistics statistics_;
  Interests interests_;
  Requests requests_;
  Complaints complaints_;
};

}  // namespace carillon::cluster
