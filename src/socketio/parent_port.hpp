// Where broadcasts of a parent namespace go to: to each of its children on this node.
#pragma once

#include <cstddef>

#include "socketio/broadcast.hpp"
#include "socketio/namespace_registry.hpp"

namespace carillon::socketio {

// Any thread.
class ParentPort final : public BroadcastPort {
 public:
  // `node` and `registry` outlive it. `node` runs what one thread's calls have led to on one shard.
  ParentPort(BroadcastPort& node, const NamespaceRegistry& registry, std::size_t parent)
      : node_(node), registry_(registry), parent_(parent) {}

  void broadcast(BroadcastPtr message) override;
  PacketFormat packet_format() const override { return node_.packet_format(); }
  void operate(OperationPtr operation, OperationDone done) override;

 private:
  BroadcastPort& node_;
  const NamespaceRegistry& registry_;
  std::size_t parent_;
};

}  // namespace carillon::socketio
