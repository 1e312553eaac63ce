#include "engineio/session_id.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "engineio/testing.hpp"

namespace carillon::engineio {
namespace {

TEST(SessionId, NamesItsNodeAndItsShard) {
  SeededRandom random;
  for (unsigned shard = 0; shard < shards_max; ++shard) {
    const std::string sid = make_session_id("Ab-_", shard, random);
    EXPECT_EQ(sid.size(), 26U);
    const auto place = place_of(sid);
    ASSERT_TRUE(place) << sid;
    EXPECT_EQ(place->node_tag, "Ab-_");
    EXPECT_EQ(place->shard, shard);
  }
}

TEST(SessionId, IsSafeInAUrlAndNeverTheSameTwice) {
  SeededRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) {
    const std::string sid = make_session_id("node", 1, random);
    EXPECT_EQ(sid.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos);
    EXPECT_TRUE(seen.insert(sid).second);
  }
}

TEST(SessionId, OtherTextHasNoPlace) {
  for (const std::string_view text : {"", "x", "nodeAA", "0123456789012345678901234", "012345678901234567890123456"})
    EXPECT_FALSE(place_of(text)) << text;
  EXPECT_FALSE(place_of("node!A01234567890123456789"));
  EXPECT_FALSE(place_of("nodeA 01234567890123456789"));
  EXPECT_TRUE(place_of("nodeAA01234567890123456789"));
}

}  // namespace
}  // namespace carillon::engineio
