#include "socketio/stream_offset.hpp"

#include <gtest/gtest.h>

namespace carillon::socketio {
namespace {

TEST(StreamOffsetTest, IsAlwaysAsWideAsItsPlace) {
  EXPECT_EQ(to_string(StreamOffset{1'795'312'150'786, 3}), "1795312150786-000003");
  EXPECT_EQ(to_string(StreamOffset{}), stream_offset_placeholder);
  EXPECT_EQ(to_string(StreamOffset{1, 999'999}), "0000000000001-999999");
  EXPECT_EQ(to_string(StreamOffset{1, 5'000'000}), "0000000000001-999999");
  EXPECT_EQ(to_string(StreamOffset{99'999'999'999'999, 0}), "9999999999999-999999");
}

TEST(StreamOffsetTest, IsReadHoweverWideItIs) {
  EXPECT_EQ(parse_stream_offset("1795312150786-000003"), (StreamOffset{1'795'312'150'786, 3}));
  EXPECT_EQ(parse_stream_offset("1795312150786-3"), (StreamOffset{1'795'312'150'786, 3}));
  EXPECT_EQ(parse_stream_offset("0-0"), StreamOffset{});
  for (const char* other : {"", "-", "1", "1-", "-1", "1-2-3", "1-2 ", "a-1", "1-b", "+1-2", "99999999999999999999-0"})
    EXPECT_FALSE(parse_stream_offset(other)) << other;
}

TEST(StreamOffsetTest, TheOrderIsThatOfNumbers) {
  EXPECT_LT((StreamOffset{9, 10}), (StreamOffset{10, 2}));
  EXPECT_LT((StreamOffset{9, 9}), (StreamOffset{9, 10}));
}

}  // namespace
}  // namespace carillon::socketio
