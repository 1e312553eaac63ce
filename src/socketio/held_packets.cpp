#include "socketio/held_packets.hpp"

#include <utility>

namespace carillon::socketio {

// Nearly always the first one.
bool HeldPackets::take(const Broadcast& message) {
  for (std::size_t i = first_; i < packets_.size(); ++i) {
    if (packets_[i].awaits != &message) continue;
    packets_[i] = {};
    return true;
  }
  return false;
}

HeldPackets::Packet* HeldPackets::next() {
  while (!empty() && packets_[first_].awaits == nullptr) {
    if (packets_[first_].frames) return &packets_[first_];
    pop();
  }
  return nullptr;
}

void HeldPackets::pop() {
  packets_[first_] = {};
  ++first_;
  if (!empty()) return;
  packets_.clear();
  first_ = 0;
}

}  // namespace carillon::socketio
