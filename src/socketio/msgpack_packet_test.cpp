// Packets in MessagePack, as bytes and through a whole server.
#include "socketio/msgpack_packet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/hex.hpp"
#include "base/msgpack.hpp"
#include "socketio/decoder.hpp"
#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string encoded(const Value& value) {
  std::string bytes;
  append_msgpack(bytes, value);
  return bytes;
}

// type namespace [id] [event] arguments or auth, as JSON; or the error.
std::string read(std::string_view message) {
  Decoder decoder(PacketParser::msgpack, 10);
  IncomingPacket packet;
  const auto done = decoder.decode(true, message, packet);
  if (!done) return "error: " + std::string(to_string(done.error()));
  EXPECT_TRUE(*done);
  std::string text = std::to_string(static_cast<int>(packet.type)) + " " + std::string(packet.name_space);
  if (packet.id) text += " " + std::to_string(*packet.id);
  if (packet.event) text += " " + std::string(*packet.event);
  if (packet.type == PacketType::connect) return text + " " + to_json(packet.auth);
  return text + " [" + std::string(packet.args.text()) + "]";
}

std::string decoded(const Value& packet) { return read(encoded(packet)); }

constexpr std::string_view invalid = "error: invalid payload";

// The bytes of a message.
std::string message_of(const engineio::FramesPtr& frames) {
  EXPECT_THAT(frames->parts(), SizeIs(1));
  EXPECT_TRUE(frames->parts().front().binary);
  return std::string(frames->payload(frames->parts().front()));
}

// Encoded by socket.io-msgpack-parser 3.0.2.
TEST(MsgpackPacketTest, ReadsTheBytesOfThePublishedParser) {
  // {type: CONNECT, data: {token: "abc"}, nsp: "/admin"}
  EXPECT_EQ(read(from_hex("83a47479706500a46461746181a5746f6b656ea3616263a36e7370a62f61646d696e")),
            R"(0 /admin {"token":"abc"})");
  // {type: CONNECT, data: undefined, nsp: "/"}
  EXPECT_EQ(read(from_hex("83a47479706500a464617461d40000a36e7370a12f")), "0 / {}");
  // {type: EVENT, data: ["hello", 1, {b: Buffer <01 02>}], options: {compress: true}, id: 7, nsp: "/"}
  EXPECT_EQ(read(from_hex("85a47479706502a46461746193a568656c6c6f0181a162c4020102a76f7074696f6e7381a8636f6d7072657373c3"
                          "a2696407a36e7370a12f")),
            R"(2 / 7 hello [1,{"b":{"_placeholder":true,"num":0}}])");
}

TEST(MsgpackPacketTest, ReadsEachKindOfPacket) {
  EXPECT_EQ(decoded(Object{{"nsp", "/"}, {"type", 0}}), "0 / {}");
  EXPECT_EQ(decoded(Object{{"type", 1}, {"nsp", "/a"}}), "1 /a []");
  EXPECT_EQ(decoded(Object{{"type", 2}, {"nsp", "/"}, {"data", Array{"e", nullptr, 1.5, "\u20ac"}}}),
            "2 / e [null,1.5,\"\u20ac\"]");
  EXPECT_EQ(decoded(Object{{"type", 3}, {"nsp", "/"}, {"id", 0}, {"data", Array{}}}), "3 / 0 []");
  EXPECT_EQ(decoded(Object{{"type", 3}, {"nsp", "/"}, {"id", 9007199254740991}, {"data", Array{1, Array{2}}}}),
            "3 / 9007199254740991 [1,[2]]");
}

TEST(MsgpackPacketTest, WhatLooksLikeAPlaceholderIsData) {
  IncomingPacket packet;
  Decoder decoder(PacketParser::msgpack, 10);
  const Object fake{{"_placeholder", true}, {"num", 0}};
  const std::string bytes = encoded(Object{{"type", 2}, {"nsp", "/"}, {"data", Array{"e", fake, Binary{"x"}}}});
  ASSERT_TRUE(decoder.decode(true, bytes, packet));
  EXPECT_EQ(packet.args[0], Value(fake));
  EXPECT_EQ(packet.args[1], Value(Binary{"x"}));
}

