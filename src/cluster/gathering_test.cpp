#include "cluster/gathering.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/testing.hpp"

namespace carillon::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TimePoint at(int ms) { return TimePoint(Milliseconds(ms)); }

class GatheringTest : public ::testing::Test {
 protected:
  // Redis was there, with `servers` listening; now it is back.
  void come_back(std::size_t servers) {
    link.subscribers = servers;
    gathering.on_ready(true, at(0));
    gathering.on_time(at(0));
    gathering.on_ready(false, at(10'000));
    gathering.on_ready(true, at(12'000));
  }

  testing::FakeLink link;
  Gathering gathering{link,
                      {.key = "app",
                       .servers = Gathering::Channel{"app-all#", redis::ChannelKind::sharded},
                       .wait_max = Milliseconds(2'000)}};
};

TEST_F(GatheringTest, nobody_waits_at_the_start) {
  EXPECT_THAT(link.log, IsEmpty());
  gathering.on_ready(true, at(0));
  EXPECT_THAT(link.log, ElementsAre("+app-carillon-present#")) << "it is there when all its rooms are";
  EXPECT_FALSE(link.holds);
}

TEST_F(GatheringTest, counts_now_and_then) {
  gathering.on_ready(true, at(0));
  EXPECT_EQ(gathering.next_deadline(), at(0));
  gathering.on_time(at(0));
  EXPECT_THAT(link.counted, ElementsAre("app-carillon-present#", "app-all#"));
  EXPECT_EQ(gathering.next_deadline(), at(1'000));
  gathering.on_time(at(999));
  EXPECT_EQ(link.counted.size(), 2U);
  gathering.on_time(at(1'000));
  EXPECT_EQ(link.counted.size(), 4U);
}

TEST_F(GatheringTest, the_nodes_that_were_there_share_what_redis_can_take) {
  come_back(50);
  EXPECT_EQ(link.nodes, 50U);
  EXPECT_EQ(link.counted.front(), "app-carillon-present#") << "of Carillon only: others have no part in it";
  link.subscribers = 1;  // so far
  gathering.on_time(at(12'000));
  EXPECT_EQ(link.nodes, 50U);
}

TEST_F(GatheringTest, messages_wait_until_as_many_are_back_as_were_there) {
  come_back(3);
  EXPECT_TRUE(link.holds);
  link.subscribers = 2;
  gathering.on_time(at(12'000));
  EXPECT_TRUE(link.holds);
  EXPECT_EQ(gathering.next_deadline(), at(12'050));
  link.subscribers = 3;
  gathering.on_time(at(12'050));
  EXPECT_FALSE(link.holds);
  EXPECT_FALSE(gathering.is_waiting());
}

TEST_F(GatheringTest, every_channel_has_to_be_as_full_as_it_was) {
  come_back(3);
  link.answers_counts = false;
  gathering.on_time(at(12'000));
  link.count_done[0](3);
  EXPECT_TRUE(link.holds);
  link.count_done[1](2);
  EXPECT_TRUE(link.holds);
  gathering.on_time(at(12'050));
  link.count_done[2](3);
  link.count_done[3](4);
  EXPECT_FALSE(link.holds);
}

TEST_F(GatheringTest, who_does_not_come_back_is_waited_for_once_and_not_longer_than_that) {
  come_back(3);
  link.subscribers = 2;
  for (int ms = 12'000; ms < 14'000; ms += 50) gathering.on_time(at(ms));
  EXPECT_TRUE(link.holds);
  gathering.on_time(at(14'000));
  EXPECT_FALSE(link.holds);
  EXPECT_EQ(gathering.next_deadline(), at(15'000));

  gathering.on_ready(false, at(15'000));
  gathering.on_ready(true, at(16'000));
  EXPECT_TRUE(link.holds);
  gathering.on_time(at(16'000));
  EXPECT_FALSE(link.holds) << "two were there, and two are";
}

TEST_F(GatheringTest, redis_that_does_not_tell_is_not_waited_for) {
  come_back(3);
  link.subscribers.reset();
  gathering.on_time(at(12'000));
  EXPECT_FALSE(link.holds);
}

TEST_F(GatheringTest, an_outage_ends_the_waiting) {
  come_back(3);
  gathering.on_ready(false, at(12'500));
  EXPECT_FALSE(link.holds);
  EXPECT_EQ(link.log.back(), "-app-carillon-present#");
  EXPECT_EQ(gathering.next_deadline(), never);
}

TEST_F(GatheringTest, answers_from_before_the_outage_do_not_count) {
  come_back(3);
  link.answers_counts = false;
  gathering.on_time(at(12'000));
  gathering.on_ready(false, at(12'100));
  gathering.on_ready(true, at(12'200));
  for (auto& done : link.count_done) done(3);
  EXPECT_TRUE(link.holds);
}

TEST(Gathering, nobody_waits_where_the_stream_keeps_what_is_sent_or_where_it_is_switched_off) {
  testing::FakeLink link;
  const Gathering::Channel servers{"all", redis::ChannelKind::plain};
  for (const Gathering::Settings& settings :
       {Gathering::Settings{}, Gathering::Settings{.servers = servers, .wait_max = Milliseconds(0)}}) {
    Gathering gathering(link, settings);
    for (const bool ready : {true, false, true}) gathering.on_ready(ready, at(0));
    EXPECT_FALSE(link.holds);
  }
}

TEST(Gathering, counts_nodes_where_nobody_waits_too) {
  testing::FakeLink link;
  Gathering gathering{link, {.key = "app", .servers = {}}};
  link.subscribers = 7;
  gathering.on_ready(true, at(0));
  gathering.on_time(at(0));
  EXPECT_EQ(link.nodes, 7U);
  gathering.on_ready(false, at(10));
  gathering.on_ready(true, at(20));
  EXPECT_FALSE(link.holds);
}

}  // namespace
}  // namespace carillon::cluster
