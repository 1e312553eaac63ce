// Where a middleware's Next goes to: one connecting socket, wherever it is called.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>

#include <carillon/namespace.hpp>

#include "socketio/shard_link.hpp"

namespace carillon::socketio {

class SocketCore;

// Any thread, and longer than the server; the socket itself is touched on its shard only.
class NextTarget {
 public:
  NextTarget(std::weak_ptr<SocketCore> socket, std::size_t index, std::shared_ptr<ShardLink> shard)
      : socket_(std::move(socket)), index_(index), shard_(std::move(shard)) {}

  void resume(std::optional<ConnectError> error);

 private:
  std::weak_ptr<SocketCore> socket_;
  std::size_t index_;
  std::shared_ptr<ShardLink> shard_;
  std::atomic<bool> called_ = false;
};

}  // namespace carillon::socketio
