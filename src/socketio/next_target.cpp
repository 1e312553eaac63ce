#include "socketio/next_target.hpp"

#include "socketio/packet.hpp"
#include "socketio/socket_core.hpp"

namespace carillon {

namespace socketio {

void NextTarget::resume(std::optional<ConnectError> error) {
  if (error) {
    check_text(error->message);
    check_text(to_json(error->data));
  }
  if (called_.exchange(true)) return;
  shard_->run([socket = socket_, index = index_, error = std::move(error)]() mutable {
    if (const auto target = socket.lock()) target->resume(index, std::move(error));
  });
}

}  // namespace socketio

void Next::resume(std::optional<ConnectError> error) const { target_->resume(std::move(error)); }

}  // namespace carillon
