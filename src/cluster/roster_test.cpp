#include "cluster/roster.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/json.hpp"
#include "cluster/testing.hpp"

namespace carillon::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RosterTest : public ::testing::Test {
 protected:
  std::string id_of_question() const {
    return *parse_json(link.published.back().second).value().find("ask")->as_string();
  }
  std::string own_channel() const { return link.log[1].substr(1); }

  testing::FakeLink link;
  testing::SeededRandom random;
  Statistics statistics;
  Roster roster{link, statistics, random, {.key = "app", .timeout = Milliseconds(1'000), .facts = [] {
                                             return Value(Object{{"name", "me"}});
                                           }}};
  std::optional<Roster::Nodes> nodes;
  Roster::Done keep = [this](Roster::Nodes found) { nodes = std::move(found); };
};

TEST_F(RosterTest, AsksTheOthersAndNamesItselfFirst) {
  link.subscribers = 3;
  roster.ask(keep, {});
  EXPECT_THAT(link.counted, ElementsAre("app-carillon#"));
  const std::string id = id_of_question();
  EXPECT_TRUE(roster.on_message(own_channel(), R"({"answer":")" + id + R"(","from":"b","node":{"name":"two"}})"));
  EXPECT_TRUE(roster.on_message(own_channel(), R"({"answer":")" + id + R"(","from":"b","node":{"name":"two"}})"));
  EXPECT_FALSE(nodes) << "one that answers twice is one";
  roster.on_message(own_channel(), R"({"answer":")" + id + R"(","from":"c","node":{"name":"three"}})");
  ASSERT_TRUE(nodes);
  EXPECT_EQ(nodes->nodes, (Array{Object{{"name", "me"}}, Object{{"name", "two"}}, Object{{"name", "three"}}}));
  EXPECT_EQ(nodes->missing, 0U);
}

TEST_F(RosterTest, SaysHowManyAreMissing) {
  link.subscribers = 3;
  roster.ask(keep, {});
  roster.on_time(TimePoint(Milliseconds(1'000)));
  ASSERT_TRUE(nodes);
  EXPECT_THAT(nodes->nodes, SizeIs(1));
  EXPECT_EQ(nodes->missing, 2U);
}

TEST_F(RosterTest, AnswersOthersAndNotItself) {
  roster.on_message("app-carillon#", R"({"ask":"q","from":"b"})");
  ASSERT_THAT(link.published, SizeIs(1));
  EXPECT_EQ(link.published[0].first, "app-carillon#b#");
  EXPECT_EQ(*parse_json(link.published[0].second).value().find("node"), Value(Object{{"name", "me"}}));
  const std::string own = own_channel();
  const std::string uid = own.substr(13, own.size() - 14);
  roster.on_message("app-carillon#", R"({"ask":"q","from":")" + uid + "\"}");
  EXPECT_THAT(link.published, SizeIs(1));
}

TEST_F(RosterTest, NonsenseIsCounted) {
  EXPECT_FALSE(roster.on_message("app#/#", "x"));
  EXPECT_TRUE(roster.on_message("app-carillon#", "x"));
  EXPECT_TRUE(roster.on_message("app-carillon#", R"({"ask":1})"));
  EXPECT_TRUE(roster.on_message(own_channel(), R"({"answer":"never asked","node":{}})"));
  EXPECT_EQ(statistics.malformed[static_cast<std::size_t>(Malformed::not_json)].value(), 1U);
  EXPECT_EQ(statistics.malformed[static_cast<std::size_t>(Malformed::bad_request)].value(), 1U);
  EXPECT_EQ(statistics.strayed_answers.value(), 1U);
  EXPECT_THAT(link.published, IsEmpty());
}

}  // namespace
}  // namespace carillon::cluster
