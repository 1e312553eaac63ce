#include "socketio/disconnect_reason.hpp"

namespace carillon::socketio {

DisconnectReason disconnect_reason_of(engineio::CloseReason reason) {
  using engineio::CloseReason;
  switch (reason) {
    case CloseReason::transport_close:
      return DisconnectReason::transport_close;
    case CloseReason::transport_error:
      return DisconnectReason::transport_error;
    case CloseReason::ping_timeout:
      return DisconnectReason::ping_timeout;
    case CloseReason::parse_error:
      return DisconnectReason::parse_error;
    case CloseReason::forced_close:
    case CloseReason::rate_limited:
      return DisconnectReason::forced_close;
    case CloseReason::slow_consumer:
    case CloseReason::overloaded:
      return DisconnectReason::transport_error;
    case CloseReason::connect_timeout:
      return DisconnectReason::forced_close;
    case CloseReason::taken_over:
      return DisconnectReason::transport_close;
    case CloseReason::shutting_down:
      return DisconnectReason::server_shutting_down;
  }
  return DisconnectReason::transport_close;
}

}  // namespace carillon::socketio
