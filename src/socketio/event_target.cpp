#include "socketio/event_target.hpp"

#include "socketio/socket_core.hpp"

namespace carillon {

namespace socketio {

void EventTarget::resume(std::optional<EventError> error) {
  if (called_.exchange(true)) return;
  shard_->run([socket = socket_, event = event_, index = index_, error = std::move(error)]() mutable {
    if (const auto target = socket.lock()) target->resume_event(std::move(event), index, std::move(error));
  });
}

}  // namespace socketio

void EventNext::resume(std::optional<EventError> error) const { target_->resume(std::move(error)); }

}  // namespace carillon
