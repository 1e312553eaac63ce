// What is done with all matching sockets of the node and answered: acknowledgements of a broadcast, and so on.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "socketio/broadcast.hpp"

namespace carillon::socketio {

class ServerCore;

// Takes a part of the answer into the whole.
void add_to(OperationResult& sum, OperationResult part);

// Starts the operation on every shard and gives `done` the sum of their answers: see BroadcastPort::operate(). `home` is
// the index of the shard where it runs. Any thread.
void operate_on_shards(std::span<ServerCore* const> shards, std::size_t home, OperationPtr operation,
                       OperationDone done);

}  // namespace carillon::socketio
