// The node's end of the cluster: what the others get of this node's traffic, and what this node does for them.
#pragma once

#include <string_view>

#include "base/task.hpp"
#include "base/time.hpp"
#include "cluster/statistics.hpp"
#include "redis/link.hpp"
#include "socketio/broadcast.hpp"

namespace carillon::cluster {

// One for each of the wire formats of the published adapters: pub/sub, sharded pub/sub, streams. Sans-I/O; owned by the
// backplane's shard. The other shards reach it through mailboxes, so it hears of their rooms in order.
class Adapter : public redis::LinkListener {
 public:
  // A broadcast of this node without acknowledgement, for the others; those with the flag `local` are none.
  virtual void publish(const socketio::Broadcast& message) = 0;

  // One that awaits its entry (see socketio::Broadcast), also with the flag `local`: NodePort::release says when it has it.
  virtual void publish_in_order(socketio::BroadcastPtr message, TimePoint /*now*/) { publish(*message); }

  // See socketio::ClusterPort: namespaces beside those of the options.
  virtual void open_namespace(unsigned shard, std::string_view name_space) = 0;
  virtual void close_namespace(unsigned shard, std::string_view name_space) = 0;

  // See socketio::ClusterPort. `done` is called when messages for the room arrive here; at once while the link is not
  // ready, and when it stops being ready. `shard` is below shards_max; opening what is open already is harmless.
  virtual void open_room(unsigned shard, std::string_view name_space, std::string_view room, Task done) = 0;
  virtual void await_room(std::string_view name_space, std::string_view room, Task done) = 0;
  virtual void close_room(unsigned shard, std::string_view name_space, std::string_view room) = 0;

  // The part of the other nodes in an operation. `done` runs once, perhaps before this returns: with what those said that
  // answered in time, and how many did not (OperationResult::missing_servers). With join, leave and disconnect nobody
  // answers: it runs when the message is with the link.
  virtual void operate(socketio::OperationPtr operation, socketio::OperationDone done, TimePoint now) = 0;

  virtual const Statistics& statistics() const = 0;

  // Requests that are not answered in time.
  virtual TimePoint next_deadline() const = 0;
  virtual void on_time(TimePoint now) = 0;
};

}  // namespace carillon::cluster
