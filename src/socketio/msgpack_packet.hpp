// Socket.IO v5 packets in MessagePack: each is one binary message, with its binary data inside.
//
//   packet = { "type": integer, "nsp": text, "data": any, "id": integer }      ; in any order, others are ignored
//   type   = 0 connect / 1 disconnect / 2 event / 3 ack / 4 connect error
//   data   = map (connect) / none (disconnect) / array (event, ack) / map or text (connect error)
//
// "data" and "id" may be missing or undefined. Source: the npm package socket.io-msgpack-parser 3, which checks as much;
// beyond it: nothing but UTF-8 in "nsp", ids from 0 to 2^53-1, events that are named by text or a number.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <carillon/args.hpp>

#include "socketio/incoming_packet.hpp"

namespace carillon::socketio {

namespace msgpack {

// Fills in `packet`, which is new and refers to `message`.
Result<void, PacketError> decode_packet(std::string_view message, IncomingPacket& packet);

// What packet.hpp says of each; `id` and `offset` exclude each other.
engineio::FramesPtr encode_event(std::string_view name_space, std::string_view event, const Args& args,
                                 std::optional<std::uint64_t> id = std::nullopt, std::string_view offset = {});
engineio::FramesPtr encode_ack(std::string_view name_space, std::uint64_t id, const Args& args);
engineio::FramesPtr encode_control(PacketType type, std::string_view name_space, const Value* data);
Result<engineio::FramesPtr, MsgpackError> encode_event_data(std::string_view name_space, std::string_view data,
                                                            std::string_view offset = {});

}  // namespace msgpack

}  // namespace carillon::socketio
