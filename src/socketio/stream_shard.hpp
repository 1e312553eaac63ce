// One shard's part in recovery by the stream.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/timer_wheel.hpp"
#include "socketio/broadcast.hpp"
#include "socketio/session_port.hpp"

namespace carillon::socketio {

class NamespaceCore;
class ServerCore;
class SocketCore;

// Broadcasts of this node come twice: when they are emitted, to be held by those who get them, and when their place in the
// stream is known. What a shard is told of a stream, of this node and of others, it is told in the order of the stream.
// Owned by one shard.
class StreamShard {
 public:
  StreamShard(ServerCore& server, StreamRecovery& recovery);
  ~StreamShard();

  StreamRecovery& recovery() { return recovery_; }

  // It has been emitted: whoever is meant now, gets it.
  void hold(const BroadcastPtr& message);
  // An event to one socket alone.
  void hold_for(SocketCore& socket, const BroadcastPtr& message);
  // It may go, as these frames. `entry`: its place; none: it has none, or it is not known.
  void release(const Broadcast& message, const engineio::FramesPtr& frames, const StreamOffset& entry);

  // Where this shard is in a stream (see StreamRecovery::stream_of): everything up to there, it has been told of.
  void set_position(std::size_t stream, const StreamOffset& position);
  void note_entry(std::string_view name_space, const StreamOffset& entry);
  StreamOffset position(std::string_view name_space) const;

  // A socket that is to be recovered has connected: its record is renewed until it ends.
  void add(SocketCore& socket);
  void remove(SocketCore& socket);

 private:
  class RenewTimer;

  ServerCore& server_;
  StreamRecovery& recovery_;
  std::unordered_map<const Broadcast*, std::vector<std::weak_ptr<SocketCore>>> receivers_;  // of what is held
  std::vector<StreamOffset> positions_;                                                     // by stream
  std::vector<SocketCore*> renewed_;  // sockets whose records are renewed, one part after the other
  std::size_t next_renewed_ = 0;
  std::unique_ptr<RenewTimer> timer_;
};

}  // namespace carillon::socketio
