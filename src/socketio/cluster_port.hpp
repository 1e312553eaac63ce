// What the Socket.IO layer asks of a cluster. The adapter behind it is in cluster/; without one there is a single node.
#pragma once

#include <string_view>

#include "base/task.hpp"
#include "socketio/broadcast.hpp"

namespace carillon::socketio {

// Called on the shard that owns the rooms; calls of one shard keep their order.
class ClusterPort {
 public:
  virtual ~ClusterPort() = default;

  // A broadcast of this node, for the others. Local members have already got it.
  virtual void publish(BroadcastPtr message) = 0;

  // A namespace that was not there at the start has come to be on this shard, or is gone from it, and with it its rooms.
  virtual void open_namespace(std::string_view name_space) = 0;
  virtual void close_namespace(std::string_view name_space) = 0;

  // The first member of a room appeared on this shard. `done` runs on the same shard once messages of other nodes for
  // the room arrive here: when Redis has confirmed the subscription, or at once while Redis is away.
  virtual void open_room(std::string_view name_space, std::string_view room, Task done) = 0;
  // Somebody else joins a room that is open already; `done` as above.
  virtual void await_room(std::string_view name_space, std::string_view room, Task done) = 0;
  // The last member left.
  virtual void close_room(std::string_view name_space, std::string_view room) = 0;
};

}  // namespace carillon::socketio
