#include "inbox/run_page.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace carillon::inbox {
namespace {

const std::vector<UserPosting> some{{3, {1, 100, 1'700'000'060'000, 145}},
                                    {3, {2, 90'000, 1'700'000'050'000, 0}},
                                    {4, {9, 7, 1, 70'000}},
                                    {1'000'000, {1, 8, INT64_MAX, 1}},
                                    {1'000'000, {2, 9, 0, 1}}};

std::string page_of(const std::vector<UserPosting>& entries) {
  RunPageWriter writer;
  for (const UserPosting& entry : entries) writer.add(entry);
  EXPECT_EQ(writer.first_user(), entries.front().user);
  EXPECT_EQ(writer.last_user(), entries.back().user);
  EXPECT_FALSE(writer.empty());
  return writer.take();
}

std::vector<UserPosting> entries_of(std::string_view page) {
  std::vector<UserPosting> entries;
  RunPageReader reader(page);
  while (const auto entry = reader.next()) entries.push_back(*entry);
  return entries;
}

TEST(RunPage, GivesBackWhatWasPutIn) { EXPECT_EQ(entries_of(page_of(some)), some); }

TEST(RunPage, TheNextPageBeginsAnew) {
  RunPageWriter writer;
  for (const UserPosting& entry : some) writer.add(entry);
  writer.take();
  EXPECT_TRUE(writer.empty());
  writer.add(some[1]);
  EXPECT_EQ(writer.first_user(), 3);
  EXPECT_EQ(entries_of(writer.take()), std::vector{some[1]});
}

TEST(RunPage, NeighboursTakeFewBytes) {
  std::vector<UserPosting> entries;
  for (int i = 0; i < 100; ++i) entries.push_back({i + 1, {7, 1'000'000 + i * 40, 1'700'000'000'000 + i, 145}});
  EXPECT_LE(page_of(entries).size(), 100U * 8);
}

TEST(RunPage, ACutOneEndsWithWhatIsWhole) {
  const std::string page = page_of(some);
  for (std::size_t size = 1; size < page.size(); ++size) {
    const std::string_view cut = std::string_view(page).substr(0, size);
    const auto entries = entries_of(cut);
    ASSERT_LT(entries.size(), some.size());
    for (std::size_t i = 0; i < entries.size(); ++i) EXPECT_EQ(entries[i], some[i]);
  }
}

TEST(RunPage, DamageIsNoEnd) {
  RunPageReader reader(std::string_view("\xff\xff\xff"));
  EXPECT_FALSE(reader.at_end());
  EXPECT_FALSE(reader.next());
}

}  // namespace
}  // namespace carillon::inbox
