#include "inbox/ranges.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace carillon::inbox {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Ranges, ARangeAtTheCursorMovesIt) {
  std::uint64_t cursor = 3;
  std::vector<Range> above{{5, 7}};
  add_range(cursor, above, {3, 5});
  EXPECT_EQ(cursor, 7U);
  EXPECT_THAT(above, IsEmpty());
}

TEST(Ranges, ARangeBeyondItIsKeptAndMerged) {
  std::uint64_t cursor = 0;
  std::vector<Range> above;
  add_range(cursor, above, {5, 6});
  add_range(cursor, above, {2, 3});
  add_range(cursor, above, {3, 5});
  EXPECT_EQ(cursor, 0U);
  EXPECT_THAT(above, ElementsAre(Range{2, 6}));
}

TEST(Ranges, HoldWhatASetOfNumbersWouldHold) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::uint64_t cursor = 0;
    std::vector<Range> above;
    std::set<std::uint64_t> model;
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t after = random() % 30;
      const Range range{after, after + random() % 4};
      add_range(cursor, above, range);
      for (std::uint64_t number = range.after + 1; number <= range.upto; ++number) model.insert(number);
      for (std::uint64_t number = 1; number < 40; ++number)
        ASSERT_EQ(holds(cursor, above, number), model.contains(number)) << "round " << round << ", " << number;
      for (std::size_t k = 0; k < above.size(); ++k)
        ASSERT_GT(above[k].after, k == 0 ? cursor : above[k - 1].upto) << "they are apart";
    }
  }
}

}  // namespace
}  // namespace carillon::inbox
