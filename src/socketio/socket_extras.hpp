// What few sockets have: made when it is first used, so that the others do not pay for it.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include <carillon/socket.hpp>

#include "socketio/catch_all.hpp"

namespace carillon::socketio {

// Owned by one socket.
struct SocketExtras {
  CatchAll incoming;
  CatchAll outgoing;
  std::vector<std::shared_ptr<EventMiddleware>> middlewares;  // none is ever removed
  std::vector<std::function<void(const EventError&)>> error_handlers;
  std::vector<std::function<void(DisconnectReason)>> disconnecting_handlers;
  std::vector<std::function<void(std::string_view)>> upgrade_handlers;
};

}  // namespace carillon::socketio
