// Who follows a socket with an identity from below its application: the inbox. Implemented by runtime/.
#pragma once

#include <memory>

namespace carillon::socketio {

class SocketCore;

// Belongs to one connected socket, on its shard; destroyed when the socket has left.
class SocketWatcher {
 public:
  virtual ~SocketWatcher() = default;
  // As engineio::SessionHandler has them.
  virtual void on_ping_sent() = 0;
  virtual void on_pong() = 0;
};

// One per shard.
class SocketWatchers {
 public:
  virtual ~SocketWatchers() = default;
  // A socket of "/" with an identity has been told that it is connected. Null: it is not followed.
  virtual std::unique_ptr<SocketWatcher> watch(SocketCore& socket) = 0;
};

}  // namespace carillon::socketio
