// A client on its way back: what it brings, and what has been found for it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <carillon/value.hpp>

#include "socketio/recovery_offset.hpp"
#include "socketio/recovery_store.hpp"
#include "socketio/session_port.hpp"

namespace carillon::socketio {

inline constexpr std::size_t pid_characters = 20;  // 120 random bits: who knows it is the client, or was told by it

// Lives in the connecting socket.
struct RecoveryAttempt {
  std::string pid;
  std::optional<RecoveryOffset> offset;  // none: it has had no event
  std::string identity;                  // whose session that is
  std::optional<StoredSession> session;  // when it has been taken

  // By the stream:
  std::optional<StreamOffset> entry;    // none: it has had no event
  std::optional<SessionRecord> record;  // whose session that is
};

// From the auth of a CONNECT; none if it does not ask for recovery, or in a form that is none.
std::unique_ptr<RecoveryAttempt> read_attempt(const Value& auth);
std::unique_ptr<RecoveryAttempt> read_stream_attempt(const Value& auth);

// What was kept of the socket's data, and over it what the middleware has set for the new connection.
Value merged(Value kept, Value fresh);

}  // namespace carillon::socketio
