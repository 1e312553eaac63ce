// A client's packet, decoded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <carillon/args.hpp>

#include "socketio/packet.hpp"

namespace carillon::socketio {

// Complete, and of the shape that its type asks for. Refers to the message, to the decoder (until its next message) and
// to itself, so it stays where it is.
struct IncomingPacket {
  IncomingPacket() = default;
  IncomingPacket(const IncomingPacket&) = delete;
  IncomingPacket& operator=(const IncomingPacket&) = delete;

  PacketType type = PacketType::connect;  // connect, disconnect, event or ack
  std::string_view name_space = "/";
  std::optional<std::uint64_t> id;
  std::optional<std::string_view> event;  // an event's name; none in an event without data, which means nothing
  Args args;                              // of an event or an acknowledgement
  Value auth;                             // of a CONNECT: an object

  // What the members above refer to, where the message does not have it as it is needed.
  std::string text;
  std::string name;
};

}  // namespace carillon::socketio
