#include "redis/redirection.hpp"

#include <gtest/gtest.h>

namespace carillon::redis {
namespace {

const Address asked{.host = "10.0.0.9", .port = 7000};

TEST(RedirectionTest, SaysWhoHasTheSlot) {
  const auto moved = parse_redirection("MOVED 3999 127.0.0.1:6381", asked);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->kind, Redirection::Kind::moved);
  EXPECT_EQ(moved->slot, 3'999);
  EXPECT_EQ(moved->address, (Address{.host = "127.0.0.1", .port = 6381}));
  const auto ask = parse_redirection("ASK 16383 redis.example:1", asked);
  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->kind, Redirection::Kind::ask);
  EXPECT_EQ(ask->address, (Address{.host = "redis.example", .port = 1}));
  EXPECT_EQ(parse_redirection("MOVED 1 ::1:6381", asked)->address, (Address{.host = "::1", .port = 6381}));
}

TEST(RedirectionTest, ANodeThatDoesNotKnowItsHostIsTheOneThatWasAsked) {
  EXPECT_EQ(parse_redirection("MOVED 1 :6381", asked)->address, (Address{.host = "10.0.0.9", .port = 6381}));
  EXPECT_EQ(parse_redirection("MOVED 1 ?:6381", asked)->address, (Address{.host = "10.0.0.9", .port = 6381}));
}

TEST(RedirectionTest, OtherAnswersOfAClusterHaveNoAddress) {
  using Kind = Redirection::Kind;
  EXPECT_EQ(parse_redirection("TRYAGAIN Multiple keys request during rehashing of slot", asked)->kind, Kind::later);
  EXPECT_EQ(parse_redirection("CLUSTERDOWN The cluster is down", asked)->kind, Kind::later);
  EXPECT_EQ(parse_redirection("CROSSSLOT Keys in request don't hash to the same slot", asked)->kind, Kind::never);
}

TEST(RedirectionTest, NonsenseIsNone) {
  for (const char* text : {"", "MOVED", "MOVED 1", "MOVED x 127.0.0.1:1", "MOVED 16384 127.0.0.1:1", "MOVED -1 a:1",
                           "MOVED 1 a", "MOVED 1 a:0", "MOVED 1 a:65536", "MOVED 1 a:x", "ASK  ", "ERR MOVED 1 a:1"})
    EXPECT_FALSE(parse_redirection(text, asked)) << text;
}

}  // namespace
}  // namespace carillon::redis
