#include "redis/stream_id.hpp"

#include <gtest/gtest.h>

namespace carillon::redis {
namespace {

TEST(StreamIdTest, IsReadAndWritten) {
  const auto id = parse_stream_id("18446744073709551615-7");
  ASSERT_TRUE(id);
  EXPECT_EQ(to_string(*id), "18446744073709551615-7");
  EXPECT_LT(*parse_stream_id("9-10"), *parse_stream_id("10-2"));
  EXPECT_LT(*parse_stream_id("9-2"), *parse_stream_id("9-10"));
  EXPECT_EQ(*parse_stream_id("0-0"), StreamId{});
}

TEST(StreamIdTest, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "-", "1", "1-", "-1", "1-2-3", "a-1", "1-a", " 1-1", "1-1 ", "18446744073709551616-0", "1--1", "$"})
    EXPECT_FALSE(parse_stream_id(text)) << text;
}

}  // namespace
}  // namespace carillon::redis
