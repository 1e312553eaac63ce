// One broadcast on its way to its receivers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <carillon/args.hpp>
#include <carillon/broadcast_operator.hpp>

#include "engineio/frames.hpp"

namespace carillon::socketio {

// Immutable and shared once built: shards get the same object.
struct Broadcast {
  std::string name_space = "/";
  std::vector<std::string> rooms;   // none: everyone
  std::vector<std::string> except;  // rooms, too; a socket's id is a room
  BroadcastFlags flags;
  engineio::FramesPtr frames;  // the packet, encoded for all receivers

  // For adapters, which encode it again; empty on a broadcast that came from another node.
  std::string event;
  Args args;
};

using BroadcastPtr = std::shared_ptr<const Broadcast>;

// Where a BroadcastOperator hands its broadcast to: the server, or the emitter. Any thread.
class BroadcastPort {
 public:
  virtual ~BroadcastPort() = default;
  virtual void broadcast(BroadcastPtr message) = 0;
};

// Builds a broadcast with its packet encoded. Throws std::invalid_argument for a reserved event name.
BroadcastPtr make_broadcast(std::string_view name_space, std::vector<std::string> rooms,
                            std::vector<std::string> except, BroadcastFlags flags, std::string_view event,
                            const Args& args);

}  // namespace carillon::socketio
