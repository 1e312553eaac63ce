// Socket.IO packets, whatever they look like on the wire: what holds for all that are decoded and for all that are sent.
#pragma once

#include <string>
#include <vector>

#include "fuzz.hpp"
#include "socketio/broadcast.hpp"
#include "socketio/decoder.hpp"
#include "socketio/packet.hpp"

namespace carillon::fuzz {

inline constexpr socketio::PacketFormat json_format{.parser = PacketParser::json};
inline constexpr socketio::PacketFormat msgpack_format{.parser = PacketParser::msgpack};

// A packet that a server has written, as a client's decoder reads it.
struct Whole {
  socketio::IncomingPacket packet;
  std::vector<std::string> messages;  // what the packet refers to
};
void decode_whole(const socketio::PacketFormat& format, const engineio::Frames& frames, Whole& whole);

// Of the shape that its type asks for; not much larger than `bytes`, those of its messages; and when it is written again
// in either format it is decoded to the same.
void check_packet(const socketio::IncomingPacket& packet, std::size_t bytes);

// What a server sends of its own, made from the input, can be read by its clients.
void check_sent(const socketio::PacketFormat& format, Input& input);

// A broadcast that a server sends in the namespace "/n", of up to ten arguments, made from the whole input.
socketio::BroadcastPtr make_broadcast(Input& input);

// Names and texts that applications must not emit.
void check_refused(std::string_view bytes);

}  // namespace carillon::fuzz
