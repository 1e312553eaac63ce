// Sessions of clients that may come back, as they lie in Redis (@socket.io/redis-streams-adapter 0.3).
//
//   key    = prefix pid                               ; "sio:session:..."
//   value  = base64( MessagePack record )
//   record = { "sid": text, "pid": text, "rooms": [ *text ], "data": any }                      ; as published
//          / { "owner": 16 characters, "sid", "pid", "rooms", "data",
//              "nsp": text, "identity": text, "node": text, "proven": offset }                   ; ours
//
// Published servers pass over members that they do not know. The owner comes first, so that the first 32 characters of a value say
// whose it is (its mark), and a script in Redis compares them. Of a published server's value they hold the sid.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "socketio/session_port.hpp"

namespace carillon::cluster {

std::string encode_session(const socketio::SessionRecord& record);
// None if it is no record, or one for another pid.
std::optional<socketio::SessionRecord> decode_session(std::string_view pid, std::string_view value);

// By which a value is known to be the same record, perhaps renewed.
std::string mark_of(std::string_view value);
// The mark of what encode_session() makes for this owner, who has 16 characters.
std::string mark_of_owner(std::string_view owner);

}  // namespace carillon::cluster
