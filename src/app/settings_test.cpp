#include <gtest/gtest.h>

#include <set>

#include "app/setting.hpp"

namespace carillon::app {
namespace {

// What a setting says about a value: nothing, or what is wrong with it.
std::string complaint(std::string_view key, const SettingValue& value) {
  Config config;
  const Setting* setting = find_setting(key);
  EXPECT_NE(setting, nullptr) << key;
  return setting != nullptr ? setting->set(config, value).value_or("") : "";
}

using List = std::vector<std::string>;

TEST(Settings, every_default_is_accepted_and_documented) {
  std::set<std::string> keys;
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(keys.insert(setting.key).second) << setting.key;
    EXPECT_EQ(complaint(setting.key, setting.get(Config())), "") << setting.key;
    EXPECT_TRUE(setting.help.ends_with('.')) << setting.key;
    EXPECT_FALSE(setting.expected.empty()) << setting.key;
  }
}

TEST(Settings, set_what_get_gives) {
  const std::vector<std::pair<std::string, SettingValue>> values = {
      {"clients.listen", List{"[::1]:0", "localhost:3000", ":80", "https://[::]:443", "unix:/run/c.sock?mode=660"}},
      {"clients.trusted_proxies", List{"10.0.0.0/8", "::1", "unix"}},
      {"tls.certificate_file", "/etc/carillon/certificate.pem"},
      {"tls.key_file", "key.pem"},
      {"tls.client_ca_file", ""},
      {"tls.min_version", "1.3"},
      {"limits.handshake_timeout_ms", std::int64_t{104}},
      {"clients.cors_origins", List{"https://example.com", "http://localhost:8080"}},
      {"clients.subscribe", List{"news:*", "shop"}},
      {"clients.cors_credentials", true},
      {"clients.cors_methods", List{"GET", "POST"}},
      {"clients.cors_allowed_headers", List{"x-one"}},
      {"clients.cors_exposed_headers", List{"x-two", "x-three"}},
      {"clients.cors_max_age_s", std::int64_t{600}},
      {"clients.path", "/live/"},
      {"clients.serve_client", false},
      {"clients.client_files_dir", "/usr/share/socket.io-client/dist"},
      {"cookie.name", "sid"},
      {"cookie.path", "/live"},
      {"cookie.domain", "example.com"},
      {"cookie.max_age_s", std::int64_t{3600}},
      {"cookie.http_only", false},
      {"cookie.secure", true},
      {"cookie.same_site", "none"},
      {"api.listen", "127.0.0.1:0"},
      {"api.keys", List{"one", "two"}},
      {"redis.url", "redis://user:secret@redis.example.com:6380/2"},
      {"data.dir", "/var/lib/carillon"},
      {"inbox.ttl_default_s", std::int64_t{3600}},
      {"inbox.ack_timeout_ms", std::int64_t{2000}},
      {"inbox.window", std::int64_t{128}},
      {"inbox.notifications_per_user_max", std::int64_t{50}},
      {"inbox.bytes_per_user_max", std::int64_t{1'000'000}},
      {"inbox.devices_per_user_max", std::int64_t{5}},
      {"inbox.waiting_bytes_max", std::int64_t{2'000'000}},
      {"inbox.questions_per_socket_max", std::int64_t{8}},
      {"inbox.head_check_interval_ms", std::int64_t{2000}},
      {"node.name", "bell-1.A_b"},
      {"node.shards", std::int64_t{64}},
      {"auth.mode", "none"},
      {"auth.insecure", true},
      {"log.level", "debug"},
      {"log.format", "json"},
      {"engine.ping_interval_ms", std::int64_t{100}},
      {"engine.ping_timeout_ms", std::int64_t{3'600'000}},
      {"engine.upgrade_timeout_ms", std::int64_t{101}},
      {"engine.connect_timeout_ms", std::int64_t{102}},
      {"engine.max_payload_bytes", std::int64_t{100'000'000}},
      {"engine.parser", "msgpack"},
      {"engine.allow_eio3", true},
      {"http_compression.enabled", false},
      {"http_compression.threshold_bytes", std::int64_t{106}},
      {"http_compression.level", std::int64_t{9}},
      {"per_message_deflate.enabled", true},
      {"per_message_deflate.threshold_bytes", std::int64_t{104}},
      {"per_message_deflate.level", std::int64_t{1}},
      {"per_message_deflate.server_max_window_bits", std::int64_t{9}},
      {"per_message_deflate.client_max_window_bits", std::int64_t{10}},
      {"per_message_deflate.client_no_context_takeover", false},
      {"per_message_deflate.window_bytes_max", std::int64_t{105}},
      {"recovery.enabled", false},
      {"recovery.max_disconnection_ms", std::int64_t{86'400'000}},
      {"recovery.session_bytes_max", std::int64_t{1026}},
      {"recovery.sessions_bytes_max", std::int64_t{1028}},
      {"recovery.log_bytes_max", std::int64_t{1027}},
      {"recovery.sessions_max", std::int64_t{0}},
      {"limits.send_queue_bytes_max", std::int64_t{1024}},
      {"limits.broadcast_ack_bytes_max", std::int64_t{1025}},
      {"limits.http_header_bytes_max", std::int64_t{2048}},
      {"limits.http_header_count_max", std::int64_t{11}},
      {"limits.http_target_bytes_max", std::int64_t{257}},
      {"limits.http_requests_per_second_max", std::int64_t{0}},
      {"limits.http_header_timeout_ms", std::int64_t{106}},
      {"limits.http_body_timeout_ms", std::int64_t{107}},
      {"limits.http_idle_timeout_ms", std::int64_t{108}},
      {"limits.connections_max", std::int64_t{1'000'000}},
      {"limits.connections_per_address_max", std::int64_t{0}},
      {"limits.handshakes_per_second_max", std::int64_t{1}},
      {"limits.packets_per_second_max", std::int64_t{0}},
      {"limits.packets_burst_max", std::int64_t{1}},
      {"limits.attachments_max", std::int64_t{0}},
      {"limits.packet_bytes_max", std::int64_t{1028}},
      {"limits.namespaces_per_client_max", std::int64_t{1}},
      {"limits.rooms_per_socket_max", std::int64_t{2}},
      {"limits.pending_acks_per_socket_max", std::int64_t{3}},
      {"limits.send_queue_bytes_total_max", std::int64_t{1'048'576}},
      {"limits.receive_buffer_bytes_total_max", std::int64_t{1'048'577}},
      {"limits.unlimited_networks", List{"10.0.0.0/8", "::1"}},
      {"redis.timeout_ms", std::int64_t{105}},
      {"redis.unanswered_ms_max", std::int64_t{106}},
      {"redis.canary_timeout_ms", std::int64_t{107}},
      {"redis.commands_max", std::int64_t{108}},
      {"redis.reply_bytes_max", std::int64_t{10'900}},
      {"cluster.adapter", "streams"},
      {"cluster.mode", "dynamic-private"},
      {"cluster.pattern_subscription", true},
      {"cluster.stream_name", "my-stream"},
      {"cluster.stream_count", std::int64_t{4}},
      {"cluster.stream_length_max", std::int64_t{101}},
      {"cluster.stream_hold_max_ms", std::int64_t{105}},
      {"cluster.requests_timeout_ms", std::int64_t{102}},
      {"cluster.redact_handshakes", true},
      {"cluster.subscriptions_per_second_max", std::int64_t{104}},
      {"cluster.backlog_messages_per_second_max", std::int64_t{105}},
      {"cluster.answer_bytes_max", std::int64_t{10'600}},
      {"cluster.history_entries_max", std::int64_t{107}},
      {"cluster.prefix", "my-app"},
      {"cluster.queue_bytes_max", std::int64_t{1'073'741'824}},
      {"cluster.queue_age_max_ms", std::int64_t{103}},
      {"cluster.peers_wait_ms_max", std::int64_t{104}},
      {"drain.timeout_ms", std::int64_t{0}},
  };
  EXPECT_EQ(values.size(), settings().size());
  Config config;
  for (const auto& [key, value] : values) {
    const Setting* setting = find_setting(key);
    ASSERT_NE(setting, nullptr) << key;
    EXPECT_EQ(setting->set(config, value), std::nullopt) << key;
  }
  for (const auto& [key, value] : values) EXPECT_EQ(find_setting(key)->get(config), value) << key;
}

TEST(Settings, complain_with_what_was_expected_and_what_came) {
  const std::vector<std::tuple<std::string, SettingValue, std::string>> cases = {
      {"engine.ping_interval_ms", "soon", "expected a whole number from 100 to 3600000, got \"soon\""},
      {"engine.ping_interval_ms", std::int64_t{99}, "expected a whole number from 100 to 3600000, got 99"},
      {"engine.ping_interval_ms", std::int64_t{-1}, "expected a whole number from 100 to 3600000, got -1"},
      {"engine.ping_interval_ms", 2.5, "expected a whole number from 100 to 3600000, got 2.5"},
      {"node.shards", std::int64_t{65}, "expected a whole number from 0 to 64, got 65"},
      {"node.shards", true, "expected a whole number from 0 to 64, got true"},
      {"auth.insecure", "yes", "expected true or false, got \"yes\""},
      {"log.level", "loud", R"(expected "debug", "info", "warn", "error" or "off", got "loud")"},
      {"log.format", std::int64_t{1}, R"(expected "text" or "json", got a whole number)"},
      {"log.format", Foreign{"a date or time"}, R"(expected "text" or "json", got a date or time)"},
      {"auth.mode", "jwt", R"(expected "none": "jwt" is not in this version yet)"},
      {"auth.mode", "webhook", R"(expected "none": "webhook" is not in this version yet)"},
      {"auth.mode", "maybe", R"(expected "none", got "maybe")"},
      {"cluster.adapter", "kafka", R"(expected "pubsub", "sharded" or "streams", got "kafka")"},
      {"cluster.mode", "Static", R"(expected "static", "dynamic" or "dynamic-private", got "Static")"},
      {"cluster.prefix", "a*", "got \"a*\""},
      {"cluster.prefix", "", "got \"\""},
      {"cluster.prefix", std::string(129, 'p'), "expected 1 to 128 visible ASCII characters"},
      {"clients.listen", List{},
       "expected a list of HOST:PORT, https://HOST:PORT or unix:PATH, such as [\"127.0.0.1:3000\"], got []"},
      {"clients.listen", List{"127.0.0.1:1?mode=660"}, "got \"127.0.0.1:1?mode=660\""},
      {"clients.trusted_proxies", List{"10.0.0.0/8", "proxy.example"}, "got \"proxy.example\""},
      {"limits.unlimited_networks", List{"10.0.0.1/8"}, "got \"10.0.0.1/8\""},
      {"limits.unlimited_networks", List{"unix"}, "expected a list of addresses"},
      {"tls.key_file", std::string("key\0", 4), "expected the path of a PEM file"},
      {"tls.min_version", "1.1", R"(expected "1.2" or "1.3", got "1.1")"},
      {"clients.listen", List{"127.0.0.1:1", "nowhere"}, "got \"nowhere\""},
      {"clients.listen", List{"127.0.0.1:65536"}, "got \"127.0.0.1:65536\""},
      {"clients.listen", "127.0.0.1:3000", "got a text"},
      {"api.listen", "127.0.0.1", "such as \"127.0.0.1:3001\", got \"127.0.0.1\""},
      {"clients.cors_origins", List{"*", "https://example.com"}, "expected [\"*\"], or a list of origins"},
      {"clients.cors_origins", List{"https://example.com/path"}, "got [\"https://example.com/path\"]"},
      {"clients.cors_origins", List{"example.com"}, "got [\"example.com\"]"},
      {"clients.subscribe", List{"fine", ""}, "such as [\"news:*\"], got"},
      {"clients.subscribe", List{std::string(257, 'r')}, "expected a list of rooms"},
      {"clients.path", "live", "expected a path, such as \"/socket.io/\", got \"live\""},
      {"clients.path", "/a?b", "got \"/a?b\""},
      {"clients.cors_methods", List{"GET", ""}, "got [\"GET\", \"\"]"},
      {"clients.cors_allowed_headers", List{"x one"}, "got [\"x one\"]"},
      {"clients.client_files_dir", "/dev/null", "\"/dev/null\" is a file"},
      {"cookie.name", "a;b", "got \"a;b\""},
      {"cookie.domain", "a b", "got \"a b\""},
      {"cookie.same_site", "Lax", R"(expected "lax", "strict", "none" or "", got "Lax")"},
      {"node.name", "a b", "expected at most 64 characters of A-Z a-z 0-9 . _ -, got \"a b\""},
      {"node.name", std::string(65, 'n'), "expected at most 64 characters"},
      {"data.dir", "", "expected the path of a folder, got \"\""},
      {"data.dir", "/dev/null", "\"/dev/null\" is a file"},
      {"redis.url", "http://localhost", "redis"},
  };
  for (const auto& [key, value, expected] : cases) {
    const std::string said = complaint(key, value);
    EXPECT_NE(said.find(expected), std::string::npos) << key << ": " << said;
  }
}

TEST(Settings, never_show_secrets) {
  const std::vector<std::pair<std::string, SettingValue>> cases = {
      {"api.keys", List{"fine", "hush hush"}},
      {"api.keys", List{std::string(257, 'h') + "hush"}},
      {"api.keys", "hush"},
      {"redis.url", "redis://user:hush@host:port"},
      {"redis.url", "rediss//:hush@host"},
  };
  for (const auto& [key, value] : cases) {
    const std::string said = complaint(key, value);
    EXPECT_NE(said, "") << key;
    EXPECT_EQ(said.find("hush"), std::string::npos) << said;
  }
}

TEST(Settings, leave_the_configuration_alone_when_they_complain) {
  Config config;
  EXPECT_NE(find_setting("node.shards")->set(config, std::int64_t{1000}), std::nullopt);
  EXPECT_EQ(config.node.shards, 0U);
}

TEST(Settings, have_their_variable) {
  EXPECT_EQ(environment_name(*find_setting("engine.ping_interval_ms")), "CARILLON_ENGINE_PING_INTERVAL_MS");
}

TEST(Settings, are_written_as_toml) {
  EXPECT_EQ(to_toml(std::string("a\"b\\c\n\x7f")), R"("a\"b\\c\u000a\u007f")");
  EXPECT_EQ(to_toml(List{"a", "b"}), R"(["a", "b"])");
  EXPECT_EQ(to_toml(List{}), "[]");
  EXPECT_EQ(to_toml(false), "false");
}

}  // namespace
}  // namespace carillon::app
