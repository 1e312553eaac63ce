// How a server finds the others of its cluster. Wire-compatible with the adapters that are published for Node.js.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace carillon {

// Which messages of nodes have channels of their own. All nodes of a cluster publish in the same mode.
enum class ShardedMode : std::uint8_t {
  // NOLINTNEXTLINE(readability-identifier-naming): "static" is a keyword
  static_,          // none: everything goes to everyone
  dynamic,          // those for one public room; the published adapter's default
  dynamic_private,  // those for a single socket, too
};

struct AdapterOptions {
  enum class Kind : std::uint8_t {
    pubsub,   // @socket.io/redis-adapter createAdapter(), understood by @socket.io/redis-emitter
    sharded,  // @socket.io/redis-adapter createShardedAdapter(); Redis 7
    streams,  // @socket.io/redis-streams-adapter 0.3
  };
  Kind kind = Kind::pubsub;

  // redis://[user:password@]host[:port][/db], rediss:// for TLS, redis+unix:///path/to/socket[?db=N],
  // redis+sentinel://host[:port],.../master-name, redis+cluster://host[:port],...
  std::string redis_url = {};
  std::string key = "socket.io";  // prefix of the channels
  // Subscribe to every room of everybody, as the published pub/sub adapter does, instead of those that are held here.
  bool pattern_subscription = false;        // pubsub
  ShardedMode mode = ShardedMode::dynamic;  // sharded
  std::string stream_name = "socket.io";    // streams
  unsigned stream_count = 1;                // streams
  std::size_t stream_length_max = 10'000;   // streams: entries, approximately
  // streams, with recovery: how long our own clients wait for what Redis does not give back. Then they get it at once,
  // and those that would need it cannot be recovered by it.
  std::uint32_t stream_hold_max_ms = 500;
  std::string session_key_prefix = "sio:session:";  // streams: of recovery sessions
  std::uint32_t requests_timeout_ms = 5'000;        // for the answers of other servers
  bool redact_handshakes = false;                   // others do not see headers, query and auth of our sockets
  std::uint32_t redis_timeout_ms = 5'000;           // of silence until Redis is pinged, and then until it is given up
  std::size_t queue_bytes_max = 16 * 1024 * 1024;   // messages for other nodes while Redis is away
  std::uint32_t queue_age_max_ms = 30'000;
  // After an outage, with Pub/Sub: how long messages wait until as many servers listen as before it. 0: they do not.
  std::uint32_t peers_wait_ms_max = 2'000;
  // After an outage, all Carillon nodes together: how fast rooms are subscribed again, and messages that waited are sent.
  std::uint32_t subscriptions_per_second_max = 100'000;
  std::uint32_t backlog_messages_per_second_max = 100'000;
  // Sockets or rooms in one answer to another server. What does not fit is left out; Carillon nodes count this server as
  // missing then. Redis ends connections for which too much waits (client-output-buffer-limit pubsub).
  std::size_t answer_bytes_max = 8 * 1024 * 1024;
  // streams, with recovery: who is further behind is not recovered.
  std::size_t history_entries_max = 100'000;
  std::uint32_t redis_unanswered_ms_max =
      500;                                  // without an answer for so long Redis gets no further messages: they wait
  std::size_t redis_commands_max = 10'000;  // that Redis has not answered; further ones fail
  std::size_t redis_reply_bytes_max = 64 * 1024 * 1024;  // a longer reply or message breaks the connection
  std::uint32_t redis_canary_timeout_ms = 60'000;        // for a message to itself, behind what others publish
};

std::string_view to_string(AdapterOptions::Kind kind);  // "pubsub", "sharded", "streams": as in the settings

std::string_view to_string(ShardedMode mode);  // "static", "dynamic", "dynamic-private"

// For Server::adapter(); members of what they give may be changed before.
AdapterOptions redis_adapter(std::string_view redis_url);
AdapterOptions redis_sharded_adapter(std::string_view redis_url, ShardedMode mode = ShardedMode::dynamic);
AdapterOptions redis_streams_adapter(std::string_view redis_url);

}  // namespace carillon
