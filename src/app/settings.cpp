// The settings, in the order in which they are documented.
#include <algorithm>
#include <iterator>

#include "app/setting_checks.hpp"
#include "app/setting_makers.hpp"
#include "app/settings_sections.hpp"

namespace carillon::app {
namespace {

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
      boolean("clients.cors_credentials", field(&C::clients, &C::Clients::cors_credentials),
              "Those pages may send cookies along. Browsers want the origins named for that."),
      list("clients.cors_methods", field(&C::clients, &C::Clients::cors_methods),
           R"(a list of methods, such as ["GET", "POST"])", check_tokens, "The methods that those pages may use."),
      list("clients.cors_allowed_headers", field(&C::clients, &C::Clients::cors_allowed_headers),
           R"(a list of header names, such as ["x-request-id"])", check_tokens,
           "The headers that they may send. Empty: whatever the browser asks for."),
      list("clients.cors_exposed_headers", field(&C::clients, &C::Clients::cors_exposed_headers),
           R"(a list of header names, such as ["x-request-id"])", check_tokens,
           "The headers of answers that their scripts may read."),
      number("clients.cors_max_age_s", field(&C::clients, &C::Clients::cors_max_age_s), 0, 86'400,
             "How long a browser may remember what is allowed. 0: as long as it likes."),
      text("clients.path", field(&C::clients, &C::Clients::path), R"(a path, such as "/socket.io/")", check_url_path,
           "The path that clients connect to. The slash at its end may be left out by clients, too."),
      boolean("clients.serve_client", field(&C::clients, &C::Clients::serve_client),
              "Serves Socket.IO's scripts for browsers below that path: socket.io.js, the minified ones, source maps."),
      text("clients.client_files_dir", field(&C::clients, &C::Clients::client_files_dir),
           "the path of a folder, or nothing", check_optional_folder,
           "Where those come from: the folder dist of the npm package socket.io-client. Empty: the program's own."),
      text("tls.certificate_file", field(&C::tls, &C::Tls::certificate_file), "the path of a PEM file, or nothing",
           check_path, "The certificate of listeners with https://, and those that lead from it to the root."),
      text("tls.key_file", field(&C::tls, &C::Tls::key_file), "the path of a PEM file, or nothing", check_path,
           "Its private key, not encrypted. SIGHUP reads the files again."),
      text("tls.client_ca_file", field(&C::tls, &C::Tls::client_ca_file), "the path of a PEM file, or nothing",
           check_path, "Who signs the certificates that clients must have. Empty: none is asked for."),
      text("tls.min_version", field(&C::tls, &C::Tls::min_version), R"("1.2" or "1.3")", check_tls_version,
           "The oldest version of TLS that is spoken."),
      text("cookie.name", field(&C::cookie, &C::Cookie::name), R"(a name such as "io", or nothing)", check_token,
           "The cookie with the session's id, for load balancers. Empty: none is set."),
      text("cookie.path", field(&C::cookie, &C::Cookie::path), R"(a path, such as "/")", check_url_path,
           "The path that it is for."),
      text("cookie.domain", field(&C::cookie, &C::Cookie::domain), R"(a domain such as "example.com", or nothing)",
           check_domain, "The domain that it is for. Empty: the host that set it."),
      number("cookie.max_age_s", field(&C::cookie, &C::Cookie::max_age_s), 0, 34'560'000,
             "How long it lives. 0: until the browser closes."),
      boolean("cookie.http_only", field(&C::cookie, &C::Cookie::http_only), "Scripts cannot read it."),
      boolean("cookie.secure", field(&C::cookie, &C::Cookie::secure), "It is sent over TLS only."),
      text("cookie.same_site", field(&C::cookie, &C::Cookie::same_site), R"("lax", "strict", "none" or "")",
           check_same_site, "Whether it is sent from pages of other sites. Empty: unsaid."),
      text("api.listen", field(&C::api, &C::Api::listen),
           R"(HOST:PORT, https://HOST:PORT or unix:PATH, such as "127.0.0.1:3001")", check_endpoint,
           "Where the HTTP API, the metrics and the page are. Without api.keys on loopback only.",
           {"--api-listen", "ADDRESS"}),
      list("api.keys", field(&C::api, &C::Api::keys), "a list of keys, each of 1 to 256 visible ASCII characters",
           check_keys,
           R"(The keys that calls to the API may bear ("Authorization: Bearer KEY"). Empty: none is needed.)"),

      text("redis.url", field(&C::redis, &C::Redis::url),
           "a URL as in docs/cluster.md, such as redis://[user:password@]host[:port][/db], or nothing", check_redis_url,
           "The Redis that connects this node with the others. Empty: a single node.", {"--redis", "URL"}),
      number("redis.timeout_ms", field(&C::redis, &C::Redis::timeout_ms), 100, hour_ms,
             "Redis is pinged after so much silence, and given up when an answer takes as long again; also how long a "
             "connection may take to come up."),
      number(
          "redis.unanswered_ms_max", field(&C::redis, &C::Redis::unanswered_ms_max), 1, hour_ms,
          "When Redis has answered nothing for so long it gets no further messages, they wait: what is on its way when "
          "a connection is given up may be lost."),
      number("redis.canary_timeout_ms", field(&C::redis, &C::Redis::canary_timeout_ms), 100, hour_ms,
             "A message to itself proves the way through Redis. It gets redis.timeout_ms of silence, and this long in "
             "all, since what others publish may come before it."),
      number("redis.commands_max", field(&C::redis, &C::Redis::commands_max), 100, 100'000'000,
             "Questions that Redis has not answered yet. Further ones fail at once."),
      number("redis.reply_bytes_max", field(&C::redis, &C::Redis::reply_bytes_max), 1024, gib,
             "A longer reply or message of Redis is not kept in memory: it breaks the connection."),
      text("data.dir", field(&C::data, &C::Data::dir), "the path of a folder", check_folder,
           "Where notifications are kept that wait for their users: a SQLite database. It is made if it is not there. "
           "Not with Redis.",
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
      text(
          "engine.parser", field(&C::engine, &C::Engine::parser), R"("json" or "msgpack")", check_parser,
          R"(How packets are written. "msgpack": for clients that have the parser of socket.io-msgpack-parser, all of them.)"),
      boolean("engine.allow_eio3", field(&C::engine, &C::Engine::allow_eio3),
              "Whether Socket.IO v2 clients, which speak Engine.IO 3, may connect."),
      boolean("http_compression.enabled", field(&C::http_compression, &C::HttpCompression::enabled),
              "Compresses answers to long-polling, with gzip or deflate as the client likes."),
      number("http_compression.threshold_bytes", field(&C::http_compression, &C::HttpCompression::threshold_bytes), 0,
             100'000'000, "Shorter answers are sent as they are."),
      number("http_compression.level", field(&C::http_compression, &C::HttpCompression::level), 1, 9,
             "How hard to compress, as zlib has it: 1 is fast, 9 is small."),
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
  };
}

std::vector<Setting> more_settings() {
  using C = Config;
  return {
      number("drain.timeout_ms", field(&C::drain, &C::Drain::timeout_ms), 0, 600'000,
             "How long a node that is told to stop may take to say goodbye to its clients."),
  };
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = [] {
    std::vector<Setting> made = make_settings();
    std::ranges::move(limit_settings(), std::back_inserter(made));
    std::ranges::move(cluster_settings(), std::back_inserter(made));
    std::ranges::move(inbox_settings(), std::back_inserter(made));
    std::ranges::move(more_settings(), std::back_inserter(made));
    return made;
  }();
  return all;
}

}  // namespace carillon::app
