// Messages of the sharded and of the streams adapter (@socket.io/redis-adapter 8.3 createShardedAdapter,
// @socket.io/redis-streams-adapter 0.3), which say the same in different places.
//
//   message = { "type": number, "data": data, "uid": text, "nsp": namespace }
//
//   type                   data                                     each other server's answer
//    3 broadcast           packet, opts                             -
//    3 with acks           packet, requestId, opts                  11 requestId, clientCount; then for each client
//                                                                   12 requestId, packet (its first argument, or none)
//    4 join, 5 leave       opts, rooms[]                            -
//    6 disconnect          opts, close                              -
//    7 fetch               opts, requestId                          8 requestId, sockets[ socket ]
//    9 server-side emit    packet[ event, *argument ]               -
//    9 with answers        requestId, packet[ event, *argument ]    10 requestId, packet (one value, or none)
//    1, 2, 13 heartbeats   -                                        -  (other adapters and older versions)
//
//   packet of 3 = { "type": 2, "data": [ event, *argument ] }            ; emitters add "nsp"
//   opts        = { "rooms": [ *room ], "except": [ *room ], "flags": { "volatile", "compress", "timeout", ... } }
//   socket      : see remote_socket_codec.hpp
//
// As a message in a channel: JSON, or, where the data of the types 3, 8, 9, 10 and 12 holds binary, MessagePack. The
// sharded adapter writes it so; the streams adapter writes MessagePack always, and reads nothing else. As an entry of a stream:
//
//   entry       = "uid" text "nsp" namespace "type" decimal [ "data" ( JSON / base64( MessagePack ) ) ]
//
// uid and requestId are 16 hexadecimal digits; an emitter's uid is "emitter". The order of members is free when reading, unknown ones are
// ignored. Both dialects of MessagePack (notepack.io 3, @msgpack/msgpack 2.8) are read; they differ only in whole numbers beyond
// 2^53, which the second writes as float 64 and we do not. Source: the published packages; bytes captured from them are
// in the unit tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/value.hpp>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cluster/encoded_value.hpp"
#include "cluster/statistics.hpp"
#include "redis/link.hpp"
#include "socketio/broadcast.hpp"

namespace carillon::cluster {

enum class MessageType : std::uint8_t {
  initial_heartbeat = 1,
  heartbeat = 2,
  broadcast = 3,
  join = 4,
  leave = 5,
  disconnect = 6,
  fetch = 7,
  fetch_answer = 8,
  server_side_emit = 9,
  server_side_emit_answer = 10,
  client_count = 11,
  client_ack = 12,
  adapter_close = 13,
};

// --- what this node says ---

struct OutgoingMessage {
  MessageType type = MessageType::broadcast;
  std::string name_space;
  Value data{};        // an object
  std::string json{};  // if not empty, instead of `data`: the same as text
};

// None of them if arguments are nested too deep.
std::optional<OutgoingMessage> broadcast_message(const socketio::Broadcast& message);
// Kinds: emit_with_ack, fetch, all_rooms (asked as fetch), join, leave, disconnect, server_side_emit. `id` is empty where no answer
// is wanted. `ack_timeout`: of a broadcast that names none.
std::optional<OutgoingMessage> request_message(const socketio::Operation& operation, std::string_view id,
                                               Milliseconds ack_timeout = {});
// `members` beside the requestId.
OutgoingMessage answer_message(MessageType type, std::string_view name_space, std::string_view id, Object members);

std::string encode_message(std::string_view uid, const OutgoingMessage& message);
std::string encode_message_msgpack(std::string_view uid, const OutgoingMessage& message);
redis::StreamFields encode_entry(std::string_view uid, const OutgoingMessage& message);

// --- what others say: step by step, because most of it is for somebody else ---

// Who says what kind of thing; `data` is borrowed, and unchecked but for its form.
struct IncomingMessage {
  std::int64_t type = 0;
  std::string uid;
  std::string name_space;
  EncodedValue data;
  std::string storage;             // of `data`, where it was base64
  socketio::StreamOffset entry{};  // where it was found, if that counts

  IncomingMessage() = default;
  IncomingMessage(const IncomingMessage&) = delete;  // `data` may point into `storage`
  IncomingMessage& operator=(const IncomingMessage&) = delete;
};
// Both fill `out` and may be given it again.
Result<void, Malformed> decode_message(std::string_view payload, IncomingMessage& out);
Result<void, Malformed> decode_entry(redis::StreamFieldsView fields, IncomingMessage& out);

// Types 3 to 7 and 9.
struct MessageRequest {
  std::string id;                 // empty: no answer is wanted
  socketio::Operation operation;  // kind (emit_with_ack: also of a broadcast that wants none), selection and so on
  EncodedValue event;             // of a broadcast that wants no answer: its data, an event
};
Result<MessageRequest, Malformed> read_request(const IncomingMessage& message);

// A broadcast without acknowledgement, ready to deliver. `entry`: where it was found, if that counts.
Result<socketio::BroadcastPtr, Malformed> to_broadcast(const socketio::PacketFormat& format,
                                                       socketio::Selection selection, const EncodedValue& event,
                                                       const socketio::StreamOffset& entry = {});

// Types 8 and 10 to 12.
struct MessageAnswer {
  std::string id;
  std::vector<Value> sockets;   // 8
  bool is_whole = true;         // 8; false: some did not fit (answer_limit.hpp)
  std::size_t clients = 0;      // 11
  std::optional<Value> packet;  // 10, 12
};
Result<MessageAnswer, Malformed> read_answer(const IncomingMessage& message);

// To the node whose client has come back elsewhere: a heartbeat, which is what servers of other kinds take it for, with
// data {"taken": {"pid", "owner"}}. The owner is the one before: see socketio::SessionRecord.
struct TakenSession {
  std::string pid;
  std::string owner;
};
OutgoingMessage taken_message(std::string_view name_space, const TakenSession& session);
// Of a heartbeat; none if it is nothing more than that.
std::optional<TakenSession> read_taken(const IncomingMessage& message);

}  // namespace carillon::cluster
