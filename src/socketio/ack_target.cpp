#include "socketio/ack_target.hpp"

#include <carillon/ack.hpp>

#include "socketio/packet.hpp"
#include "socketio/socket_core.hpp"

namespace carillon {

namespace socketio {

void AckTarget::send(const Args& args) {
  check_text(args);
  if (sent_.exchange(true)) return;
  shard_->run([socket = socket_, frames = encode_ack(format_, name_space_, id_, args)] {
    const auto target = socket.lock();
    if (target && target->state() == SocketCore::State::connected) target->send(frames);
  });
}

}  // namespace socketio

void Ack::send(const Args& args) const {
  if (target_) target_->send(args);
}

}  // namespace carillon
