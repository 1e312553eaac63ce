#include "app/config_text.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/assignment.hpp"

namespace carillon::app {
namespace {

TEST(ConfigText, default_file_holds_every_setting_and_changes_nothing) {
  const auto assignments = assignments_from_toml(default_config_toml(), "default");
  ASSERT_TRUE(assignments) << assignments.error();
  EXPECT_EQ(assignments->size(), settings().size());
  for (const auto& [key, value, where] : *assignments) {
    const Setting* setting = find_setting(key);
    ASSERT_NE(setting, nullptr) << key;
    EXPECT_EQ(value, setting->get(Config())) << key;
  }
  Config config;
  EXPECT_EQ(assign_all(config, *assignments), std::vector<std::string>{});
}

std::string document(std::string_view name) {
  std::ifstream file(std::filesystem::path(CARILLON_SOURCE_DIR) / "docs" / name);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(ConfigText, documentation_is_up_to_date) {
  EXPECT_EQ(document("configuration.md"), config_reference_markdown())
      << "call: carillon config reference > docs/configuration.md";
}

TEST(ConfigText, documentation_states_the_consequence_of_every_limit) {
  const std::string text = document("limits.md");
  constexpr std::string_view section = "limits.";
  for (const Setting& setting : settings()) {
    if (!setting.key.starts_with(section)) continue;
    EXPECT_TRUE(text.contains("`" + setting.key.substr(section.size()) + "`")) << setting.key;
  }
}

}  // namespace
}  // namespace carillon::app
