// SocketCore: from an event of the client to the application's handlers.
#include <utility>

#include "socketio/ack_target.hpp"
#include "socketio/application_call.hpp"
#include "socketio/client.hpp"
#include "socketio/decoder.hpp"
#include "socketio/event_target.hpp"
#include "socketio/namespace_core.hpp"
#include "socketio/server_core.hpp"
#include "socketio/socket_core.hpp"
#include "socketio/socket_extras.hpp"

namespace carillon::socketio {

SocketExtras& SocketCore::extras() {
  if (!extras_) extras_ = std::make_unique<SocketExtras>();
  return *extras_;
}

void SocketCore::on_event(const IncomingPacket& packet) {
  if (!packet.event) return;
  stats().events_received.add();
  if (extras_ == nullptr) return dispatch(*packet.event, packet.args, packet.id);
  extras_->incoming.call(stats(), "any event, here", *packet.event, packet.args);
  if (extras_ == nullptr || extras_->middlewares.empty()) return dispatch(*packet.event, packet.args, packet.id);
  run_event_middleware(std::make_shared<HeldEvent>(std::string(*packet.event), packet.args, packet.id), 0);
}

void SocketCore::run_event_middleware(std::shared_ptr<const HeldEvent> event, std::size_t index) {
  if (state_ != State::connected) return;
  if (index == extras_->middlewares.size()) return dispatch(event->name, event->args, event->ack_id);
  const auto middleware = extras_->middlewares[index];  // the list may grow meanwhile
  const auto next = std::make_shared<EventTarget>(weak_from_this(), event, index, namespace_.server().shard_link());
  const bool returned = call_application(stats(), "middleware of event", event->name,
                                         [&] { (*middleware)(event->name, event->args, EventNext(next)); });
  // Fails closed. Where it had answered before it threw, its answer stands.
  if (!returned) next->resume(EventError{"Internal server error", nullptr});
}

void SocketCore::resume_event(std::shared_ptr<const HeldEvent> event, std::size_t index,
                              std::optional<EventError> error) {
  if (state_ != State::connected) return;
  if (!error) return run_event_middleware(std::move(event), index + 1);
  stats().events_refused.add();
  tell_error(*error);
}

void SocketCore::tell_error(const EventError& error) {
  if (!extras_) return;
  const auto keep = shared_from_this();
  const auto handlers = extras_->error_handlers;  // they may add others, or end the socket
  for (const auto& handler : handlers)
    call_application(stats(), "errors of", namespace_.name(), [&] { handler(error); });
}

void SocketCore::dispatch(std::string_view event, const Args& args, std::optional<std::uint64_t> ack_id) {
  if (state_ != State::connected) return;  // a catch-all handler has ended it
  Ack ack;
  Listeners::Walk walk(listeners_, event);
  while (const auto handler = walk.next()) {
    if (ack_id && !ack)
      ack = Ack(std::make_shared<AckTarget>(weak_from_this(), namespace_.server().shard_link(),
                                            namespace_.server().format(), namespace_.name(), *ack_id));
    call_application(stats(), "event", event, [&] { (*handler)(args, ack); });
  }
}

// --- catch-all handlers of what is sent ---

bool SocketCore::watches_outgoing() const { return extras_ && !extras_->outgoing.empty(); }

void SocketCore::tell_outgoing(std::string_view event, const Args& args) {
  const auto keep = shared_from_this();
  if (watches_outgoing()) extras_->outgoing.call(stats(), "any event, to the client,", event, args);
}

void SocketCore::change_outgoing(const std::function<void(CatchAll&)>& change) {
  if (state_ == State::disconnected) return;
  const bool watched = watches_outgoing();
  change(extras().outgoing);
  if (watches_outgoing() != watched) namespace_.count_watchers(watched ? -1 : 1);
}

// --- the transport ---

std::string_view SocketCore::transport() const {
  switch (session_.transport()) {
    case engineio::TransportName::polling:
      return "polling";
    case engineio::TransportName::websocket:
      return "websocket";
  }
  return "";
}

void SocketCore::on_upgraded() {
  if (!extras_) return;
  const auto keep = shared_from_this();
  const auto handlers = extras_->upgrade_handlers;
  for (const auto& handler : handlers)
    call_application(stats(), "upgrade in", namespace_.name(), [&] { handler(transport()); });
}

}  // namespace carillon::socketio
