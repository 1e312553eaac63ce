// The shard that a Socket.IO core lives on, as the core sees it.
#pragma once

#include "base/task.hpp"

namespace carillon::socketio {

class ShardPort {
 public:
  virtual ~ShardPort() = default;
  // Runs the task on the shard, later. Any thread; tasks of one thread keep their order.
  virtual void post(Task task) = 0;
  // Whether the calling thread is the shard's.
  virtual bool is_current() const = 0;
};

}  // namespace carillon::socketio
