// Sockets as servers describe them to each other, in answers to fetchSockets.
//
//   socket    = { "id": text, "handshake": handshake, "rooms": [ *text ], "data": any }
//   handshake = { "headers": { *name: value }, "time": text, "address": text, "xdomain": bool, "secure": bool,
//                 "issued": number, "url": text, "query": { *name: value }, "auth": any }
//
// `issued` is milliseconds since 1970, `time` the same moment as JavaScript's Date.toString() writes it. Missing members
// are empty, unknown ones are ignored. Source: the published socket.io and its adapters.
#pragma once

#include <optional>

#include <carillon/remote_socket.hpp>
#include <carillon/value.hpp>

namespace carillon::cluster {

enum class Handshakes : bool { whole, redacted };  // redacted: empty headers and query, no auth

Value to_value(const RemoteSocket& socket, Handshakes handshakes);
// None if it has no id.
std::optional<RemoteSocket::Facts> to_facts(const Value& socket);

}  // namespace carillon::cluster
