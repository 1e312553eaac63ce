// What an emitter writes: a process that holds no sockets speaks to servers of each of the wire formats.
//
//   pub/sub   @socket.io/redis-emitter 5.1: broadcasts as in pubsub_codec.hpp, the rest as requests, see pubsub_request.hpp
//   sharded   there is no published emitter; messages as in cluster_message.hpp
//   streams   @socket.io/redis-streams-emitter 0.1.1: everything is an entry of the stream, see cluster_message.hpp
#pragma once

#include <optional>
#include <string>

#include <carillon/adapter_options.hpp>

#include "redis/link.hpp"
#include "socketio/broadcast.hpp"

namespace carillon::cluster {

struct EmitterFormat {
  AdapterOptions::Kind kind = AdapterOptions::Kind::pubsub;
  std::string key = "socket.io";
  ShardedMode mode = ShardedMode::dynamic;  // sharded
  std::string stream_name = "socket.io";    // streams
  unsigned stream_count = 1;                // streams
};

struct Emission {
  std::string place;            // channel or stream
  redis::ChannelKind kind{};    // of the channel
  std::string payload{};        // for the channel
  redis::StreamFields entry{};  // if not empty: for the stream
};

// None of them if the arguments are nested too deep. Any thread.
std::optional<Emission> emission_of(const EmitterFormat& format, const socketio::Broadcast& message);
// Kinds: join, leave, disconnect, and server_side_emit without answers.
std::optional<Emission> emission_of(const EmitterFormat& format, const socketio::Operation& operation);

}  // namespace carillon::cluster
