// Packets for one client that wait for broadcasts of this node to find their place in the stream.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "engineio/frames.hpp"

namespace carillon::socketio {

struct Broadcast;

// A broadcast goes when it has its place, whatever is before it here: the order of the stream is that of its events. What
// has no place in the stream goes when nothing that was sent before it waits any longer. Owned by one shard, like the
// socket that it is in.
class HeldPackets {
 public:
  struct Packet {
    engineio::FramesPtr frames{};
    std::size_t offset_at = 0;  // where the current offset goes when it is sent; 0: nowhere
    bool is_volatile = false;
    const Broadcast* awaits = nullptr;  // its place in the stream; null: it has none, and waits for its turn
  };

  bool empty() const { return first_ == packets_.size(); }
  void push(Packet packet) { packets_.push_back(std::move(packet)); }

  // The broadcast has its place: whether it was still held. The caller sends it.
  bool take(const Broadcast& message);

  // The first packet, if it waits for nothing any more; null otherwise.
  Packet* next();
  void pop();

  // Visits all of them, whatever they wait for, and is empty then.
  template <class Visitor>
  void take_all(Visitor visit) {
    const std::vector<Packet> packets = std::exchange(packets_, {});
    for (std::size_t i = std::exchange(first_, 0); i < packets.size(); ++i)
      if (packets[i].frames) visit(packets[i]);
  }

 private:
  std::vector<Packet> packets_;  // without frames: taken
  std::size_t first_ = 0;        // those before are gone
};

}  // namespace carillon::socketio
