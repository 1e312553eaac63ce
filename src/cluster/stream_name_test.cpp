#include "cluster/stream_name.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon::cluster {
namespace {

using ::testing::ElementsAre;

// The names come from the published adapter's function.
TEST(StreamNameTest, IsThatOfThePublishedAdapter) {
  EXPECT_EQ(stream_name("socket.io", 1, "/notifications"), "socket.io");
  EXPECT_EQ(stream_name("s", 2, "/"), "s-1");
  EXPECT_EQ(stream_name("s", 7, "/"), "s-5");
  EXPECT_EQ(stream_name("s", 4, "/orders"), "s-0");
  EXPECT_EQ(stream_name("s", 7, "/orders"), "s-2");
  EXPECT_EQ(stream_name("s", 4, "/notifications"), "s--3");
  EXPECT_EQ(stream_name("s", 7, "/ü€😀"), "s-6");
  EXPECT_EQ(stream_name("s", 7, "/" + std::string(1'000, 'x')), "s--4");
}

TEST(StreamNameTest, AllNames) {
  EXPECT_THAT(stream_names("s", 1), ElementsAre("s"));
  EXPECT_THAT(stream_names("s", 3), ElementsAre("s--2", "s--1", "s-0", "s-1", "s-2"));
}

TEST(StreamNameTest, TheIndexIsThatOfTheName) {
  for (const unsigned count : {1U, 2U, 4U, 7U})
    for (const char* name_space : {"/", "/orders", "/notifications", "/ü€😀"})
      EXPECT_EQ(stream_names("s", count).at(stream_index(count, name_space)), stream_name("s", count, name_space));
}

TEST(StreamNameTest, TextThatIsCutIsHashedNevertheless) {
  for (const char* text : {"\xf0", "\xf0\x9f", "\xe2\x82", "\xc3", "\xff"})
    EXPECT_FALSE(stream_name("s", 5, text).empty());
}

}  // namespace
}  // namespace carillon::cluster
