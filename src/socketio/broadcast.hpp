// One broadcast on its way to its receivers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <carillon/args.hpp>
#include <carillon/broadcast_operator.hpp>

#include "engineio/frames.hpp"
#include "socketio/packet.hpp"

namespace carillon::socketio {

// Immutable and shared once built: shards get the same object.
struct Broadcast {
  std::string name_space = "/";
  std::vector<std::string> rooms;   // none: everyone
  std::vector<std::string> except;  // rooms, too; a socket's id is a room
  BroadcastFlags flags;
  engineio::FramesPtr frames;  // the packet, encoded for all receivers
  std::size_t offset_at = 0;   // in the frames' bytes: where the recovery offset goes; 0: nowhere

  // For adapters, which encode it again; empty on a broadcast that came from another node.
  std::string event;
  Args args;
};

using BroadcastPtr = std::shared_ptr<const Broadcast>;

// Where a BroadcastOperator hands its broadcast to: the server, or the emitter. Any thread.
class BroadcastPort {
 public:
  virtual ~BroadcastPort() = default;
  // Nobody else may share the message yet: it is given its recovery offset, if there is a place for one.
  virtual void broadcast(BroadcastPtr message) = 0;
  // The format in which the packets of its broadcasts are to be.
  virtual PacketFormat packet_format() const { return {}; }
};

// Builds a broadcast with its packet encoded. Throws std::invalid_argument for a reserved event name.
BroadcastPtr make_broadcast(const PacketFormat& format, std::string_view name_space, std::vector<std::string> rooms,
                            std::vector<std::string> except, BroadcastFlags flags, std::string_view event,
                            const Args& args);
// The same from what another server has sent, see encode_event_data(). Fills in `frames`.
void encode_broadcast_data(const PacketFormat& format, Broadcast& message, std::string_view data_json,
                           const std::vector<Binary>& attachments);

}  // namespace carillon::socketio
