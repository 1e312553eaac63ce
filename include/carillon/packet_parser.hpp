// What Socket.IO packets look like on the wire.
#pragma once

#include <cstdint>

namespace carillon {

// Server and clients have to use the same.
enum class PacketParser : std::uint8_t {
  json,     // the default of all clients
  msgpack,  // clients with the parser of the npm package socket.io-msgpack-parser
};

}  // namespace carillon
