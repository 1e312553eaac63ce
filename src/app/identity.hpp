// Who a client is, with auth.mode "none": whom it says it is.
#pragma once

#include <optional>
#include <string>

#include <carillon/notifier.hpp>
#include <carillon/server.hpp>
#include <carillon/value.hpp>

#include "base/result.hpp"

namespace carillon::app {

// The user's id in the auth of a handshake: 1 to 256 bytes of UTF-8 without control characters; a whole number counts
// as its digits. None when there is no `userId` at all. The error is a sentence for the client.
Result<std::optional<std::string>, std::string> user_id(const Value& auth);

// As user_id(), of `deviceId`: the device whose place in the inbox is kept.
Result<std::optional<std::string>, std::string> device_id(const Value& auth);
// What a handshake that identify_users() has let pass says about its device: `deviceId`, `ack`.
NotifiedDevice device_of(const Handshake& handshake);

// Sockets of "/" with an identity join the room "user:<id>" before they hear that they are connected; anything but an
// id refuses the connection. Socket.IO v2 clients say it in the query of their connection. Before Server::start().
void identify_users(Server& server);

}  // namespace carillon::app
