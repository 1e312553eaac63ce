#include "inbox/position.hpp"

#include <gtest/gtest.h>

namespace carillon::inbox {
namespace {

TEST(Position, IsWrittenAndReadBack) {
  const Position position{"abc123", 42};
  EXPECT_EQ(to_string(position), "abc123-42");
  EXPECT_EQ(parse_position("abc123-42"), position);
  EXPECT_EQ(parse_position("a-0"), (Position{"a", 0}));
  EXPECT_EQ(parse_position("a-18446744073709551615")->number, 18446744073709551615ULL);
}

TEST(Position, NothingElseIsOne) {
  for (const char* text : {"", "-", "a", "a-", "-1", "a--1", "a-01", "a-1 ", "a-1x", "a b-1", "a-+1", "a-1-2", "a_-1",
                           "a-18446744073709551616", "abcdefghijklmnopqrstuvwxyz0123456-1"})
    EXPECT_FALSE(parse_position(text)) << text;
}

}  // namespace
}  // namespace carillon::inbox
