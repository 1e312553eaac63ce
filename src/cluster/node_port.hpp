// What the cluster's adapter asks of its own node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "socketio/broadcast.hpp"

namespace carillon::cluster {

inline constexpr unsigned shards_max = 64;  // a mask has a bit for each
inline constexpr std::uint64_t every_shard = ~std::uint64_t{0};

// Implemented by the node and by tests. Called on the backplane's shard, and calls back there.
class NodePort {
 public:
  virtual ~NodePort() = default;

  // A broadcast of another node. Bit N of the mask: shard N holds one of the rooms (every_shard for a broadcast to
  // everyone). Nobody else may share the message yet, as with BroadcastPort.
  virtual void deliver(socketio::BroadcastPtr message, std::uint64_t shard_mask) = 0;
  // A broadcast of this node that awaits its entry (see Broadcast) may go, as these frames; in order with deliver(). The
  // entry is none where it has none, or where it is not known.
  virtual void release(socketio::BroadcastPtr /*message*/, engineio::FramesPtr /*frames*/,
                       const socketio::StreamOffset& /*entry*/) {}
  // Everything up to there has been given to deliver() and release(). `stream`: see stream_index().
  virtual void on_stream_position(std::size_t /*stream*/, const socketio::StreamOffset& /*position*/) {}
  // Messages of other nodes may have been lost.
  virtual void on_gap() {}
  // The format in which the messages are to be.
  virtual socketio::PacketFormat packet_format() const { return {}; }
  // For the RemoteSockets that come from other nodes.
  virtual socketio::BroadcastPort& broadcasts() = 0;

  // Another node asks: done with the matching sockets of this node alone, all shards. `done` runs once and after this
  // has returned, unless the node stops. Kinds: fetch, join, leave, disconnect, all_rooms.
  virtual void perform(socketio::OperationPtr operation, socketio::OperationDone done) = 0;

  // A broadcast with acknowledgements of another node, whose answers are passed on one by one.
  struct AckCalls {
    std::move_only_function<void(std::size_t)> clients;  // how many have got it; once, before or between the answers
    std::move_only_function<void(const Args&)> answer;   // of one client
  };
  // Kind emit_with_ack, without a message: the node makes it, of the selection, the event and the args. An answer that
  // does not come within flags.timeout does not come at all. False: it cannot be sent to clients (a reserved event).
  virtual bool perform_with_acks(const socketio::Operation& operation, AckCalls calls) = 0;

  // serverSideEmit of another node. `answer` (null: none is wanted) is called at most once.
  using ServerAnswer = std::move_only_function<void(Value)>;
  virtual void on_server_event(std::string_view name_space, std::string event, Args args, ServerAnswer answer) = 0;
};

}  // namespace carillon::cluster
