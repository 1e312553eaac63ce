#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <utility>

#include <carillon/server.hpp>

#include "admin/admin.hpp"
#include "api/api.hpp"
#include "api/batch.hpp"
#include "api/emit_request.hpp"
#include "api/error.hpp"
#include "api/notifications.hpp"
#include "api/queries.hpp"
#include "app/adapter_names.hpp"
#include "app/commands.hpp"
#include "app/identity.hpp"
#include "app/page_files.hpp"
#include "app/serve_config.hpp"
#include "app/subscriptions.hpp"
#include "base/log.hpp"
#include "io/file_limit.hpp"
#include "runtime/node.hpp"
#include "runtime/node_metrics.hpp"

namespace carillon::app {
namespace {

LogLevel log_level(std::string_view name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "info") return LogLevel::info;
  if (name == "warn") return LogLevel::warn;
  if (name == "error") return LogLevel::error;
  return LogLevel::off;
}

PerMessageDeflateOptions deflate_options(const Config::PerMessageDeflate& config) {
  return {.enabled = config.enabled,
          .threshold_bytes = config.threshold_bytes,
          .level = config.level,
          .server_max_window_bits = config.server_max_window_bits,
          .client_max_window_bits = config.client_max_window_bits,
          .client_no_context_takeover = config.client_no_context_takeover,
          .window_bytes_max = config.window_bytes_max};
}

std::optional<CookieOptions> cookie_options(const Config::Cookie& config) {
  using SameSite = CookieOptions::SameSite;
  if (config.name.empty()) return std::nullopt;
  CookieOptions options{.name = config.name,
                        .path = config.path,
                        .domain = config.domain,
                        .http_only = config.http_only,
                        .secure = config.secure,
                        .same_site = SameSite::unsaid};
  if (config.max_age_s > 0) options.max_age_s = config.max_age_s;
  if (config.same_site == "lax") options.same_site = SameSite::lax;
  if (config.same_site == "strict") options.same_site = SameSite::strict;
  if (config.same_site == "none") options.same_site = SameSite::none;
  return options;
}

ServerOptions server_options(const Config& config) {
  ServerOptions options;
  options.listen = config.clients.listen.front();
  options.more_listeners.assign(config.clients.listen.begin() + 1, config.clients.listen.end());
  options.tls = {config.tls.certificate_file, config.tls.key_file, config.tls.client_ca_file, config.tls.min_version};
  options.trusted_proxies = config.clients.trusted_proxies;
  options.shards = config.node.shards;
  options.node_name = config.node.name;
  options.ping_interval_ms = config.engine.ping_interval_ms;
  options.ping_timeout_ms = config.engine.ping_timeout_ms;
  options.upgrade_timeout_ms = config.engine.upgrade_timeout_ms;
  options.connect_timeout_ms = config.engine.connect_timeout_ms;
  options.max_payload_bytes = config.engine.max_payload_bytes;
  options.parser = config.engine.parser == "msgpack" ? PacketParser::msgpack : PacketParser::json;
  options.allow_eio3 = config.engine.allow_eio3;
  options.limits = config.limits;
  options.drain_timeout_ms = config.drain.timeout_ms;
  options.cors_origins = config.clients.cors_origins;
  options.path = config.clients.path;
  options.cors_credentials = config.clients.cors_credentials;
  options.cors_methods = config.clients.cors_methods;
  options.cors_allowed_headers = config.clients.cors_allowed_headers;
  options.cors_exposed_headers = config.clients.cors_exposed_headers;
  options.cors_max_age_s = config.clients.cors_max_age_s;
  options.serve_client = config.clients.serve_client;
  options.client_files_dir = config.clients.client_files_dir;
  options.cookie = cookie_options(config.cookie);
  options.http_compression = {.enabled = config.http_compression.enabled,
                              .threshold_bytes = config.http_compression.threshold_bytes,
                              .level = config.http_compression.level};
  options.per_message_deflate = deflate_options(config.per_message_deflate);
  options.recovery.enabled = config.recovery.enabled;
  options.recovery.max_disconnection_ms = config.recovery.max_disconnection_ms;
  options.recovery.session_bytes_max = config.recovery.session_bytes_max;
  options.recovery.sessions_bytes_max = config.recovery.sessions_bytes_max;
  options.recovery.log_bytes_max = config.recovery.log_bytes_max;
  options.recovery.sessions_max = config.recovery.sessions_max;
  return options;
}

AdapterOptions adapter_options(const Config& config) {
  const Config::Cluster& cluster = config.cluster;
  AdapterOptions options = redis_adapter(config.redis.url);
  options.kind = adapter_kind(cluster.adapter);
  options.redis_timeout_ms = config.redis.timeout_ms;
  options.mode = sharded_mode(cluster.mode);
  options.key = cluster.prefix;
  options.pattern_subscription = cluster.pattern_subscription;
  options.stream_name = cluster.stream_name;
  options.stream_count = cluster.stream_count;
  options.stream_length_max = cluster.stream_length_max;
  options.stream_hold_max_ms = cluster.stream_hold_max_ms;
  options.requests_timeout_ms = cluster.requests_timeout_ms;
  options.redact_handshakes = cluster.redact_handshakes;
  options.subscriptions_per_second_max = static_cast<std::uint32_t>(cluster.subscriptions_per_second_max);
  options.backlog_messages_per_second_max = static_cast<std::uint32_t>(cluster.backlog_messages_per_second_max);
  options.answer_bytes_max = cluster.answer_bytes_max;
  options.history_entries_max = cluster.history_entries_max;
  options.redis_unanswered_ms_max = config.redis.unanswered_ms_max;
  options.redis_canary_timeout_ms = config.redis.canary_timeout_ms;
  options.redis_commands_max = config.redis.commands_max;
  options.redis_reply_bytes_max = config.redis.reply_bytes_max;
  options.queue_bytes_max = cluster.queue_bytes_max;
  options.queue_age_max_ms = cluster.queue_age_max_ms;
  options.peers_wait_ms_max = cluster.peers_wait_ms_max;
  return options;
}

NotifierOptions notifier_options(const Config& config) {
  const Config::Inbox& inbox = config.inbox;
  return {.data_dir = config.data.dir,
          .ttl_default_s = static_cast<std::uint32_t>(inbox.ttl_default_s),
          .notifications_per_user_max = inbox.notifications_per_user_max,
          .bytes_per_user_max = inbox.bytes_per_user_max,
          .devices_per_user_max = inbox.devices_per_user_max,
          .waiting_bytes_max = inbox.waiting_bytes_max,
          .questions_per_socket_max = inbox.questions_per_socket_max,
          .window = inbox.window,
          .ack_timeout_ms = inbox.ack_timeout_ms,
          .head_check_interval_ms = inbox.head_check_interval_ms,
          .device_of = device_of};
}

// A wildcard address is where the server listens, not one that a browser can go to.
std::string url_to_visit(std::string url) {
  for (const auto& [wildcard, host] : {std::pair("://0.0.0.0:", "://127.0.0.1:"), std::pair("://[::]:", "://[::1]:")}) {
    if (const std::size_t at = url.find(wildcard); at != std::string::npos)
      url.replace(at, std::string_view(wildcard).size(), host);
  }
  return url;
}

// Every client is a file descriptor: takes what the system allows without asking, and says when that is little.
void raise_file_limit() {
  constexpr std::uint64_t few = 10'000;
  const std::uint64_t limit = io::raise_file_limit();
  if (limit >= few) return;
  log_warn(
      fmt::format("This process may have {} open files, and so about as many clients: raise the limit (ulimit -Hn, "
                  "LimitNOFILE).",
                  limit));
}

// The node as the admin pages see it.
class NodeFacts final : public admin::ReadinessSource, public admin::InfoSource {
 public:
  NodeFacts(const runtime::Node& node, bool keys) : node_(node), keys_(keys) {}

