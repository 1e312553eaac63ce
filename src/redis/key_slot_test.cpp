#include "redis/key_slot.hpp"

#include <gtest/gtest.h>

#include <string>

namespace carillon::redis {
namespace {

// As CLUSTER KEYSLOT of Redis 7 answers.
TEST(KeySlotTest, IsThatOfRedis) {
  EXPECT_EQ(slot_of("123456789"), 12'739);  // 0x31C3, the check value of the specification
  EXPECT_EQ(slot_of("foo"), 12'182);
  EXPECT_EQ(slot_of("bar"), 5'061);
  EXPECT_EQ(slot_of(""), 0);
}

TEST(KeySlotTest, OnlyWhatIsInTheFirstBracesCounts) {
  EXPECT_EQ(slot_of("{foo}.bar"), slot_of("foo"));
  EXPECT_EQ(slot_of("a{foo}{bar}"), slot_of("foo"));
  EXPECT_EQ(slot_of("foo{{bar}}zap"), slot_of("{bar"));
  EXPECT_EQ(slot_of("foo{{bar}}zap"), 4'015);
  EXPECT_EQ(slot_of("a{foo}b}"), slot_of("foo"));
}

TEST(KeySlotTest, BracesWithNothingBetweenDoNot) {
  EXPECT_EQ(slot_of("foo{}{bar}"), 8'363);
  EXPECT_EQ(slot_of("foo{}"), 5'542);
  EXPECT_EQ(slot_of("a{foo"), 113);
  EXPECT_NE(slot_of("a}foo{"), slot_of("foo"));
}

}  // namespace
}  // namespace carillon::redis
