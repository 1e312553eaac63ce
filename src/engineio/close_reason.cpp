#include "engineio/close_reason.hpp"

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
    case CloseReason::connect_timeout:
      return "connect_timeout";
    case CloseReason::taken_over:
      return "taken_over";
    case CloseReason::shutting_down:
      return "shutting_down";
  }
  return "unknown";
}

}  // namespace carillon::engineio
