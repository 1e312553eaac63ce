#include "inbox/notification.hpp"

#include <gtest/gtest.h>

#include <set>

namespace carillon::inbox {
namespace {

TEST(NotificationId, IsAUlid) {
  const auto random = make_system_random();
  const std::string id = make_id(1'469'918'176'385, *random);  // the example of the specification
  EXPECT_EQ(id.size(), 26U);
  EXPECT_EQ(id.substr(0, 10), "01ARYZ6S41");
}

TEST(NotificationId, LaterOnesSortBehind) {
  const auto random = make_system_random();
  EXPECT_LT(make_id(1'000'000, *random), make_id(1'000'001, *random));
}

TEST(NotificationId, IsUnique) {
  const auto random = make_system_random();
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(make_id(5, *random));
  EXPECT_EQ(ids.size(), 1000U);
}

}  // namespace
}  // namespace carillon::inbox
