// A client on its way back: what it brings, and what has been found for it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <carillon/value.hpp>

#include "socketio/recovery_offset.hpp"
#include "socketio/recovery_store.hpp"

namespace carillon::socketio {

inline constexpr std::size_t pid_characters = 20;  // 120 random bits: who knows it is the client, or was told by it

// Lives in the connecting socket.
struct RecoveryAttempt {
  std::string pid;
  std::optional<RecoveryOffset> offset;  // none: it has had no event
  std::string identity;                  // whose session that is
  std::optional<StoredSession> session;  // when it has been taken
};

// From the auth of a CONNECT; none if it does not ask for recovery, or in a form that is none.
std::unique_ptr<RecoveryAttempt> read_attempt(const Value& auth);

}  // namespace carillon::socketio
