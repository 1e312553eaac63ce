// What a socket has more where clients are recovered by the stream.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "socketio/held_packets.hpp"
#include "socketio/stream_offset.hpp"

namespace carillon::socketio {

// Lives in the socket, on its shard.
struct SocketStream {
  struct Arrival {
    engineio::FramesPtr frames;
    StreamOffset entry;  // none: it has none
  };

  std::string pid;    // empty: not recovered
  std::string owner;  // of its record
  HeldPackets held;
  StreamOffset proven;                 // the client has everything up to here
  std::optional<StreamOffset> pinged;  // sent before a ping that has no pong yet
  StreamOffset upto;                   // of what it has got from the history: entries up to here do not come again
  std::vector<Arrival> arrivals;       // while it is catching up: what has got its place in the stream meanwhile
  std::size_t arrivals_bytes = 0;
  std::size_t renew_place = 0;  // in StreamShard's list
  bool is_catching_up = false;  // it gets its history before anything else
  bool write_posted = false;    // its record is going to be written

  // What is sent now has to wait.
  bool holds() const { return is_catching_up || !held.empty(); }
};

}  // namespace carillon::socketio