TEST(MsgpackPacketTest, AnEventMayBeNamedByANumberOrHaveNoData) {
  EXPECT_EQ(decoded(Object{{"type", 2}, {"nsp", "/"}, {"data", Array{12, "a"}}}), R"(2 / 12 ["a"])");
  EXPECT_EQ(decoded(Object{{"type", 2}, {"nsp", "/"}, {"data", Array{12, Binary{""}}}}),
            R"(2 / 12 [{"_placeholder":true,"num":0}])");
  EXPECT_EQ(decoded(Object{{"type", 2}, {"nsp", "/"}, {"data", Array{}}}), "2 / []");
}

TEST(MsgpackPacketTest, MembersThatNobodyKnowsAreIgnored) {
  EXPECT_EQ(decoded(Object{{"type", 9}, {"type", 1}, {"nsp", "/"}, {"options", Object{{"type", 2}}}, {"7", Array{1}}}),
            "1 / []");
}

TEST(MsgpackPacketTest, RefusesWhatIsNoPacket) {
  for (const Value& value : {Value(), Value(2), Value("2[\"e\"]"), Value(Array{2, "/"}), Value(Binary{"x"})})
    EXPECT_EQ(decoded(value), invalid);
  for (const std::string_view bytes : {"", "\xc1", "\x83", "\x81\xa4type", "\xdf\xff\xff\xff\xff"})
    EXPECT_EQ(read(bytes), invalid);
  EXPECT_EQ(read(encoded(Object{{"type", 1}, {"nsp", "/"}}) + '\0'), invalid);
  EXPECT_EQ(decoded(Object{}), "error: unknown packet type");
}

TEST(MsgpackPacketTest, RefusesUnknownTypes) {
  const std::vector<Value> types{4, 5, 6, -1, 1.5, nullptr, "2", true, std::numeric_limits<std::uint64_t>::max()};
  for (const Value& type : types)
    EXPECT_EQ(decoded(Object{{"type", type}, {"nsp", "/"}, {"data", Array{"e"}}}), "error: unknown packet type");
  EXPECT_EQ(decoded(Object{{"type", Array{2}}, {"nsp", "/"}}), invalid);
}

TEST(MsgpackPacketTest, RefusesAWrongNamespace) {
  for (const Value& name : {Value(), Value(1), Value(Binary{"/"}), Value(Array{"/"}), Value("/\xff")})
    EXPECT_EQ(decoded(Object{{"type", 0}, {"nsp", name}}), invalid);
  EXPECT_EQ(decoded(Object{{"type", 0}}), invalid);
}

TEST(MsgpackPacketTest, RefusesDataOfTheWrongShape) {
  const auto with = [](int type, const Value& data) {
    return decoded(Object{{"type", type}, {"nsp", "/"}, {"data", data}});
  };
  for (const Value& data : {Value(), Value(Array{}), Value("x"), Value(1), Value(Binary{"x"})}) {
    EXPECT_EQ(with(0, data), invalid);
    EXPECT_EQ(with(1, data), invalid);
  }
  EXPECT_EQ(with(1, Object{}), invalid);
  for (const Value& data : {Value(), Value(Object{}), Value("e"), Value(1)}) {
    EXPECT_EQ(with(2, data), invalid);
    EXPECT_EQ(with(3, data), invalid);
  }
  for (const int type : {2, 3}) EXPECT_EQ(decoded(Object{{"type", type}, {"nsp", "/"}}), invalid);
  for (const Value& name : {Value(), Value(true), Value(Array{"e"}), Value(Object{})}) {
    EXPECT_EQ(with(2, Array{name}), invalid);
    EXPECT_EQ(with(2, Array{name, Binary{"x"}}), invalid);
  }
  for (const char* name : {"connect", "disconnect", "disconnecting", "newListener"}) {
    EXPECT_EQ(with(2, Array{name}), invalid) << name;
    EXPECT_EQ(with(2, Array{name, Binary{"x"}}), invalid) << name;
  }
}

TEST(MsgpackPacketTest, RefusesWrongIds) {
  for (const Value& id : {Value(), Value(-1), Value(1.5), Value("1"), Value(9007199254740992)})
    EXPECT_EQ(decoded(Object{{"type", 2}, {"nsp", "/"}, {"data", Array{"e"}}, {"id", id}}),
              "error: bad acknowledgement id");
}

