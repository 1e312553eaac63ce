// The way to a shard for those who may outlive it: acknowledgements and middleware that the application still holds.
#pragma once

#include <mutex>

#include "base/task.hpp"
#include "socketio/shard_port.hpp"

namespace carillon::socketio {

// Any thread. Shared by the shard's server and by all that lead back to it.
class ShardLink {
 public:
  explicit ShardLink(ShardPort& shard) : shard_(&shard) {}

  // Runs the task on the shard: at once on its own thread, otherwise later. Nothing happens when the shard is gone.
  void run(Task task);
  // The shard is about to go; it no longer runs.
  void close();

 private:
  std::mutex mutex_;
  ShardPort* shard_;  // null: gone. Guarded by mutex_
};

}  // namespace carillon::socketio
