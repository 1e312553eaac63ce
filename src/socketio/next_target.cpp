#include "socketio/next_target.hpp"

#include "socketio/socket_core.hpp"

namespace carillon {

namespace socketio {

void NextTarget::resume(std::optional<ConnectError> error) {
  if (called_.exchange(true)) return;
  auto go_on = [socket = socket_, index = index_, error = std::move(error)]() mutable {
    if (const auto target = socket.lock()) target->resume(index, std::move(error));
  };
  if (shard_.is_current()) {
    go_on();
  } else {
    shard_.post(std::move(go_on));
  }
}

}  // namespace socketio

void Next::resume(std::optional<ConnectError> error) const { target_->resume(std::move(error)); }

}  // namespace carillon
