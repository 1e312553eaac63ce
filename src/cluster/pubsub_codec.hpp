// Messages of the classic Redis adapter (@socket.io/redis-adapter 8, @socket.io/redis-emitter 5).
//
//   channel = key "#" namespace "#"            ; broadcasts to no room or to several: everyone listens
//           / key "#" namespace "#" room "#"   ; broadcasts to exactly one room
//   body    = msgpack [ uid, packet, opts ]
//   packet  = { "type": 2, "data": [ event, *argument ], "nsp": namespace }     ; nsp missing: "/"
//   opts    = { "rooms": [ *room ], "except": [ *room ], "flags": { "volatile": bool, "compress": bool, ... } }
//
// The order of members is free, unknown ones are ignored. The uid is six characters of A-Za-z0-9-_ for a server's
// namespace, "emitter" for an emitter. The type stays 2 with binary data; old emitters say 5. Receivers go by opts,
// not by the channel. Source: the published packages; bytes captured from them are in the unit tests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cluster/statistics.hpp"
#include "socketio/broadcast.hpp"

namespace carillon::cluster {

inline constexpr std::string_view emitter_uid = "emitter";

// "key#/#" and "key#/#room#".
std::string base_channel(std::string_view key, std::string_view name_space);
std::string room_channel(std::string_view key, std::string_view name_space, std::string_view room);

// Where a broadcast is published: to the room's channel if there is exactly one, otherwise to the base channel.
std::string channel_of(std::string_view key, const socketio::Broadcast& message);

// The body, from the broadcast's event and arguments. None if they are nested deeper than json_depth_max.
std::optional<std::string> encode_broadcast(std::string_view uid, const socketio::Broadcast& message);

// A message with its data still encoded. Borrowed from the body, apart from the rooms.
struct IncomingBroadcast {
  std::string_view name_space;
  std::string_view data;  // msgpack: an array that starts with the event's name; the rest of it is unchecked
  std::vector<std::string> rooms;
  std::vector<std::string> except;
  BroadcastFlags flags;
};

// The sender's uid, without looking at the rest.
Result<std::string_view, Malformed> decode_uid(std::string_view body);
// Fills `out`, whose vectors are reused.
Result<void, Malformed> decode_broadcast(std::string_view body, IncomingBroadcast& out);
// Ready to deliver: encodes the packet for clients.
Result<socketio::BroadcastPtr, Malformed> to_broadcast(const socketio::PacketFormat& format,
                                                       IncomingBroadcast&& message);

}  // namespace carillon::cluster
