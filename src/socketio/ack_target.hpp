// Where an Ack goes to: one event of one socket, wherever the Ack is called.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include <carillon/args.hpp>

#include "socketio/shard_port.hpp"

namespace carillon::socketio {

class SocketCore;

// Any thread; the socket itself is touched on its shard only.
class AckTarget {
 public:
  AckTarget(std::weak_ptr<SocketCore> socket, ShardPort& shard, std::string name_space, std::uint64_t id)
      : socket_(std::move(socket)), shard_(shard), name_space_(std::move(name_space)), id_(id) {}

  void send(const Args& args);

 private:
  std::weak_ptr<SocketCore> socket_;
  ShardPort& shard_;
  std::string name_space_;
  std::uint64_t id_;
  std::atomic<bool> sent_ = false;
};

}  // namespace carillon::socketio
