// Everything that `carillon serve` can be told. Which settings there are, and what they accept, is in settings*.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <carillon/limit_options.hpp>

namespace carillon::app {

// A plain value; the initialisers are the defaults.
struct Config {
  struct Clients {
    std::vector<std::string> listen{"127.0.0.1:3000"};
    std::string path = "/socket.io/";
    std::vector<std::string> cors_origins{"*"};
    std::vector<std::string> subscribe;
    bool cors_credentials = false;
    std::vector<std::string> cors_methods{"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"};
    std::vector<std::string> cors_allowed_headers;
    std::vector<std::string> cors_exposed_headers;
    std::uint32_t cors_max_age_s = 0;
    bool serve_client = true;
    std::string client_files_dir;
    std::vector<std::string> trusted_proxies;
  };
  struct Tls {
    std::string certificate_file;
    std::string key_file;
    std::string client_ca_file;
    std::string min_version = "1.2";
  };
  struct Api {
    std::string listen = "127.0.0.1:3001";
    std::vector<std::string> keys;
  };
  struct Redis {
    std::string url;  // empty: a single node
    std::uint32_t timeout_ms = 5'000;
    std::uint32_t unanswered_ms_max = 500;
    std::uint32_t canary_timeout_ms = 60'000;
    std::size_t commands_max = 10'000;
    std::size_t reply_bytes_max = 64 * 1024 * 1024;
  };
  struct Data {
    std::string dir = "./carillon-data";
  };
  struct Node {
    std::string name;  // empty: host name and four random characters
    unsigned shards = 0;
  };
  struct Auth {
    std::string mode = "none";
    bool insecure = false;
  };
  struct Log {
    std::string level = "info";
    std::string format = "text";
  };
  struct Engine {
    std::uint32_t ping_interval_ms = 25'000;
    std::uint32_t ping_timeout_ms = 20'000;
    std::uint32_t upgrade_timeout_ms = 10'000;
    std::uint32_t connect_timeout_ms = 45'000;
    std::size_t max_payload_bytes = 1'000'000;
    std::string parser = "json";
    bool allow_eio3 = false;
  };
  struct Cookie {
    std::string name;  // empty: none is set
    std::string path = "/";
    std::string domain;
    std::uint32_t max_age_s = 0;  // 0: until the browser closes
    bool http_only = true;
    bool secure = false;
    std::string same_site = "lax";
  };
  struct HttpCompression {
    bool enabled = true;
    std::size_t threshold_bytes = 1024;
    int level = 6;
  };
  struct PerMessageDeflate {
    bool enabled = false;
    std::size_t threshold_bytes = 1024;
    int level = 6;
    int server_max_window_bits = 15;
    int client_max_window_bits = 15;
    bool client_no_context_takeover = true;
    std::size_t window_bytes_max = 64 * 1024 * 1024;
  };
  struct Recovery {
    bool enabled = true;
    std::uint32_t max_disconnection_ms = 120'000;
    std::size_t session_bytes_max = 1024 * 1024;
    std::size_t sessions_bytes_max = 256 * 1024 * 1024;
    std::size_t log_bytes_max = 64 * 1024 * 1024;
    std::size_t sessions_max = 100'000;
  };
  using Limits = LimitOptions;
  struct Cluster {
    std::string adapter = "pubsub";
    std::string mode = "dynamic";
    std::string prefix = "socket.io";
    bool pattern_subscription = false;
    std::string stream_name = "socket.io";
    unsigned stream_count = 1;
    std::size_t stream_length_max = 10'000;
    std::uint32_t stream_hold_max_ms = 500;
    std::uint32_t requests_timeout_ms = 5'000;
    bool redact_handshakes = false;
    std::size_t subscriptions_per_second_max = 100'000;
    std::size_t backlog_messages_per_second_max = 100'000;
    std::size_t answer_bytes_max = 8 * 1024 * 1024;
    std::size_t history_entries_max = 100'000;
    std::size_t queue_bytes_max = 16 * 1024 * 1024;
    std::uint32_t queue_age_max_ms = 30'000;
    std::uint32_t peers_wait_ms_max = 2'000;
  };
  struct Inbox {
    std::int64_t ttl_default_s = 604'800;
    std::uint32_t ack_timeout_ms = 10'000;
    std::size_t window = 64;
    std::size_t notifications_per_user_max = 1'000;
    std::size_t bytes_per_user_max = 4 * 1024 * 1024;
    std::size_t devices_per_user_max = 100;
    std::size_t waiting_bytes_max = 64 * 1024 * 1024;
    std::size_t questions_per_socket_max = 16;
    std::uint32_t head_check_interval_ms = 30'000;
  };
  struct Drain {
    std::uint32_t timeout_ms = 10'000;
  };

  Clients clients;
  Tls tls;
  Api api;
  Redis redis;
  Data data;
  Node node;
  Auth auth;
  Log log;
  Engine engine;
  Cookie cookie;
  HttpCompression http_compression;
  PerMessageDeflate per_message_deflate;
  Recovery recovery;
  Limits limits;
  Cluster cluster;
  Inbox inbox;
  Drain drain;
};

}  // namespace carillon::app
