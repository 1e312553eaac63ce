#include "socketio/json_packet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engineio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;

// type [attachments] namespace [id] data, with " | " between them.
std::string decoded(std::string_view text) {
  const auto packet = decode_packet(text);
  if (!packet) return "error: " + std::string(to_string(packet.error()));
  std::string result = std::to_string(static_cast<int>(packet->type));
  if (packet->attachments > 0) result += " | " + std::to_string(packet->attachments) + "-";
  result.append(" | ").append(packet->name_space);
  if (packet->id) result += " | " + std::to_string(*packet->id);
  return result.append(" | ").append(packet->data);
}

std::vector<std::string> messages(const engineio::FramesPtr& frames) { return engineio::messages_of(*frames); }

// --- decoding ---

TEST(SocketIoPacket, ReadsTheProtocolDocumentsExamples) {
  EXPECT_EQ(decoded("0"), "0 | / | ");
  EXPECT_EQ(decoded(R"(0{"token":"123"})"), R"(0 | / | {"token":"123"})");
  EXPECT_EQ(decoded(R"(0/admin,{"token":"123"})"), R"(0 | /admin | {"token":"123"})");
  EXPECT_EQ(decoded("1/admin,"), "1 | /admin | ");
  EXPECT_EQ(decoded(R"(2["foo"])"), R"(2 | / | ["foo"])");
  EXPECT_EQ(decoded(R"(2/admin,["bar"])"), R"(2 | /admin | ["bar"])");
  EXPECT_EQ(decoded(R"(212["foo"])"), R"(2 | / | 12 | ["foo"])");
  EXPECT_EQ(decoded(R"(3/admin,13["bar"])"), R"(3 | /admin | 13 | ["bar"])");
  EXPECT_EQ(decoded(R"(51-["baz",{"_placeholder":true,"num":0}])"),
            R"(5 | 1- | / | ["baz",{"_placeholder":true,"num":0}])");
  EXPECT_EQ(decoded(R"(52-/admin,["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])"),
            R"(5 | 2- | /admin | ["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])");
  EXPECT_EQ(decoded(R"(61-15["bar",{"_placeholder":true,"num":0}])"),
            R"(6 | 1- | / | 15 | ["bar",{"_placeholder":true,"num":0}])");
}

TEST(SocketIoPacket, ANamespaceEndsAtTheCommaOrTheEnd) {
  EXPECT_EQ(decoded("0/custom"), "0 | /custom | ");
  EXPECT_EQ(decoded("0/custom,"), "0 | /custom | ");
  EXPECT_EQ(decoded("0/,"), "0 | / | ");
  EXPECT_EQ(decoded("0/custom?token=abc,"), "0 | /custom?token=abc | ");
  EXPECT_EQ(decoded("2/a/b,1[\"x\"]"), "2 | /a/b | 1 | [\"x\"]");
  EXPECT_EQ(decoded("2/12[\"x\",1]"), "2 | /12[\"x\" | 1 | ]");
}

TEST(SocketIoPacket, AcknowledgementIdsAreExactUpTo53Bits) {
  EXPECT_EQ(decoded("20[\"x\"]"), "2 | / | 0 | [\"x\"]");
  EXPECT_EQ(decoded("29007199254740991[\"x\"]"), "2 | / | 9007199254740991 | [\"x\"]");
  EXPECT_EQ(decoded("29007199254740992[\"x\"]"), "error: bad acknowledgement id");
  EXPECT_EQ(decoded("299999999999999999999999[\"x\"]"), "error: bad acknowledgement id");
  for (const char* text : {"2-1[\"x\"]", "2+1[\"x\"]", "21.5[\"x\"]", "21e3[\"x\"]"}) {
    const auto packet = decode_packet(text);
    EXPECT_TRUE(!packet || !split_event(packet->data)) << text;
  }
}

