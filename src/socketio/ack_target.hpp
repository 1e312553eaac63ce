// Where an Ack goes to: one event of one socket, wherever the Ack is called.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include <carillon/args.hpp>

#include "socketio/packet.hpp"
#include "socketio/shard_link.hpp"

namespace carillon::socketio {

class SocketCore;

// Any thread, and longer than the server; the socket itself is touched on its shard only.
class AckTarget {
 public:
  AckTarget(std::weak_ptr<SocketCore> socket, std::shared_ptr<ShardLink> shard, const PacketFormat& format,
            std::string name_space, std::uint64_t id)
      : socket_(std::move(socket)),
        shard_(std::move(shard)),
        format_(format),
        name_space_(std::move(name_space)),
        id_(id) {}

  void send(const Args& args);

 private:
  std::weak_ptr<SocketCore> socket_;
  std::shared_ptr<ShardLink> shard_;
  PacketFormat format_;
  std::string name_space_;
  std::uint64_t id_;
  std::atomic<bool> sent_ = false;
};

}  // namespace carillon::socketio
