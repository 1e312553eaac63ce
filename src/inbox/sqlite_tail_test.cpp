#include "inbox/sqlite_tail.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <string>

namespace carillon::inbox {
namespace {

// One request may have ten thousand users, and a batch many requests.
TEST(SqliteTail, MoreUsersThanItMayForgetCostNoMoreEach) {
  constexpr std::int64_t many = 255'000;  // beyond users_max
  SqliteTail tail;
  const std::clock_t before = std::clock();  // time of the processor
  for (std::int64_t num = 0; num < many; ++num) {
    SqliteTail::User& user = tail.add_user("user-" + std::to_string(num), {.num = num});
    tail.append(user, {1, num, 1'000, 1});
  }
  EXPECT_LT(std::clock() - before, 20 * CLOCKS_PER_SEC);
  for (std::int64_t num = 0; num < many; ++num) {
    SqliteTail::User* const user = tail.find_user("user-" + std::to_string(num));
    ASSERT_NE(user, nullptr) << "its row does not say where its log ends";
    ASSERT_EQ(user->num, num);
  }
}

TEST(SqliteTail, WhoNeedNotStayGoesBeforeThereAreTooMany) {
  SqliteTail tail;
  SqliteTail::User& kept = tail.add_user("kept", {});
  tail.append(kept, {1, 1, 1'000, 1});
  for (int num = 0; num < 600'000; ++num) tail.add_user("user-" + std::to_string(num), {});
  EXPECT_EQ(tail.find_user("kept"), &kept);
  EXPECT_EQ(tail.find_user("user-0"), nullptr);
  EXPECT_NE(tail.find_user("user-599999"), nullptr);
}

}  // namespace
}  // namespace carillon::inbox
