// Requests and responses of the classic Redis adapter (@socket.io/redis-adapter 8, @socket.io/redis-emitter 5).
//
//   request channel  = key "-request#" namespace "#"
//   response channel = key "-response#" namespace "#" [ uid "#" ]
//   body             = JSON object, if its first byte is "{" / the same in msgpack
//
//   type                     request                                      each server's response
//   0 sockets                requestId, rooms[]             (old servers) requestId, sockets[ id ]
//   1 all rooms              requestId                                    requestId, rooms[]
//   2 join, 3 leave          opts, rooms[] / requestId, sid, room   (old) - / requestId
//   4 disconnect             opts, close / requestId, sid, close    (old) - / requestId
//   5 fetch                  requestId, opts                              requestId, sockets[ socket ]
//   6 server-side emit       data[ event, *argument ], requestId?         type 6, requestId, data
//   7 broadcast with acks    requestId, packet, opts      (msgpack)       type 8, requestId, clientCount; then for each
//                                                                         client type 9, requestId, packet (msgpack)
//
// Requests carry the sender's uid, those of emitters none ("emitter" in type 6). opts = { rooms[], except[], flags{} };
// socket: see remote_socket_codec.hpp. Data that holds binary makes a JSON message a msgpack one, here; the published
// adapter sends JSON. Source: the published packages; bytes captured from them are in the unit tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/value.hpp>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cluster/statistics.hpp"
#include "socketio/broadcast.hpp"

namespace carillon::cluster {

enum class PubSubRequestType : std::uint8_t {
  sockets = 0,
  all_rooms = 1,
  join = 2,
  leave = 3,
  disconnect = 4,
  fetch = 5,
  server_side_emit = 6,
  broadcast = 7,
};

// A request of another server or of an emitter.
struct PubSubRequest {
  PubSubRequestType type = PubSubRequestType::fetch;
  std::string uid;  // empty: an emitter's
  std::string id;   // empty: no answer is wanted
  // What to do: selection, target_rooms, close; event and args of a server-side emit. Of a broadcast the message is to be
  // made of `event` and `args`.
  socketio::Operation operation;
  bool legacy = false;  // join, leave, disconnect of one socket: confirmed by an empty response
};
Result<PubSubRequest, Malformed> decode_request(std::string_view name_space, std::string_view body);

// What another server answers.
struct PubSubResponse {
  std::string id;
  std::optional<std::int64_t> type;         // 8: clients; 9: packet
  std::optional<std::vector<Value>> items;  // sockets, or rooms
  bool is_whole = true;                     // false: some did not fit (answer_limit.hpp)
  std::optional<Value> data;                // of a server-side emit
  std::optional<Value> packet;              // type 9
  std::size_t clients = 0;                  // type 8
};
Result<PubSubResponse, Malformed> decode_response(std::string_view body);

// Of this server. Kinds: fetch, all_rooms, join, leave, disconnect, server_side_emit, emit_with_ack; `id` is empty where
// no answer is wanted. `ack_timeout`: of a broadcast that names none. None if the arguments are nested too deep.
std::optional<std::string> encode_request(std::string_view uid, std::string_view id,
                                          const socketio::Operation& operation, Milliseconds ack_timeout = {});
// `members` beside the requestId.
std::string encode_response(std::string_view id, Object members);

// Bytes that are JSON where they can be.
std::string encode_json_or_msgpack(const Value& value);
Result<Value, Malformed> decode_json_or_msgpack(std::string_view body);

}  // namespace carillon::cluster
