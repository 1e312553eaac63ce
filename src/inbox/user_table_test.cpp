#include "inbox/user_table.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace carillon::inbox {
namespace {

std::string name(std::int64_t num) { return "user-" + std::to_string(num); }

TailUser user(std::int64_t num) {
  TailUser made;
  made.num = num;
  return made;
}

TEST(UserTable, HasNobodyAtFirst) {
  UserTable table;
  EXPECT_EQ(table.find("alice"), nullptr);
  EXPECT_EQ(table.size(), 0U);
  table.forget_if([](const TailUser&) { return true; });
  table.for_each([](TailUser&) { FAIL(); });
}

TEST(UserTable, UsersStayWhereTheyAreWhileItGrows) {
  constexpr std::int64_t many = 5'000;
  UserTable table;
  std::vector<TailUser*> added;
  for (std::int64_t num = 0; num < many; ++num) added.push_back(&table.add(name(num), user(num)));
  EXPECT_EQ(table.size(), many);
  for (TailUser* const known : added) {
    ASSERT_EQ(known, added.at(static_cast<std::size_t>(known->num)));
    ASSERT_EQ(table.find(name(known->num)), known);
  }
  EXPECT_EQ(table.find(name(many)), nullptr);
  EXPECT_EQ(table.find(""), nullptr);
}

TEST(UserTable, WhoIsForgottenMakesRoom) {
  constexpr std::int64_t many = 3'000;
  UserTable table;
  for (std::int64_t num = 0; num < many; ++num) table.add(name(num), user(num));
  std::set<TailUser*> places;
  table.for_each([&](TailUser& any) { places.insert(&any); });
  ASSERT_EQ(places.size(), many);
  TailUser* const kept = table.find(name(7));
  for (int round = 0; round < 5; ++round) {
    table.forget_if([](const TailUser& other) { return other.num % 7 != 0; });
    EXPECT_EQ(table.size(), many / 7 + 1);
    for (std::int64_t num = 0; num < many; ++num) ASSERT_EQ(table.find(name(num)) != nullptr, num % 7 == 0) << num;
    for (std::int64_t num = 0; num < many; ++num) {
      if (num % 7 == 0) continue;
      ASSERT_TRUE(places.contains(&table.add(name(num), user(num)))) << num;
    }
  }
  EXPECT_EQ(table.size(), many);
  EXPECT_EQ(table.find(name(7)), kept);
}

}  // namespace
}  // namespace carillon::inbox
