#include "app/assignment.hpp"

#include <gtest/gtest.h>

namespace carillon::app {
namespace {

using List = std::vector<std::string>;

// The sentences that a file of this text would bring about.
std::vector<std::string> errors_of(std::string_view text) {
  const auto assignments = assignments_from_toml(text, "carillon.toml");
  if (!assignments) return {assignments.error()};
  Config config;
  return assign_all(config, *assignments);
}

std::string error_of(std::string_view text) {
  const auto errors = errors_of(text);
  EXPECT_EQ(errors.size(), 1U) << text;
  return errors.empty() ? "" : errors.front();
}

TEST(Assignment, from_toml_has_its_line) {
  const auto assignments = assignments_from_toml("[engine]\nping_timeout_ms = 1_000\n\nping_interval_ms = 2000\n", "f");
  ASSERT_TRUE(assignments);
  ASSERT_EQ(assignments->size(), 2U);
  EXPECT_EQ(assignments->at(0).key, "engine.ping_timeout_ms");
  EXPECT_EQ(assignments->at(0).value, SettingValue(std::int64_t{1000}));
  EXPECT_EQ(assignments->at(0).where, "f:2");
  EXPECT_EQ(assignments->at(1).where, "f:4");
}

TEST(Assignment, from_toml_takes_every_kind_and_both_ways_of_writing_keys) {
  const auto assignments =
      assignments_from_toml("auth.insecure = true\nlog = { level = \"debug\" }\n[api]\nkeys = [\"a\", 'b']\n", "f");
  ASSERT_TRUE(assignments);
  Config config;
  EXPECT_EQ(assign_all(config, *assignments), List{});
  EXPECT_TRUE(config.auth.insecure);
  EXPECT_EQ(config.log.level, "debug");
  EXPECT_EQ(config.api.keys, (List{"a", "b"}));
}

TEST(Assignment, errors_of_a_file_say_line_key_and_what_was_expected) {
  EXPECT_EQ(error_of("[engine]\nping_interval_ms = \"soon\"\n"),
            "carillon.toml:2: engine.ping_interval_ms: expected a whole number from 100 to 3600000, got \"soon\"");
  EXPECT_EQ(
      error_of("\n[engine]\nping_intervall_ms = 1000\n"),
      "carillon.toml:3: engine.ping_intervall_ms: there is no such setting; did you mean engine.ping_interval_ms, "
      "a whole number from 100 to 3600000?");
  EXPECT_EQ(error_of("[engine]\nfrobnication_of_the_bells = 1\n"),
            "carillon.toml:2: engine.frobnication_of_the_bells: there is no such setting; expected one of those that "
            "`carillon config default` lists");
  EXPECT_EQ(error_of("[bells]\n"),
            "carillon.toml:1: bells: there is no such setting; expected one of those that "
            "`carillon config default` lists");
  EXPECT_EQ(error_of("engine = 5\n").substr(0, 24), "carillon.toml:1: engine:");
  EXPECT_EQ(error_of("[node.shards]\nx = 1\n"),
            "carillon.toml:1: node.shards: expected a whole number from 0 to 64, got a table");
  EXPECT_EQ(
      error_of("[api]\nkeys = [\"a\", 1]\n"),
      "carillon.toml:2: api.keys: expected a list of keys, each of 1 to 256 visible ASCII characters, got a list that "
      "holds something else than texts");
  EXPECT_EQ(error_of("[log]\nlevel = 2024-01-01\n").substr(0, 27), "carillon.toml:2: log.level:");
}

TEST(Assignment, text_that_is_no_toml_names_the_line) {
  EXPECT_EQ(error_of("[engine]\nping_interval_ms = \n").substr(0, 35), "carillon.toml:2: this is not TOML: ");
  EXPECT_EQ(error_of("[engine\n").substr(0, 35), "carillon.toml:1: this is not TOML: ");
  EXPECT_EQ(error_of("[log]\nlevel = \"\xff\"\n").substr(0, 35), "carillon.toml:2: this is not TOML: ");
  EXPECT_EQ(error_of("[log]\nlevel = \"info\"\nlevel = \"warn\"\n").substr(0, 35),
            "carillon.toml:3: this is not TOML: ");
}

TEST(Assignment, all_errors_of_a_file_come_in_the_order_of_its_lines) {
  const auto errors = errors_of("[node]\nshards = true\n[engine]\nping_interval_ms = 0\n");
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_TRUE(errors[0].starts_with("carillon.toml:2: node.shards")) << errors[0];
  EXPECT_TRUE(errors[1].starts_with("carillon.toml:4: engine.ping_interval_ms")) << errors[1];
}

TEST(Assignment, file_that_cannot_be_read) {
  EXPECT_EQ(assignments_from_file("/nowhere/carillon.toml").error(),
            "/nowhere/carillon.toml: cannot be read: No such file or directory");
  EXPECT_EQ(assignments_from_file("/").error(), "/: expected a TOML file, and this is a folder");
}

SettingValue from_environment(std::string_view variable) {
  const auto assignments = assignments_from_environment(std::vector<std::string_view>{variable});
  EXPECT_EQ(assignments.size(), 1U) << variable;
  return assignments.empty() ? SettingValue() : assignments[0].value;
}

TEST(Assignment, from_the_environment_needs_no_quotes) {
  EXPECT_EQ(from_environment("CARILLON_LOG_LEVEL=debug"), SettingValue("debug"));
  EXPECT_EQ(from_environment("CARILLON_NODE_SHARDS=4"), SettingValue(std::int64_t{4}));
  EXPECT_EQ(from_environment("CARILLON_NODE_SHARDS=4x"), SettingValue("4x"));
  EXPECT_EQ(from_environment("CARILLON_AUTH_INSECURE=true"), SettingValue(true));
  EXPECT_EQ(from_environment("CARILLON_API_KEYS=one, two=2"), SettingValue(List{"one", "two=2"}));
  EXPECT_EQ(from_environment("CARILLON_API_KEYS=[\"one\", \"two, 2\"]"), SettingValue(List{"one", "two, 2"}));
  EXPECT_EQ(from_environment("CARILLON_API_KEYS=[one"), SettingValue("[one"));
}

TEST(Assignment, environment_of_others_does_not_matter) {
  const std::vector<std::string_view> variables = {"PATH=/bin",
                                                   "CARILLON_LOG_LEVEL=",
                                                   "CARILLON_REDIS_PORT=tcp://10.0.0.1",
                                                   "CARILLON_LOG_LEVELS=1",
                                                   "carillon_log_level=debug",
                                                   "CARILLON_LOG_LEVEL"};
  EXPECT_TRUE(assignments_from_environment(variables).empty());
}

TEST(Assignment, complaint_about_the_environment_names_the_variable) {
  const auto assignments = assignments_from_environment(std::vector<std::string_view>{"CARILLON_NODE_SHARDS=many"});
  Config config;
  EXPECT_EQ(assign_all(config, assignments),
            List{"CARILLON_NODE_SHARDS: node.shards: expected a whole number from 0 to 64, got \"many\""});
}

TEST(Assignment, from_set_takes_toml) {
  const auto assignment = assignment_from_set("api.keys=[\"a=b\"]");
  ASSERT_TRUE(assignment);
  EXPECT_EQ(assignment->key, "api.keys");
  EXPECT_EQ(assignment->value, SettingValue(List{"a=b"}));
  EXPECT_EQ(assignment_from_set("node.shards=3")->value, SettingValue(std::int64_t{3}));
}

TEST(Assignment, from_set_refuses_everything_else) {
  EXPECT_EQ(assignment_from_set("log.level").error(),
            "--set log.level: expected SECTION.KEY=VALUE, such as log.level=\"debug\"");
  EXPECT_FALSE(assignment_from_set("=1"));
  for (const char* text : {"log.level=debug", "log.level=", "log.level=\"a\"\nb = 1", "log.level=\"a\" \"b\""}) {
    const auto assignment = assignment_from_set(text);
    ASSERT_FALSE(assignment) << text;
    EXPECT_EQ(assignment.error(),
              "--set: log.level: expected a TOML value; a text needs quotes, which the shell must leave alone: "
              "--set 'log.level=\"...\"'");
  }
}

TEST(Assignment, from_flags) {
  const auto listen = assignment_from_flag(*find_setting("clients.listen"), {"a:1", "b:2"});
  EXPECT_EQ(listen.value, SettingValue(List{"a:1", "b:2"}));
  EXPECT_EQ(listen.where, "--listen");
  EXPECT_EQ(assignment_from_flag(*find_setting("node.shards"), {"2"}).value, SettingValue(std::int64_t{2}));
  EXPECT_EQ(assignment_from_flag(*find_setting("auth.insecure"), {"true"}).value, SettingValue(true));
}

}  // namespace
}  // namespace carillon::app