  admin::Readiness readiness() const override {
    if (!node_.ready()) return {false, "Redis is away, or has not confirmed all subscriptions yet"};
    if (const runtime::Inbox* inbox = node_.inbox())
      if (const auto trouble = inbox->trouble()) return {false, std::string(to_string(*trouble))};
    return {};
  }
  admin::Info info() const override {
    return {.node = node_.name(), .clients = node_.reception().client_url(), .redis = node_.clustered(), .keys = keys_};
  }

 private:
  const runtime::Node& node_;
  bool keys_;
};

void run(const Config& config) {
  // The router and what it calls outlive the server, whose shards call it.
  std::optional<runtime::NodeMetrics> metrics;
  std::optional<NodeFacts> facts;
  http::Router router(api::router_policy(api::Keys(config.api.keys)));
  Server server(server_options(config));
  if (!config.redis.url.empty()) server.adapter(adapter_options(config));
  identify_users(server);
  serve_subscriptions(server, config.clients.subscribe);

  runtime::Node& node = server.node();
  node.carry_client_files(client_files());
  metrics.emplace(node);
  facts.emplace(node, !config.api.keys.empty());
  api::add_routes(router, node);
  api::add_query_routes(router, node, node);
  const api::NotifyDefaults defaults{config.inbox.ttl_default_s};
  runtime::Inbox& inbox = node.set_inbox(notifier_options(config));
  api::add_notification_routes(router, inbox, node, defaults);
  api::add_batch_route(router, &inbox, node, defaults);
  admin::add_routes(router, {*metrics, *facts, *facts}, page_files());
  http::ParserLimits limits;
  limits.body_bytes_max = api::body_bytes_max;
  node.serve_api(config.api.listen, router, limits, api::listener_error);

  server.run([&node] {
    const runtime::Reception& reception = node.reception();
    fmt::print("carillon ready clients={} api={} node={}\n", reception.client_address(), reception.api_address(),
               node.name());
    std::fflush(stdout);
    if (!reception.api_url().empty()) log_info("page: " + url_to_visit(reception.api_url()) + "/");
  });
}

}  // namespace

int serve(const ServeArguments& arguments) {
  const auto config = read_config(arguments);
  if (!config) {
    complain("serve", config.error().front());
    return 2;
  }
  configure_log(log_level(config->log.level), config->log.format == "json" ? LogFormat::json : LogFormat::text);
  raise_file_limit();
  try {
    run(*config);
    return 0;
  } catch (const std::invalid_argument& error) {  // a certificate that cannot be used
    complain("serve", error.what());
    return 2;
  } catch (const std::exception& error) {  // an address in use, a host without a name
    complain("serve", error.what());
    return 1;
  }
}

}  // namespace carillon::app
