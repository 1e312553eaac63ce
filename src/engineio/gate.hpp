// Who may have one more session.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.hpp"

namespace carillon::engineio {

// Implemented by runtime/. Asked before anything is spent on a handshake, and told of the sessions that there are. The
// addresses are those of HandshakeRequest.
class Gate {
 public:
  enum class Answer : std::uint8_t {
    come_in,
    too_many_sessions,    // of this address
    too_many_handshakes,  // of this address, lately
  };

  virtual ~Gate() = default;
  // Counts as a handshake.
  virtual Answer ask(std::string_view address, TimePoint now) = 0;
  virtual void opened(std::string_view address) = 0;
  virtual void closed(std::string_view address) = 0;
};

}  // namespace carillon::engineio
