#include "cluster/session_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "base/msgpack.hpp"

namespace carillon::cluster {
namespace {

using ::testing::ElementsAre;

socketio::SessionRecord record() {
  return {.pid = "abcdefghijklmnopqrst",
          .owner = "0123456789abcdef",
          .name_space = "/orders",
          .sid = "-P3FZuicp73F2N95AAAA",
          .identity = "alice",
          .node = "70acccd1cc7c8c71",
          .rooms = {"-P3FZuicp73F2N95AAAA", "r"},
          .data = Object{{"name", "x"}, {"bin", Binary{"\x01"}}},
          .proven = {1'795'312'150'786, 3}};
}

TEST(SessionCodecTest, IsReadAsItWasWritten) {
  const auto read = decode_session("abcdefghijklmnopqrst", encode_session(record()));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->owner, record().owner);
  EXPECT_EQ(read->name_space, "/orders");
  EXPECT_EQ(read->sid, record().sid);
  EXPECT_EQ(read->identity, "alice");
  EXPECT_EQ(read->node, record().node);
  EXPECT_EQ(read->rooms, record().rooms);
  EXPECT_EQ(read->data, record().data);
  EXPECT_EQ(read->proven, record().proven);
}

TEST(SessionCodecTest, TheMarkIsTheOwners) {
  const std::string value = encode_session(record());
  EXPECT_EQ(mark_of(value), mark_of_owner(record().owner));
  auto other = record();
  other.rooms.clear();
  other.data = nullptr;
  EXPECT_EQ(mark_of(encode_session(other)), mark_of(value)) << "renewed";
  other.owner = "0123456789abcdeX";
  EXPECT_NE(mark_of(encode_session(other)), mark_of(value)) << "taken over";
}

// { sid, pid, rooms, data } as @socket.io/redis-streams-adapter 0.3.1 writes it.
TEST(SessionCodecTest, ReadsThatOfAPublishedServer) {
  std::string bytes;
  append_msgpack(bytes, Object{{"sid", "s1"}, {"pid", "p1"}, {"rooms", Array{"s1", "r"}}, {"data", Object{{"a", 1}}}});
  const auto read = decode_session("p1", base64(bytes));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sid, "s1");
  EXPECT_THAT(read->rooms, ElementsAre("s1", "r"));
  EXPECT_EQ(read->identity, "");
  EXPECT_EQ(read->mark, mark_of(base64(bytes)));
  EXPECT_FALSE(read->proven.exists());
}

TEST(SessionCodecTest, RefusesWhatIsNoRecord) {
  const std::string value = encode_session(record());
  EXPECT_FALSE(decode_session("another", value));
  for (std::size_t size = 0; size + 4 < value.size(); size += 4)
    EXPECT_FALSE(decode_session(record().pid, value.substr(0, size)));
  EXPECT_FALSE(decode_session("p", "not base64!"));
  EXPECT_FALSE(decode_session("p", base64("\xc1")));
  const auto of = [](const Value& map) {
    std::string bytes;
    append_msgpack(bytes, map);
    return base64(bytes);
  };
  EXPECT_FALSE(decode_session("p", of(Object{{"pid", "p"}})));
  EXPECT_FALSE(decode_session("p", of(Object{{"pid", "p"}, {"sid", ""}, {"rooms", Array{}}})));
  EXPECT_FALSE(decode_session("p", of(Object{{"pid", "p"}, {"sid", "s"}, {"rooms", 7}})));
  EXPECT_FALSE(decode_session("p", of(Object{{"pid", "p"}, {"sid", std::string(1'000, 's')}, {"rooms", Array{}}})));
  EXPECT_FALSE(decode_session("p", of(Array{1, 2})));
}

}  // namespace
}  // namespace carillon::cluster