TEST(MsgpackPacketTest, RefusesNestingWithoutEnd) {
  const std::string head = encoded(Object{{"type", 2}, {"nsp", "/"}}).substr(1);
  const auto nested = [&](std::size_t depth) {
    return "\x83" + head + encoded("data") + "\x92" + encoded("e") + std::string(depth, '\x91') + '\x01';
  };
  EXPECT_EQ(read(nested(2)), "2 / e [[[1]]]");
  EXPECT_EQ(read(nested(1'000)).substr(0, 5), "2 / e");
  EXPECT_EQ(read(nested(100'000)), invalid);
}

TEST(MsgpackPacketTest, TextIsNoPacket) {
  Decoder decoder(PacketParser::msgpack, 10);
  IncomingPacket packet;
  EXPECT_EQ(decoder.decode(false, "2[\"e\"]", packet).error(), PacketError::unexpected_text);
}

// Whatever changes in a valid packet: it is read or refused.
TEST(MsgpackPacketTest, MutatedPacketsAreHarmless) {
  const std::string valid = encoded(Object{
      {"type", 2}, {"nsp", "/"}, {"id", 300}, {"data", Array{"event", Binary{"xyz"}, Object{{"k", 1.5}}, nullptr}}});
  for (std::size_t i = 0; i < valid.size(); ++i) {
    for (int with = 0; with < 256; ++with) {
      std::string mutated = valid;
      mutated[i] = static_cast<char>(with);
      std::ignore = read(mutated);
    }
    std::ignore = read(std::string_view(valid).substr(0, i));
  }
}

// --- writing ---

TEST(MsgpackPacketTest, WritesWhatItReads) {
  EXPECT_EQ(read(message_of(msgpack::encode_event("/a", "e", make_args(1, "x"), 7))), R"(2 /a 7 e [1,"x"])");
  EXPECT_EQ(read(message_of(msgpack::encode_event("/", "e", Args::borrow("1,{\"a\":[]}")))), R"(2 / e [1,{"a":[]}])");
  EXPECT_EQ(read(message_of(msgpack::encode_ack("/", 3, make_args(Binary{"x"})))),
            R"(3 / 3 [{"_placeholder":true,"num":0}])");
  const Value sid = Object{{"sid", "abc"}};
  EXPECT_EQ(read(message_of(msgpack::encode_control(PacketType::connect, "/", &sid))), R"(0 / {"sid":"abc"})");
  EXPECT_EQ(read(message_of(msgpack::encode_control(PacketType::disconnect, "/a", nullptr))), "1 /a []");
}

TEST(MsgpackPacketTest, TheOffsetIsTheLastArgumentAndHasItsPlace) {
  const PacketFormat format{.parser = PacketParser::msgpack, .offsets = true};
  const auto frames = encode_event(format, "/", "e", make_args(1), "0000000042");
  const std::size_t place = offset_place(format, *frames, 10);
  EXPECT_EQ(frames->wire().substr(place, 10), "0000000042");
  EXPECT_EQ(read(message_of(frames)), R"(2 / e [1,"0000000042"])");
}

TEST(MsgpackPacketTest, EventsOfOtherServersAreWrittenAnew) {
  const PacketFormat format{.parser = PacketParser::msgpack};
  // A Date of notepack.io 3: as JSON has it
  const auto frames = encode_event_data(format, "/", from_hex("92a165d6ff00000000"));
  ASSERT_TRUE(frames);
  EXPECT_EQ(read(message_of(*frames)), R"(2 / e ["1970-01-01T00:00:00.000Z"])");
  EXPECT_FALSE(encode_event_data(format, "/", from_hex("92a165")));
  EXPECT_FALSE(encode_event_data(format, "/", from_hex("80")));
  const auto json = encode_event_data({}, "/", from_hex("92a165c40178"));
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)->payload((*json)->parts()[0]), R"(451-["e",{"_placeholder":true,"num":0}])");
}

// --- through a server ---

class MsgpackServerTest : public ::testing::Test {
 protected:
  MsgpackServerTest() {
    bench.options.parser = PacketParser::msgpack;
    bench.root().on_connection([](Socket& socket) {
      socket.on("echo", [&socket](const Args& args, const Ack& ack) {
        socket.emit("back", args);
        ack(args);
      });
    });
  }
  void send(engineio::FakePeer& peer, const Value& packet) { bench.engine().binary(peer, encoded(packet)); }
  // What has come, as JSON.
  static std::vector<std::string> take(engineio::FakePeer& peer) {
    std::vector<std::string> packets = peer.take();
    for (std::string& packet : packets) {
      EXPECT_TRUE(packet.starts_with("b:")) << packet;
      const auto value = parse_msgpack(std::string_view(packet).substr(2));
      packet = value ? to_json(*value) : "malformed";
    }
    return packets;
  }

  Bench bench;
};

TEST_F(MsgpackServerTest, ServesAClientFromConnectToDisconnect) {
  engineio::FakePeer& peer = bench.engine().open_websocket();
  send(peer, Object{{"type", 0}, {"nsp", "/"}});
  EXPECT_THAT(take(peer), ElementsAre(::testing::StartsWith(R"({"type":0,"nsp":"/","data":{"sid":)")));
  send(peer, Object{{"type", 2}, {"nsp", "/"}, {"id", 5}, {"data", Array{"echo", 1, Binary{"x"}}}});
  EXPECT_THAT(take(peer), ElementsAre(R"({"type":2,"nsp":"/","data":["back",1,{"_placeholder":true,"num":0}]})",
                                      R"({"type":3,"nsp":"/","id":5,"data":[1,{"_placeholder":true,"num":0}]})"));
  bench.root().to("nobody").emit("n");
  bench.root().emit("n", "all");
  bench.turn();
  EXPECT_THAT(take(peer), ElementsAre(R"({"type":2,"nsp":"/","data":["n","all"]})"));
  send(peer, Object{{"type", 0}, {"nsp", "/unknown"}});
  EXPECT_THAT(take(peer), ElementsAre(R"({"type":4,"nsp":"/unknown","data":{"message":"Invalid namespace"}})"));
  send(peer, Object{{"type", 1}, {"nsp", "/"}});
  EXPECT_THAT(take(peer), IsEmpty());
  EXPECT_TRUE(peer.open());
}

TEST_F(MsgpackServerTest, AMalformedPacketEndsItsConnectionOnly) {
  engineio::FakePeer& other = bench.engine().open_websocket();
  send(other, Object{{"type", 0}, {"nsp", "/"}});
  take(other);
  for (const std::string& message : {std::string("\xc1"), encoded(Object{{"type", 2}}), std::string()}) {
    engineio::FakePeer& peer = bench.engine().open_websocket();
    send(peer, Object{{"type", 0}, {"nsp", "/"}});
    bench.engine().binary(peer, message);
    EXPECT_EQ(peer.closed_with, 1005);
  }
  engineio::FakePeer& peer = bench.engine().open_websocket();
  bench.engine().message(peer, "40");
  EXPECT_EQ(peer.closed_with, 1005);
  send(other, Object{{"type", 2}, {"nsp", "/"}, {"data", Array{"echo"}}});
  EXPECT_THAT(take(other), ElementsAre(R"({"type":2,"nsp":"/","data":["back"]})"));
}

TEST_F(MsgpackServerTest, BroadcastsOfOtherNodesAreReadAgainForWhoAsks) {
  std::vector<std::string> seen;
  bench.root().on_connection([&](Socket& socket) {
    socket.on_any_outgoing([&](std::string_view event, const Args& args) {
      seen.push_back(std::string(event) + " " + std::string(args.text()));
    });
  });
  engineio::FakePeer& peer = bench.engine().open_websocket();
  send(peer, Object{{"type", 0}, {"nsp", "/"}});
  take(peer);
  for (const Array& data : {Array{"x", 1, Binary{"b"}}, Array{"y"}}) {
    Broadcast message;
    ASSERT_TRUE(encode_broadcast_data(bench.core().format(), message, encoded(data)));
    bench.core().deliver(message);
  }
  bench.turn();
  EXPECT_THAT(seen, ElementsAre(R"(x 1,{"_placeholder":true,"num":0})", "y "));
  EXPECT_THAT(take(peer), SizeIs(2));
}

TEST_F(MsgpackServerTest, ABroadcastIsEncodedOnce) {
  bench.core();
  bench.root().emit("n", Binary{"x"});
  bench.turn();
  ASSERT_THAT(bench.node.broadcasts, SizeIs(1));
  const std::string message = message_of(bench.node.broadcasts[0]->frames);
  EXPECT_EQ(message, from_hex("83a474797065") + '\x02' + from_hex("a36e7370a12fa46461746192a16ec40178"));
}

}  // namespace
}  // namespace carillon::socketio
