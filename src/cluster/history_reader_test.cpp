#include "cluster/history_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/cluster_message.hpp"
#include "cluster/stream_note.hpp"
#include "cluster/testing.hpp"

namespace carillon::cluster {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

redis::Reply text(std::string value) { return {.type = redis::Reply::Type::text, .text = std::move(value)}; }
redis::Reply number(std::int64_t value) { return {.type = redis::Reply::Type::integer, .number = value}; }
redis::Reply array(std::vector<redis::Reply> items) {
  return {.type = redis::Reply::Type::array, .items = std::move(items)};
}

redis::Reply entry(const std::string& id, const redis::StreamFields& fields) {
  std::vector<redis::Reply> texts;
  for (const auto& [name, value] : fields) {
    texts.push_back(text(name));
    texts.push_back(text(value));
  }
  return array({text(id), array(std::move(texts))});
}

redis::StreamFields event(const char* name, std::vector<std::string> rooms = {}, std::vector<std::string> except = {},
                          std::string_view uid = "other") {
  socketio::Broadcast message;
  message.event = name;
  message.rooms = std::move(rooms);
  message.except = std::move(except);
  return encode_entry(uid, broadcast_message(message).value());
}

redis::Reply extent(const std::string& first, const std::string& last, std::int64_t length, std::int64_t added) {
  return array({text("length"), number(length), text("last-generated-id"), text(last), text("entries-added"),
                number(added), text("first-entry"), first.empty() ? redis::Reply{} : array({text(first), array({})})});
}

class HistoryReaderTest : public ::testing::Test {
 protected:
  static socketio::SessionRecord record(std::vector<std::string> rooms = {"sid", "r", "q"}) {
    return {.pid = "p", .name_space = "/", .sid = "sid", .node = "node", .rooms = std::move(rooms)};
  }
  void ask(socketio::StreamOffset from) {
    reader.read("s", record(), from, [this](std::optional<socketio::History> given) {
      ++calls;
      history = std::move(given);
    });
  }
  void answer(redis::Reply reply) { std::exchange(link.command_done.back(), {})(std::move(reply)); }
  void refuse(std::string why) {
    std::exchange(link.command_done.back(),
                  {})(std::unexpected(redis::CommandError{redis::CommandError::Kind::refused, std::move(why)}));
  }
  std::vector<std::string> events() const {
    std::vector<std::string> texts;
    for (const auto& frames : history->events) texts.emplace_back(frames->payload(frames->parts()[0]));
    return texts;
  }

