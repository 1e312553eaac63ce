// The settings of section "cluster".
#include "app/setting_checks.hpp"
#include "app/setting_makers.hpp"
#include "app/settings_sections.hpp"

namespace carillon::app {

std::vector<Setting> cluster_settings() {
  using C = Config;
  using S = Config::Cluster;
  return {
      text("cluster.adapter", field(&C::cluster, &S::adapter), R"("pubsub", "sharded" or "streams")", check_adapter,
           "How nodes talk through Redis; all nodes alike. Wire-compatible with @socket.io/redis-adapter, "
           "createAdapter() "
           "or createShardedAdapter(), and with @socket.io/redis-streams-adapter."),
      text("cluster.mode", field(&C::cluster, &S::mode), R"("static", "dynamic" or "dynamic-private")",
           check_sharded_mode,
           "Of the sharded adapter: which rooms have channels of their own. All nodes alike: the option "
           R"("subscriptionMode" of Node.js servers.)"),
      text("cluster.prefix", field(&C::cluster, &S::prefix),
           R"(1 to 128 visible ASCII characters other than * ? [ ] \)", check_prefix,
           R"(The prefix of the channels in Redis: the option "key" or "channelPrefix" of Node.js servers.)"),
      boolean(
          "cluster.pattern_subscription", field(&C::cluster, &S::pattern_subscription),
          "Of the pub/sub adapter: one subscription that brings every message of every room, as Node.js servers have "
          "it, instead of one per room that is held here."),
      text("cluster.stream_name", field(&C::cluster, &S::stream_name),
           R"(1 to 128 visible ASCII characters other than * ? [ ] \)", check_prefix,
           R"(Of the streams adapter: the option "streamName" of Node.js servers.)"),
      number("cluster.stream_count", field(&C::cluster, &S::stream_count), 1, 64,
             R"(Of the streams adapter: the option "streamCount" of Node.js servers.)"),
      number("cluster.stream_length_max", field(&C::cluster, &S::stream_length_max), 100, 100'000'000,
             "Of the streams adapter: entries that a stream keeps, approximately. What is gone cannot be recovered."),
      number(
          "cluster.stream_hold_max_ms", field(&C::cluster, &S::stream_hold_max_ms), 1, 60'000,
          "Of the streams adapter with recovery: clients of a node get its broadcasts when Redis has given them their "
          "place, or, after this time, without it."),
      number("cluster.requests_timeout_ms", field(&C::cluster, &S::requests_timeout_ms), 100, hour_ms,
             "How long to wait for the answers of other servers. Those that do not come are counted as missing."),
      boolean("cluster.redact_handshakes", field(&C::cluster, &S::redact_handshakes),
              "What other servers learn of our sockets (fetchSockets) leaves out headers, query and auth."),
      number("cluster.subscriptions_per_second_max", field(&C::cluster, &S::subscriptions_per_second_max), 100,
             100'000'000,
             "When Redis is back: how many rooms per second all Carillon nodes together subscribe to again. Each takes "
             "its "
             "part, by the number of nodes before the outage."),
      number("cluster.backlog_messages_per_second_max", field(&C::cluster, &S::backlog_messages_per_second_max), 100,
             100'000'000,
             "When Redis is back: how many messages that have waited all Carillon nodes together send per second. What "
             "comes meanwhile goes out behind them, twice as fast, and so on."),
      number(
          "cluster.answer_bytes_max", field(&C::cluster, &S::answer_bytes_max), 1024, gib,
          "What this server says of its sockets or rooms in one answer to another server (fetchSockets, allRooms). "
          "The rest is left out and counted, and nodes count this server as missing. Redis ends connections for which "
          "too much waits (client-output-buffer-limit pubsub)."),
      number("cluster.history_entries_max", field(&C::cluster, &S::history_entries_max), 1, 100'000'000,
             "Of the streams adapter with recovery: a client that is further behind in the stream gets a new socket."),
      number("cluster.queue_bytes_max", field(&C::cluster, &S::queue_bytes_max), 1024, gib,
             "What may wait for a Redis that is away. Beyond it messages for other nodes are dropped and counted."),
      number("cluster.queue_age_max_ms", field(&C::cluster, &S::queue_age_max_ms), 100, hour_ms,
             "How long a message may wait for Redis before it is dropped and counted."),
      number("cluster.peers_wait_ms_max", field(&C::cluster, &S::peers_wait_ms_max), 0, hour_ms,
             "With Pub/Sub, after an outage: how long messages wait until as many servers listen as before it, because "
             "who does not listen yet would miss them. 0: they do not wait."),
  };
}

}  // namespace carillon::app
