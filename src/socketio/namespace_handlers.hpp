// What the application has registered for a namespace.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <carillon/namespace.hpp>

namespace carillon::socketio {

// Written before the server starts, read by all shards afterwards.
struct NamespaceHandlers {
  std::vector<Middleware> middlewares;
  std::vector<ConnectionHandler> connection_handlers;
  std::vector<std::pair<std::string, ServerEventHandler>> server_event_handlers;  // by event
  std::vector<AnyServerEventHandler> any_server_event_handlers;
};

using NamespaceTable = std::map<std::string, std::shared_ptr<NamespaceHandlers>, std::less<>>;

}  // namespace carillon::socketio