  FakeLink link;
  HistoryReader reader{link,
                       {.format = {.offsets = true, .stream_offsets = true},
                        .bytes_max = 1'000,
                        .page_entries = 3,
                        .entries_max = 10,
                        .readings_max = 3}};
  int calls = 0;
  std::optional<socketio::History> history;
};

TEST_F(HistoryReaderTest, GivesWhatTheClientMissed) {
  ask({5, 1});
  EXPECT_THAT(link.commands.back(), ElementsAre("XINFO", "STREAM", "s"));
  answer(extent("1-0", "9-0", 20, 500));
  EXPECT_THAT(link.commands.back(), ElementsAre("XRANGE", "s", "(5-1", "+", "COUNT", "3"));
  answer(array({entry("6-0", event("a", {"r"})), entry("6-1", event("b")), entry("7-0", event("c", {"other"}))}));
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(link.commands.back()[2], "(7-0") << "the next page";
  answer(array({entry("8-0", event("d", {"sid"})), entry("9-0", event("e", {"r"}, {"q"}))}));
  ASSERT_EQ(calls, 1);
  ASSERT_TRUE(history);
  EXPECT_THAT(events(), ElementsAre(R"(42["a","0000000000006-000000"])", R"(42["b","0000000000006-000001"])",
                                    R"(42["d","0000000000008-000000"])"));
  EXPECT_EQ(history->upto, (socketio::StreamOffset{9, 0}));
}

TEST_F(HistoryReaderTest, PassesOverWhatIsNotToBeReplayed) {
  ask({5, 0});
  answer(extent("1-0", "9-0", 9, 9));
  socketio::Broadcast message;
  message.event = "v";
  message.flags.is_volatile = true;
  const auto volatile_event = encode_entry("other", broadcast_message(message).value());
  auto elsewhere = event("x");
  elsewhere[1].second = "/elsewhere";
  answer(array({entry("6-0", volatile_event), entry("6-1", elsewhere)}));
  ASSERT_TRUE(history);
  EXPECT_THAT(history->events, IsEmpty());
  ask({5, 0});
  answer(extent("1-0", "9-0", 9, 9));
  answer(array(
      {entry("7-0", {{"some", "thing"}}), entry("7-1", {{"uid", "u"}, {"nsp", "/"}, {"type", "3"}, {"data", "{"}})}));
  ASSERT_TRUE(history);
  EXPECT_THAT(history->events, IsEmpty());
}

TEST_F(HistoryReaderTest, NothingIsMissedAtTheEnd) {
  ask({9, 0});
  answer(extent("", "9-0", 0, 500));
  answer(array({}));
  ASSERT_TRUE(history);
  EXPECT_EQ(history->upto, (socketio::StreamOffset{9, 0}));
}

TEST_F(HistoryReaderTest, WhatHasBeenTrimmedCannotBeRecovered) {
  ask({5, 0});
  answer(extent("6-0", "9-0", 20, 500));
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(history);
  ask({5, 0});
  answer(extent("", "9-0", 0, 500));
  EXPECT_FALSE(history);
  ask({5, 0});
  answer(extent("1-0", "4-0", 4, 4));  // Redis has lost its end
  EXPECT_FALSE(history);
  EXPECT_EQ(calls, 3);
}

// A client that connected before the first entry of all.
TEST_F(HistoryReaderTest, TheBeginningIsWholeIfNothingHasBeenRemoved) {
  ask({});
  answer(extent("6-0", "6-0", 1, 1));
  answer(array({entry("6-0", event("a"))}));
  ASSERT_TRUE(history);
  EXPECT_THAT(history->events, SizeIs(1));
  ask({});
  answer(extent("6-0", "6-0", 1, 2));
  EXPECT_FALSE(history);
  ask({});
  refuse("ERR no such key");
  ASSERT_TRUE(history) << "there is no stream yet";
  ask({5, 0});
  refuse("ERR no such key");
  EXPECT_FALSE(history);
}

TEST_F(HistoryReaderTest, WhatItsNodeDeliveredEarlyIsInDoubt) {
  auto own = event("a", {}, {}, "node");
  add_number(own, 7);
  ask({5, 0});
  answer(extent("1-0", "9-0", 20, 500));
  answer(array({entry("6-0", own), entry("6-1", note_entry("node", {6, 8}))}));
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(history);
  ask({5, 0});
  answer(extent("1-0", "9-0", 20, 500));
  answer(array({entry("6-0", own), entry("6-1", note_entry("another", {6, 8}))}));
  EXPECT_TRUE(history) << "another node's clients";
  ask({5, 0});
  answer(extent("1-0", "9-0", 20, 500));
  answer(array({entry("6-0", own), entry("6-1", note_entry("node", {1, 6}))}));
  EXPECT_TRUE(history) << "other events";
}

// A node has died.
TEST_F(HistoryReaderTest, ManyAreServedByOneSweep) {
  std::vector<std::string> given;
  const auto ask_for = [&](const std::string& who, socketio::StreamOffset from, const std::string& room) {
    reader.read("s", record({room}), from, [&given, who](std::optional<socketio::History> got) {
      given.push_back(who + (got ? std::to_string(got->events.size()) : "-"));
    });
  };
  ask_for("first", {5, 0}, "r");
  for (const char* who : {"a", "b", "c", "d"}) ask_for(who, {6, 0}, "r");
  EXPECT_THAT(link.commands, SizeIs(1)) << "others wait until this sweep is over";
  answer(extent("1-0", "9-0", 20, 500));
  answer(array({entry("6-0", event("x", {"r"})), entry("8-0", event("y"))}));
  EXPECT_THAT(given, ElementsAre("first2"));
  ask_for("e", {7, 0}, "other");
  answer(extent("1-0", "9-0", 20, 500));
  EXPECT_EQ(link.commands.back()[2], "(6-0");
  answer(array({entry("7-0", event("z", {"r", "other"})), entry("8-0", event("y"))}));
  EXPECT_THAT(given, ElementsAre("first2", "a2", "b2", "c2"));
  answer(extent("1-0", "9-0", 20, 500));
  answer(array({entry("7-0", event("z", {"r", "other"})), entry("8-0", event("y"))}));
  EXPECT_THAT(given, ElementsAre("first2", "a2", "b2", "c2", "d2", "e1"));
  EXPECT_THAT(link.commands, SizeIs(6));
}

TEST_F(HistoryReaderTest, ThoseWhoShareASweepGetTheSamePacket) {
  std::vector<socketio::History> given;
  const auto take = [&](std::optional<socketio::History> got) { given.push_back(std::move(got.value())); };
  ask({5, 0});
  for (int i = 0; i < 2; ++i) reader.read("s", record(), {5, 0}, take);
  refuse("ERR");
  answer(extent("1-0", "9-0", 20, 500));
  answer(array({entry("6-0", event("a"))}));
  ASSERT_THAT(given, SizeIs(2));
  EXPECT_EQ(given[0].events.at(0), given[1].events.at(0));
}

TEST_F(HistoryReaderTest, WhoIsTooFarBehindIsNotRecovered) {
  ask({5, 0});
  answer(extent("1-0", "90-0", 200, 500));
  for (int page = 0; calls == 0 && page < 10; ++page) {
    std::vector<redis::Reply> entries;
    for (int i = 0; i < 3; ++i) entries.push_back(entry("6-" + std::to_string(3 * page + i), event("a", {"other"})));
    answer(array(std::move(entries)));
  }
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(history);
}

TEST_F(HistoryReaderTest, OneWhoIsFarBehindHoldsUpNobody) {
  ask({5, 0});
  int far = 0;
  std::optional<socketio::History> near;
  reader.read("s", record(), {5, 0}, [&far](auto given) { far += given ? 0 : 1; });
  reader.read("s", record(), {7, 1}, [&](std::optional<socketio::History> given) { near = std::move(given); });
  refuse("ERR");  // the first sweep had the first one alone
  answer(extent("1-0", "9-0", 200, 500));
  for (int page = 0; page < 4; ++page) {
    std::vector<redis::Reply> entries;
    for (int i = 0; i < 3; ++i) entries.push_back(entry("6-" + std::to_string(3 * page + i), event("a", {"other"})));
    answer(array(std::move(entries)));
  }
  EXPECT_EQ(far, 1) << "too far behind";
  EXPECT_FALSE(near);
  EXPECT_EQ(link.commands.back()[2], "(7-1") << "what nobody needs any more is not read";
  answer(array({entry("8-0", event("b"))}));
  ASSERT_TRUE(near);
  EXPECT_THAT(near->events, SizeIs(1));
}

TEST_F(HistoryReaderTest, TooMuchIsNone) {
  ask({5, 0});
  answer(extent("1-0", "9-0", 20, 500));
  answer(
      array({entry("6-0", event(std::string(600, 'x').c_str())), entry("6-1", event(std::string(600, 'y').c_str()))}));
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(history);
}

TEST_F(HistoryReaderTest, NonsenseAndSilenceAreNone) {
  for (int i = 0; i < 5; ++i) {
    ask({5, 0});
    if (i == 0) refuse("NOPERM");
    if (i == 1) answer({});
    if (i >= 2) answer(extent("1-0", "9-0", 20, 500));
    if (i == 2) answer(text("x"));
    if (i == 3) answer(array({entry("4-0", event("a"))}));  // goes back
    if (i == 4) answer(array({array({text("6-0")})}));
    EXPECT_EQ(calls, i + 1);
    EXPECT_FALSE(history);
  }
}

}  // namespace
}  // namespace carillon::cluster
