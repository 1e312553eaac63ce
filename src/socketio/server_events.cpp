#include "socketio/server_events.hpp"

#include <stdexcept>
#include <utility>

#include "socketio/application_call.hpp"
#include "socketio/packet.hpp"

namespace carillon {

namespace socketio {

void ServerEventTarget::answer(Value value) {
  check_text(to_json(value));
  if (!called_.exchange(true)) send_(std::move(value));
}

void call_server_event(const NamespaceHandlers& handlers, Stats& stats, std::string_view event, const Args& args,
                       std::shared_ptr<ServerEventTarget> target) {
  const ServerAnswer answer(std::move(target));
  for (const auto& handler : handlers.any_server_event_handlers)
    call_application(stats, "server-side event", event, [&] { handler(event, args, answer); });
  for (const auto& [name, handler] : handlers.server_event_handlers)
    if (name == event) call_application(stats, "server-side event", event, [&] { handler(args, answer); });
}

void check_server_event(std::string_view event, const Args& args) {
  if (event == "connect" || event == "connection" || event == "new_namespace")
    throw std::invalid_argument("'" + std::string(event) + "' is a reserved event name: choose another one");
  check_text(event);
  check_text(args);
}

}  // namespace socketio

void ServerAnswer::operator()(Value value) const {
  if (target_) target_->answer(std::move(value));
}

}  // namespace carillon
