#include "cluster/interests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/testing.hpp"

namespace carillon::cluster {
namespace {

using ::testing::ElementsAre;

class InterestsTest : public ::testing::Test {
 protected:
  std::uint64_t shards_for(std::string_view name_space, const std::string& room) {
    return interests.shards_for(name_space, std::vector{room});
  }

  testing::FakeLink link;
  Gauge rooms;
  Interests interests{link, rooms, {.key = "k", .has_channel = {}}};
};

TEST_F(InterestsTest, a_room_is_subscribed_while_some_shard_holds_it) {
  interests.open_room(0, "/", "r", {});
  interests.open_room(3, "/", "r", {});
  interests.open_room(3, "/", "r", {});  // again: harmless
  EXPECT_EQ(shards_for("/", "r"), 0b1001U);
  interests.close_room(3, "/", "r");
  EXPECT_EQ(shards_for("/", "r"), 0b1U);
  EXPECT_THAT(link.log, ElementsAre("+k#/#r#"));
  interests.close_room(0, "/", "r");
  EXPECT_THAT(link.log, ElementsAre("+k#/#r#", "-k#/#r#"));
  EXPECT_EQ(rooms.value(), 0);
}

// A client chooses its room's or a dynamic namespace's name: it must not end what another one holds.
TEST_F(InterestsTest, rooms_that_share_a_channel_end_one_by_one) {
  interests.open_room(0, "/a", "b#c", {});
  interests.open_room(0, "/a#b", "c", {});
  interests.open_room(0, "/a#b", "c", {});
  interests.open_room(1, "/a#b", "c", {});
  EXPECT_THAT(link.log, ElementsAre("+k#/a#b#c#"));
  interests.close_room(0, "/a#b", "c");
  interests.close_room(1, "/a#b", "c");
  EXPECT_EQ(shards_for("/a", "b#c"), 0b1U);
  EXPECT_THAT(link.log, ElementsAre("+k#/a#b#c#")) << "the other one is there still";
  interests.close_room(0, "/a", "b#c");
  EXPECT_THAT(link.log, ElementsAre("+k#/a#b#c#", "-k#/a#b#c#"));
  EXPECT_EQ(rooms.value(), 0);
  interests.open_room(0, "/a#b", "c", {});
  interests.close_room(0, "/a#b", "c");
  EXPECT_EQ(link.log.back(), "-k#/a#b#c#");
}

TEST_F(InterestsTest, a_room_that_needs_no_channel_gets_one_from_another_that_does) {
  Interests some(link, rooms, {.key = "k", .has_channel = [](std::string_view room) { return room == "c"; }});
  some.open_room(0, "/a", "b#c", {});
  EXPECT_TRUE(link.log.empty());
  some.open_room(0, "/a#b", "c", {});
  EXPECT_THAT(link.log, ElementsAre("+k#/a#b#c#"));
  some.close_room(0, "/a", "b#c");
  some.close_room(0, "/a#b", "c");
  EXPECT_EQ(link.log.back(), "-k#/a#b#c#");
}

}  // namespace
}  // namespace carillon::cluster
