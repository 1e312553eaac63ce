#include "app/subscriptions.hpp"

#include <gtest/gtest.h>

namespace carillon::app {
namespace {

using List = std::vector<std::string>;

TEST(Subscriptions, patterns_match_whole_names) {
  EXPECT_FALSE(allows({}, "news"));
  EXPECT_TRUE(allows({"news"}, "news"));
  EXPECT_FALSE(allows({"news"}, "news:sport"));
  EXPECT_FALSE(allows({"news"}, "newest"));
  EXPECT_TRUE(allows({"shops", "news:*"}, "news:sport"));
  EXPECT_TRUE(allows({"news:*"}, "news:"));
  EXPECT_FALSE(allows({"news:*"}, "news"));
  EXPECT_TRUE(allows({"a*b*c"}, "abc"));
  EXPECT_TRUE(allows({"a*b*c"}, "a-b-b-c"));
  EXPECT_FALSE(allows({"a*b*c"}, "a-b-b-cd"));
  EXPECT_TRUE(allows({"**"}, "anything"));
  EXPECT_FALSE(allows({"?"}, "a"));
  EXPECT_TRUE(allows({"?"}, "?"));
}

TEST(Subscriptions, rooms_of_users_are_opened_by_name_only) {
  EXPECT_FALSE(allows({"*"}, "user:42"));
  EXPECT_FALSE(allows({"u*"}, "user:42"));
  EXPECT_TRUE(allows({"*"}, "username"));
  EXPECT_TRUE(allows({"user:guest-*"}, "user:guest-1"));
  EXPECT_FALSE(allows({"user:guest-*"}, "user:42"));
}

TEST(Subscriptions, a_hostile_name_costs_little) {
  const std::string pattern = "*a*a*a*a*a*a*a*a*a*a*b";
  EXPECT_FALSE(allows({pattern}, std::string(room_bytes_max, 'a')));
}

}  // namespace
}  // namespace carillon::app