TEST(SocketIoPacket, RefusesWhatIsNoPacket) {
  EXPECT_EQ(decoded(""), "error: empty packet");
  for (const char* text : {"7", "9", "a", "-1", " 0", "[", "/"}) EXPECT_EQ(decoded(text), "error: unknown packet type");
  for (const char* text : {"5", "5[]", "5-[]", "51[]", "5x-[]", "5-1-[]", "51.5-[]", "51e1-[]", "50-[\"x\"]", "6",
                           "60-[]", "599999999999999999999999-[]"})
    EXPECT_EQ(decoded(text), "error: bad attachment count") << text;
}

// --- events ---

std::string event_of(std::string_view data) {
  const auto event = split_event(data);
  if (!event) return "error: " + std::string(to_string(event.error()));
  return std::string(event->name) + (event->escaped ? " (escaped) | " : " | ") + std::string(event->elements);
}

TEST(SocketIoEvent, IsANameAndItsArguments) {
  EXPECT_EQ(event_of(R"(["x"])"), "x | ");
  EXPECT_EQ(event_of(R"(["x",1,"a",{"b":[2]}])"), R"(x | 1,"a",{"b":[2]})");
  EXPECT_EQ(event_of(R"([ "x" , 1 , [ ] ])"), "x | 1 , [ ]");
  EXPECT_EQ(event_of(" [\"x\"]\n"), "x | ");
  EXPECT_EQ(event_of(R"(["",null])"), " | null");
  EXPECT_EQ(event_of(R"(["a,]\"",1])"), R"(a,]\" (escaped) | 1)");
  EXPECT_EQ(event_of(R"(["\u0061"])"), R"(\u0061 (escaped) | )");
  EXPECT_EQ(event_of(R"(["€"])"), "€ | ");
}

TEST(SocketIoEvent, MayBeNamedByANumber) {
  EXPECT_EQ(event_of("[1]"), "1 | ");
  EXPECT_EQ(event_of("[12,\"a\"]"), "12 | \"a\"");
  EXPECT_EQ(event_of("[-1.5e3 , 2]"), "-1.5e3 | 2");
}

TEST(SocketIoEvent, RefusesEverythingElse) {
  for (const char* data :
       {"",          "[]",   "[ ]",       "{}",        "null",       "\"x\"",       "1",          "[null]",
        "[true]",    "[{}]", "[[\"x\"]]", "[\"x\"",    "[\"x\",]",   "[\"x\"]]",    "[\"x\"] []", "[,\"x\"]",
        "[\"x\" 1]", "[x]",  "[\"x]",     "[\"\\x\"]", "[\"x\",01]", "[\"x\",'a']", "[\"\xff\"]", "[\"a\nb\"]"})
    EXPECT_EQ(event_of(data), "error: invalid payload") << data;
}

