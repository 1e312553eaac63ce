#include "app/config_load.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/address.hpp"

namespace carillon::app {
namespace {

class ConfigLoad : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }

  std::string file_with(std::string_view text) const {
    std::ofstream(path_) << text;
    return path_;
  }
  static Assignment flag(std::string_view set) { return *assignment_from_set(set); }

  std::string path_ =
      testing::TempDir() + "carillon-" + testing::UnitTest::GetInstance()->current_test_info()->name() + ".toml";
};

TEST_F(ConfigLoad, nothing_said_gives_the_defaults) {
  const auto config = load_config({});
  ASSERT_TRUE(config);
  for (const Setting& setting : settings()) EXPECT_EQ(setting.get(*config), setting.get(Config())) << setting.key;
}

TEST_F(ConfigLoad, flag_then_environment_then_file_then_default) {
  const std::string file =
      file_with("[engine]\nping_interval_ms = 1001\nping_timeout_ms = 1001\nconnect_timeout_ms = 1001\n");
  const std::vector<std::string_view> environment = {"CARILLON_ENGINE_PING_INTERVAL_MS=1002",
                                                     "CARILLON_ENGINE_PING_TIMEOUT_MS=1002"};
  const std::vector<Assignment> flags = {flag("engine.ping_interval_ms=1003")};
  const auto config = load_config({.file = file, .environment = environment, .flags = flags});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->engine.ping_interval_ms, 1003U);
  EXPECT_EQ(config->engine.ping_timeout_ms, 1002U);
  EXPECT_EQ(config->engine.connect_timeout_ms, 1001U);
  EXPECT_EQ(config->engine.upgrade_timeout_ms, 10'000U);
}

TEST_F(ConfigLoad, later_flags_win_and_lists_are_replaced_as_a_whole) {
  const std::vector<Assignment> flags = {flag("api.keys=[\"a\", \"b\"]"), flag("api.keys=[\"c\"]")};
  EXPECT_EQ(load_config({.file = {}, .environment = {}, .flags = flags})->api.keys, std::vector<std::string>{"c"});
}

TEST_F(ConfigLoad, every_error_of_every_source_is_told) {
  const std::string file = file_with("[node]\nshards = 65\n");
  const std::vector<std::string_view> environment = {"CARILLON_LOG_LEVEL=loud"};
  const std::vector<Assignment> flags = {flag("engine.pong=1")};
  const auto config = load_config({.file = file, .environment = environment, .flags = flags});
  ASSERT_FALSE(config);
  ASSERT_EQ(config.error().size(), 3U);
  EXPECT_TRUE(config.error()[0].starts_with(file + ":2: node.shards: ")) << config.error()[0];
  EXPECT_TRUE(config.error()[1].starts_with("CARILLON_LOG_LEVEL: log.level: ")) << config.error()[1];
  EXPECT_TRUE(config.error()[2].starts_with("--set: engine.pong: there is no such setting")) << config.error()[2];
}

TEST_F(ConfigLoad, file_that_is_not_there) {
  const auto config = load_config({.file = "/nowhere/carillon.toml", .environment = {}, .flags = {}});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().size(), 1U);
}

std::vector<std::string> together(std::string api, std::vector<std::string> keys, std::vector<std::string> clients,
                                  bool insecure = false) {
  Config config;
  config.api.listen = std::move(api);
  config.api.keys = std::move(keys);
  config.clients.listen = std::move(clients);
  config.auth.insecure = insecure;
  return check_together(config);
}

TEST_F(ConfigLoad, api_without_a_key_stays_on_this_machine) {
  EXPECT_TRUE(together("127.0.0.1:0", {}, {"127.0.0.1:0"}).empty());
  EXPECT_TRUE(together("0.0.0.0:3001", {"key"}, {"127.0.0.1:0"}).empty());
  const auto errors = together("0.0.0.0:3001", {}, {"127.0.0.1:0"}, true);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(
      errors[0],
      "api.listen: without a key the API listens on loopback only, and 0.0.0.0:3001 is not: set api.keys, or listen on "
      "127.0.0.1");
}

TEST_F(ConfigLoad, clients_without_authentication_stay_on_this_machine_unless_allowed) {
  EXPECT_TRUE(together("127.0.0.1:0", {}, {"[::1]:0", "localhost:0"}).empty());
  EXPECT_TRUE(together("127.0.0.1:0", {}, {"0.0.0.0:3000"}, true).empty());
  const auto errors = together("127.0.0.1:0", {}, {"127.0.0.1:0", "192.0.2.1:3000"});
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0],
            "clients.listen: with auth.mode \"none\" clients are believed who they say they are, and others than this "
            "machine "
            "can reach 192.0.2.1:3000: listen on 127.0.0.1, or allow it with --insecure");
}

TEST_F(ConfigLoad, listeners_with_tls_need_a_certificate_and_a_certificate_needs_one) {
  Config config;
  config.clients.listen = {"127.0.0.1:0", "https://127.0.0.1:0"};
  EXPECT_EQ(check_together(config),
            std::vector<std::string>{"https://127.0.0.1:0: TLS needs a certificate: set tls.certificate_file and "
                                     "tls.key_file"});
  config.tls.certificate_file = "certificate.pem";
  EXPECT_EQ(check_together(config).size(), 1U);
  config.tls.key_file = "key.pem";
  EXPECT_TRUE(check_together(config).empty());
  config.clients.listen = {"127.0.0.1:0"};
  EXPECT_EQ(check_together(config),
            std::vector<std::string>{"tls.certificate_file: no listener has TLS: let one begin with https://"});
  config.api.listen = "https://127.0.0.1:0";
  EXPECT_TRUE(check_together(config).empty());
}

TEST_F(ConfigLoad, the_proxy_protocol_needs_proxies_that_are_believed) {
  Config config;
  config.clients.listen = {"unix:/run/c.sock?proxy_protocol=true"};
  EXPECT_EQ(check_together(config),
            std::vector<std::string>{"unix:/run/c.sock?proxy_protocol=true: the PROXY protocol needs proxies that are "
                                     "believed: set clients.trusted_proxies"});
  config.clients.trusted_proxies = {"unix"};
  EXPECT_TRUE(check_together(config).empty());
}

TEST_F(ConfigLoad, loopback_is_what_only_this_machine_reaches) {
  for (const char* address : {"127.0.0.1:1", "127.8.9.1:1", "[::1]:1", "localhost:1", "https://127.0.0.1:1",
                              "unix:/run/c.sock", "[::ffff:127.0.0.1]:1"})
    EXPECT_TRUE(is_loopback(address)) << address;
  for (const char* address : {"0.0.0.0:1", "[::]:1", ":1", "10.0.0.1:1", "example.com:1", "localhost.example.com:1",
                              "[::ffff:10.0.0.1]:1", "127.0.0.1.example.com:1", "127.0.0.1", "https://0.0.0.0:1"}) {
    EXPECT_FALSE(is_loopback(address)) << address;
  }
}

}  // namespace
}  // namespace carillon::app
