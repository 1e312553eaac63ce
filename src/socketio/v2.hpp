// What clients of Socket.IO v2 (on Engine.IO 3) get otherwise than later ones. Their packets are those of version 5 as
// JSON, but
//
//   CONNECT        from the client: the query behind the namespace is its auth, "0/admin?token=abc"; to the client: no data
//   CONNECT_ERROR  the data of the error alone, or else its message
//   "/"            is joined unasked, as soon as there is a connection
//   socket ids     the client makes them up itself: the Engine.IO session's id in "/", "/admin#" and that id elsewhere
//
// Source: the published server (socket.io 4 with allowEIO3) and client (socket.io-client 2).
#pragma once

#include <string>
#include <string_view>

#include <carillon/namespace.hpp>
#include <carillon/value.hpp>

#include "engineio/session.hpp"
#include "socketio/incoming_packet.hpp"

namespace carillon::socketio::v2 {

bool is_spoken_by(const engineio::Session& session);

// Takes the query off the namespace; in a CONNECT it becomes the auth.
void adapt(IncomingPacket& packet);

std::string socket_id(std::string_view name_space, std::string_view session_id);

Value error_data(const ConnectError& error);

}  // namespace carillon::socketio::v2
