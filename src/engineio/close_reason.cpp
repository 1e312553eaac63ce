#include "engineio/close_reason.hpp"

#include "websocket/frame.hpp"

namespace carillon::engineio {

std::string_view to_string(CloseReason reason) {
  switch (reason) {
    case CloseReason::transport_close:
      return "transport_close";
    case CloseReason::transport_error:
      return "transport_error";
    case CloseReason::ping_timeout:
      return "ping_timeout";
    case CloseReason::parse_error:
      return "parse_error";
    case CloseReason::forced_close:
      return "forced_close";
    case CloseReason::slow_consumer:
      return "slow_consumer";
    case CloseReason::overloaded:
      return "overloaded";
    case CloseReason::rate_limited:
      return "rate_limited";
    case CloseReason::connect_timeout:
      return "connect_timeout";
    case CloseReason::taken_over:
      return "taken_over";
    case CloseReason::shutting_down:
      return "shutting_down";
  }
  return "unknown";
}

std::optional<std::uint16_t> websocket_code(CloseReason reason) {
  switch (reason) {
    case CloseReason::transport_close:
    case CloseReason::transport_error:
    case CloseReason::ping_timeout:
    case CloseReason::parse_error:
    case CloseReason::forced_close:
    case CloseReason::connect_timeout:
    case CloseReason::taken_over:
    case CloseReason::shutting_down:
      return websocket::close_code::none;
    case CloseReason::rate_limited:
      return websocket::close_code::policy;
    case CloseReason::slow_consumer:
    case CloseReason::overloaded:
      return std::nullopt;
  }
  return websocket::close_code::none;
}

}  // namespace carillon::engineio
