// What the application hears when a session ends.
#pragma once

#include <carillon/socket.hpp>

#include "engineio/close_reason.hpp"

namespace carillon::socketio {

// In the words that the reference server has for it, or the nearest where it has none.
DisconnectReason disconnect_reason_of(engineio::CloseReason reason);

}  // namespace carillon::socketio
