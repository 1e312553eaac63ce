// Where an EventNext goes to: one event on its way through the socket's middleware, wherever it is called.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <carillon/socket.hpp>

#include "socketio/shard_link.hpp"

namespace carillon::socketio {

class SocketCore;

// Owns its bytes: a middleware may take its time. Immutable once it is on its way; on the socket's shard.
struct HeldEvent {
  std::string name;
  Args args;
  std::optional<std::uint64_t> ack_id;
};

// Any thread, and longer than the server; the socket itself is touched on its shard only.
class EventTarget {
 public:
  EventTarget(std::weak_ptr<SocketCore> socket, std::shared_ptr<const HeldEvent> event, std::size_t index,
              std::shared_ptr<ShardLink> shard)
      : socket_(std::move(socket)), event_(std::move(event)), index_(index), shard_(std::move(shard)) {}

  void resume(std::optional<EventError> error);

 private:
  std::weak_ptr<SocketCore> socket_;
  std::shared_ptr<const HeldEvent> event_;
  std::size_t index_;
  std::shared_ptr<ShardLink> shard_;
  std::atomic<bool> called_ = false;
};

}  // namespace carillon::socketio
