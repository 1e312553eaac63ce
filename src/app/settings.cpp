// The settings, in the order in which they are documented.
#include "app/setting_checks.hpp"
#include "app/setting_makers.hpp"

namespace carillon::app {
namespace {

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t gib = 1024 * 1024 * 1024;

std::vector<Setting> make_settings() {
  using C = Config;
  return {
      list("clients.listen", field(&C::clients, &C::Clients::listen),
           R"(a list of HOST:PORT, https://HOST:PORT or unix:PATH, such as ["127.0.0.1:3000"])", check_endpoints,
           "Where clients connect. Port 0 picks a free one. docs/deployment.md tells what else may stand here.",
           {"--listen", "ADDRESS"}),
      list("clients.cors_origins", field(&C::clients, &C::Clients::cors_origins),
           R"(["*"], or a list of origins such as ["https://example.com"])", check_origins,
           "The origins whose web pages may connect by long-polling. Empty: the same origin only."),
      list("clients.subscribe", field(&C::clients, &C::Clients::subscribe),
           R"(a list of rooms, in which * stands for any text, such as ["news:*"])", check_rooms,
           "The rooms that clients may join with the event `subscribe`. Empty: none."),
      list("clients.trusted_proxies", field(&C::clients, &C::Clients::trusted_proxies),
           R"(a list of addresses, networks such as "10.0.0.0/8", and "unix")", check_proxies,
           "Whose PROXY headers, X-Forwarded-For and X-Forwarded-Proto are believed. \"unix\": of all who connect to a "
           "Unix socket."),
      text("tls.certificate_file", field(&C::tls, &C::Tls::certificate_file), "the path of a PEM file, or nothing",
           check_path, "The certificate of listeners with https://, and those that lead from it to the root."),
      text("tls.key_file", field(&C::tls, &C::Tls::key_file), "the path of a PEM file, or nothing", check_path,
           "Its private key, not encrypted. SIGHUP reads the files again."),
      text("tls.client_ca_file", field(&C::tls, &C::Tls::client_ca_file), "the path of a PEM file, or nothing",
           check_path, "Who signs the certificates that clients must have. Empty: none is asked for."),
      text("tls.min_version", field(&C::tls, &C::Tls::min_version), R"("1.2" or "1.3")", check_tls_version,
           "The oldest version of TLS that is spoken."),
      text("api.listen", field(&C::api, &C::Api::listen),
           R"(HOST:PORT, https://HOST:PORT or unix:PATH, such as "127.0.0.1:3001")", check_endpoint,
           "Where the HTTP API, the metrics and the page are. Without api.keys on loopback only.",
           {"--api-listen", "ADDRESS"}),
      list("api.keys", field(&C::api, &C::Api::keys), "a list of keys, each of 1 to 256 visible ASCII characters",
           check_keys,
           R"(The keys that calls to the API may bear ("Authorization: Bearer KEY"). Empty: none is needed.)"),

      text("redis.url", field(&C::redis, &C::Redis::url), "redis://[user:password@]host[:port][/db], or nothing",
           check_redis_url, "The Redis that connects this node with the others. Empty: a single node.",
           {"--redis", "URL"}),
      text("data.dir", field(&C::data, &C::Data::dir), "the path of a folder", check_folder,
           "Where durable data is kept. This version keeps none, and does not touch the folder.",
           {"--data-dir", "DIR"}),
      text("node.name", field(&C::node, &C::Node::name), "at most 64 characters of A-Z a-z 0-9 . _ -", check_node_name,
           "The name of this node. Empty: the host's name and four random characters.", {"--node-name", "NAME"}),
      number("node.shards", field(&C::node, &C::Node::shards), 0, 64, "Threads that serve clients. 0: one per core.",
             {"--shards", "N"}),

      text("auth.mode", field(&C::auth, &C::Auth::mode), R"("none")", check_auth_mode,
           R"(How clients prove who they are. "none": they are believed what they say.)", {"--auth", "MODE"}),
      boolean("auth.insecure", field(&C::auth, &C::Auth::insecure),
              R"(Allows auth.mode "none" on addresses that other machines can reach.)", {"--insecure"}),
      text("log.level", field(&C::log, &C::Log::level), R"("debug", "info", "warn", "error" or "off")", check_log_level,
           "The least important messages that are logged, to stderr.", {"--log-level", "LEVEL"}),
      text("log.format", field(&C::log, &C::Log::format), R"("text" or "json")", check_log_format,
           "Log lines for people, or for programs.", {"--log-format", "FORMAT"}),

      number("engine.ping_interval_ms", field(&C::engine, &C::Engine::ping_interval_ms), 100, hour_ms,
             "How often a connection is probed."),
      number("engine.ping_timeout_ms", field(&C::engine, &C::Engine::ping_timeout_ms), 100, hour_ms,
             "How long the answer to a ping may take before the connection counts as lost."),
      number("engine.upgrade_timeout_ms", field(&C::engine, &C::Engine::upgrade_timeout_ms), 100, hour_ms,
             "How long an upgrade from long-polling to WebSocket may take."),
      number("engine.connect_timeout_ms", field(&C::engine, &C::Engine::connect_timeout_ms), 100, hour_ms,
             "How long a client may be connected without joining a namespace."),
      number("engine.max_payload_bytes", field(&C::engine, &C::Engine::max_payload_bytes), 100, 100'000'000,
             "The largest message that a client may send."),
      boolean("engine.allow_eio3", field(&C::engine, &C::Engine::allow_eio3),
              "Whether Socket.IO v2 clients, which speak Engine.IO 3, may connect."),
      boolean("per_message_deflate.enabled", field(&C::per_message_deflate, &C::PerMessageDeflate::enabled),
              "Compresses WebSocket messages for clients that can read them, a broadcast once for all of them."),
      number("per_message_deflate.threshold_bytes",
             field(&C::per_message_deflate, &C::PerMessageDeflate::threshold_bytes), 0, 100'000'000,
             "Shorter messages are sent as they are."),
      number("per_message_deflate.level", field(&C::per_message_deflate, &C::PerMessageDeflate::level), 1, 9,
             "How hard to compress, as zlib has it: 1 is fast, 9 is small."),
      number("per_message_deflate.server_max_window_bits",
             field(&C::per_message_deflate, &C::PerMessageDeflate::server_max_window_bits), 9, 15,
             "How far back compression looks: 2^bits bytes. Clients that can take less go uncompressed."),
      number("per_message_deflate.client_max_window_bits",
             field(&C::per_message_deflate, &C::PerMessageDeflate::client_max_window_bits), 9, 15,
             "The same for what clients send. Below 15, clients that do not offer to limit it go uncompressed."),
      boolean("per_message_deflate.client_no_context_takeover",
              field(&C::per_message_deflate, &C::PerMessageDeflate::client_no_context_takeover),
              "Clients start each message with an empty window, so that none has to be kept for them."),
      number(
          "per_message_deflate.window_bytes_max",
          field(&C::per_message_deflate, &C::PerMessageDeflate::window_bytes_max), 0, 64 * gib,
          "What the windows of clients that keep theirs may take. Beyond it further clients are told to do without."),
      boolean("recovery.enabled", field(&C::recovery, &C::Recovery::enabled),
              "Whether clients whose connection broke get back their socket, its rooms, and what they missed."),
      number("recovery.max_disconnection_ms", field(&C::recovery, &C::Recovery::max_disconnection_ms), 100,
             24 * hour_ms, "How long a client may be away and still be recovered."),
      number("recovery.session_bytes_max", field(&C::recovery, &C::Recovery::session_bytes_max), 1024, gib,
             "What is kept of the events to one client alone, and the most that is sent to it again."),
      number("recovery.sessions_bytes_max", field(&C::recovery, &C::Recovery::sessions_bytes_max), 1024, 1024 * gib,
             "The same of all clients together. Beyond it nothing more is kept, and who lacks it is not recovered."),
      number("recovery.log_bytes_max", field(&C::recovery, &C::Recovery::log_bytes_max), 1024, 64 * gib,
             "What is kept of broadcasts. Clients that lack older ones are not recovered."),
      number("recovery.sessions_max", field(&C::recovery, &C::Recovery::sessions_max), 0, 100'000'000,
             "How many sessions may wait for their clients. Beyond it the oldest are forgotten."),
      number("limits.handshake_timeout_ms", field(&C::limits, &C::Limits::handshake_timeout_ms), 100, hour_ms,
             "How long a connection may take for its proxy's header and its TLS handshake."),
      number("limits.send_queue_bytes_max", field(&C::limits, &C::Limits::send_queue_bytes_max), 1024, gib,
             "What may wait for one client. Beyond it the client is closed as too slow."),
      number("limits.broadcast_ack_bytes_max", field(&C::limits, &C::Limits::broadcast_ack_bytes_max), 1024, gib,
             "What clients may answer to one broadcast, together and per shard. Answers beyond it count as missing."),

      text("cluster.adapter", field(&C::cluster, &C::Cluster::adapter), R"("pubsub")", check_adapter,
           R"(How nodes talk through Redis. "pubsub" is wire-compatible with @socket.io/redis-adapter.)"),
      text("cluster.prefix", field(&C::cluster, &C::Cluster::prefix),
           R"(1 to 128 visible ASCII characters other than * ? [ ] \)", check_prefix,
           R"(The prefix of the channels in Redis: the option "key" of the adapter on Node.js servers.)"),
      number("cluster.queue_bytes_max", field(&C::cluster, &C::Cluster::queue_bytes_max), 1024, gib,
             "What may wait for a Redis that is away. Beyond it messages for other nodes are dropped and counted."),
      number("cluster.queue_age_max_ms", field(&C::cluster, &C::Cluster::queue_age_max_ms), 100, hour_ms,
             "How long a message may wait for Redis before it is dropped and counted."),
      number("drain.timeout_ms", field(&C::drain, &C::Drain::timeout_ms), 0, 600'000,
             "How long a node that is told to stop may take to say goodbye to its clients."),
  };
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = make_settings();
  return all;
}

}  // namespace carillon::app
