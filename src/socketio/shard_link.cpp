#include "socketio/shard_link.hpp"

#include <utility>

namespace carillon::socketio {

void ShardLink::run(Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (shard_ == nullptr) return;
    if (!shard_->is_current()) return shard_->post(std::move(task));
  }
  task();  // on the shard's thread, which outlives the call
}

void ShardLink::close() {
  const std::lock_guard lock(mutex_);
  shard_ = nullptr;
}

}  // namespace carillon::socketio