TEST(SocketIoEvent, AThousandLevelsAreFineTenThousandAreNot) {
  const auto nested = [](std::size_t depth) {
    return "[\"x\"," + std::string(depth, '[') + std::string(depth, ']') + "]";
  };
  EXPECT_TRUE(split_event(nested(1'000)));
  EXPECT_FALSE(split_event(nested(10'000)));
  EXPECT_FALSE(split_event("[\"x\"," + std::string(100'000, '[')));
  std::string objects = "1";
  for (int i = 0; i < 10'000; ++i) objects = "{\"a\":" + objects + "}";
  EXPECT_FALSE(split_event("[\"x\"," + objects + "]"));
}

TEST(SocketIoEvent, ArgumentsStayTheBytesThatCame) {
  EXPECT_EQ(event_of(R"(["x","\ud800","\ud83d\ude00",1.0,1E2,9007199254740993])"),
            R"(x | "\ud800","\ud83d\ude00",1.0,1E2,9007199254740993)");
}

TEST(SocketIoEvent, ReservedNames) {
  for (const char* name : {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"})
    EXPECT_TRUE(is_reserved_event(name)) << name;
  for (const char* name : {"", "connection", "Connect", "connect ", "message", "error"})
    EXPECT_FALSE(is_reserved_event(name)) << name;
}

TEST(SocketIoAck, IsAnArray) {
  EXPECT_EQ(split_ack("[]").value_or("error"), "");
  EXPECT_EQ(split_ack(R"([ 1,{"a":2} ])").value_or("error"), R"(1,{"a":2})");
  for (const char* data : {"", "{}", "null", "1", "[1", "[1,]", "[]]", "[\"\xff\"]"})
    EXPECT_FALSE(split_ack(data)) << data;
}

// --- encoding ---

engineio::FramesPtr control(PacketType type, std::string_view name_space, const Value& data) {
  return json::encode_control(type, name_space, &data);
}

TEST(SocketIoEncode, WritesTheProtocolDocumentsExamples) {
  EXPECT_THAT(messages(control(PacketType::connect, "/", Object{{"sid", "wZX3oN0bSVIhsaknAAAI"}})),
              ElementsAre(R"(40{"sid":"wZX3oN0bSVIhsaknAAAI"})"));
  EXPECT_THAT(messages(control(PacketType::connect, "/admin", Object{{"sid", "oSO0OpakMV_3jnilAAAA"}})),
              ElementsAre(R"(40/admin,{"sid":"oSO0OpakMV_3jnilAAAA"})"));
  EXPECT_THAT(messages(control(PacketType::connect_error, "/", Object{{"message", "Not authorized"}})),
              ElementsAre(R"(44{"message":"Not authorized"})"));
  EXPECT_THAT(messages(control(PacketType::connect_error, "/x", "no")), ElementsAre(R"(44/x,"no")"));
  EXPECT_THAT(messages(json::encode_control(PacketType::disconnect, "/", nullptr)), ElementsAre("41"));
  EXPECT_THAT(messages(json::encode_control(PacketType::disconnect, "/admin", nullptr)), ElementsAre("41/admin,"));
  EXPECT_THAT(messages(json::encode_event("/", "foo", make_args())), ElementsAre(R"(42["foo"])"));
  EXPECT_THAT(messages(json::encode_event("/admin", "bar", make_args(1, "a", nullptr))),
              ElementsAre(R"(42/admin,["bar",1,"a",null])"));
  EXPECT_THAT(messages(json::encode_event("/", "foo", make_args(), 12)), ElementsAre(R"(4212["foo"])"));
  EXPECT_THAT(messages(json::encode_ack("/admin", 13, make_args("bar"))), ElementsAre(R"(43/admin,13["bar"])"));
  EXPECT_THAT(messages(json::encode_ack("/", 0, make_args())), ElementsAre("430[]"));
}

TEST(SocketIoEncode, BinaryFollowsAsAttachments) {
  EXPECT_THAT(messages(json::encode_event("/admin", "baz", make_args(Binary{"\x01"}, Object{{"in", Binary{"\x02"}}}))),
              ElementsAre(R"(452-/admin,["baz",{"_placeholder":true,"num":0},{"in":{"_placeholder":true,"num":1}}])",
                          "b:\x01", "b:\x02"));
  EXPECT_THAT(messages(json::encode_ack("/", 15, make_args("bar", Binary{""}))),
              ElementsAre(R"(461-15["bar",{"_placeholder":true,"num":0}])", "b:"));
  EXPECT_THAT(messages(json::encode_event_data("/", R"(["x",{"_placeholder":true,"num":0}])", {Binary{"\x01"}})),
              ElementsAre(R"(451-["x",{"_placeholder":true,"num":0}])", "b:\x01"));
  EXPECT_THAT(messages(json::encode_event_data("/n", R"(["x"])", {})), ElementsAre(R"(42/n,["x"])"));
}

TEST(SocketIoEncode, NamesAreEscaped) {
  EXPECT_THAT(messages(json::encode_event("/", "a\"b\\\n", make_args())), ElementsAre(R"(42["a\"b\\\n"])"));
}

TEST(SocketIoEncode, ArgumentsThatCameInGoOutAsTheyAre) {
  EXPECT_THAT(messages(json::encode_event("/", "x", Args::borrow(R"("\ud800",1.0,{"_placeholder":true,"num":0})"))),
              ElementsAre(R"(42["x","\ud800",1.0,{"_placeholder":true,"num":0}])"));
}

}  // namespace
}  // namespace carillon::socketio
