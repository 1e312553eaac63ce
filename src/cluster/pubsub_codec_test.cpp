#include "cluster/pubsub_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hex.hpp"
#include "base/json.hpp"
#include "base/msgpack.hpp"

namespace carillon::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// --- bytes captured from socket.io 4.8.4, @socket.io/redis-adapter 8.3.0 and @socket.io/redis-emitter 5.1.0 ---

// io.to("room1").emit("hello"), on socket.io#/#room1#
constexpr std::string_view to_room =
    "93a64d6a5063363083a47479706502a46461746191a568656c6c6fa36e7370a12f83a5726f6f6d7391a5726f6f6d31a665786365707490a566"
    "6c"
    "61677380";
// io.emit("news", 1, "two", null, true, { a: [1.5, -1] }), on socket.io#/#
constexpr std::string_view to_everyone =
    "93a64d6a5063363083a47479706502a46461746196a46e65777301a374776fc0c381a16192cb3ff8000000000000ffa36e7370a12f83a5726f"
    "6f"
    "6d7390a665786365707490a5666c61677380";
// io.to("a").to("b").except("c").emit("x", "ü€😀"), on socket.io#/#
constexpr std::string_view to_two_rooms =
    "93a64d6a5063363083a47479706502a46461746192a178a9c3bce282acf09f9880a36e7370a12f83a5726f6f6d7392a161a162a66578636570"
    "74"
    "91a163a5666c61677380";
// io.to("r").volatile.compress(false).emit("v"), on socket.io#/#r#
constexpr std::string_view with_flags =
    "93a64d6a5063363083a47479706502a46461746191a176a36e7370a12f83a5726f6f6d7391a172a665786365707490a5666c61677382a8766f"
    "6c"
    "6174696c65c3a8636f6d7072657373c2";
// io.to("r").compress(true).emit("v"), on socket.io#/#r#
constexpr std::string_view compress_true =
    "93a64d6a5063363083a47479706502a46461746191a176a36e7370a12f83a5726f6f6d7391a172a665786365707490a5666c61677381a8636f"
    "6d"
    "7072657373c3";
// io.to("r").timeout(500).emit("v"), on socket.io#/#r#
constexpr std::string_view with_timeout =
    "93a64d6a5063363083a47479706502a46461746191a176a36e7370a12f83a5726f6f6d7391a172a665786365707490a5666c61677381a77469"
    "6d"
    "656f7574cd01f4";
// io.to("r").emit("b", Buffer.from([1,2,3]), { x: new Uint8Array([4,5]) }), on socket.io#/#r#
constexpr std::string_view with_binary =
    "93a64d6a5063363083a47479706502a46461746193a162c40301020381a178c4020405a36e7370a12f83a5726f6f6d7391a172a66578636570"
    "74"
    "90a5666c61677380";
// io.emit("s", undefined, { u: undefined, v: 1 }, new Date(0), new Date(1234567890123), new Date(-1), NaN)
constexpr std::string_view specials =
    "93a64d6a5063363083a47479706502a46461746197a173c081a17601d6ff00000000d7ff1d535300499602d2c70cff3b8b87c0ffffffffffff"
    "ff"
    "ffcb7ff8000000000000a36e7370a12f83a5726f6f6d7390a665786365707490a5666c61677380";
// io.of("/orders").to("r#1").emit("o"), on socket.io#/orders#r#1#
constexpr std::string_view in_orders =
    "93a642726d53316983a47479706502a46461746191a16fa36e7370a72f6f726465727383a5726f6f6d7391a3722331a665786365707490a566"
    "6c"
    "61677380";
// io.to(42).emit("o"), on socket.io#/#42#
constexpr std::string_view numeric_room =
    "93a64d6a5063363083a47479706502a46461746191a16fa36e7370a12f83a5726f6f6d73912aa665786365707490a5666c61677380";
// emitter.to("room1").emit("e", 1), on socket.io#/#room1#
constexpr std::string_view from_emitter =
    "93a7656d697474657283a47479706502a46461746192a16501a36e7370a12f83a5726f6f6d7391a5726f6f6d31a5666c61677380a665786365"
    "7074"
    "90";
// emitter.to("a").except("b").volatile.emit("e", Buffer.from([9])), on socket.io#/#a#
constexpr std::string_view from_emitter_volatile =
    "93a7656d697474657283a47479706502a46461746192a165c40109a36e7370a12f83a5726f6f6d7391a161a5666c61677381a8766f6c617469"
    "6c65"
    "c3a665786365707491a162";
// From an earlier capture (uid Xd7f1u).
constexpr std::string_view to_room_earlier =
    "93a658643766317583a47479706502a46461746191a568656c6c6fa36e7370a12f83a5726f6f6d7391a5726f6f6d31a665786365707490a566"
    "6c61"
    "677380";

// --- encoding ---

socketio::Broadcast broadcast(std::string_view event, Args args, std::vector<std::string> rooms = {},
                              std::vector<std::string> except = {}, BroadcastFlags flags = {}) {
  socketio::Broadcast message;
  message.rooms = std::move(rooms);
  message.except = std::move(except);
  message.flags = flags;
  message.event = event;
  message.args = std::move(args);
  return message;
}

std::string encoded(const socketio::Broadcast& message, std::string_view uid = "MjPc60") {
  return to_hex(encode_broadcast(uid, message).value());
}

TEST(PubSubCodecTest, EncodesToTheBytesOfTheNodeServer) {
  EXPECT_EQ(encoded(broadcast("hello", Args(), {"room1"})), to_room);
  EXPECT_EQ(encoded(broadcast("hello", Args(), {"room1"}), "Xd7f1u"), to_room_earlier);
  EXPECT_EQ(encoded(broadcast("news", make_args(1, "two", nullptr, true, Object{{"a", Array{1.5, -1}}}))), to_everyone);
  EXPECT_EQ(encoded(broadcast("x", make_args("ü€😀"), {"a", "b"}, {"c"})), to_two_rooms);
  EXPECT_EQ(encoded(broadcast("v", Args(), {"r"}, {}, {.is_volatile = true, .compress = false})), with_flags);
  EXPECT_EQ(encoded(broadcast("b", make_args(Binary{"\1\2\3"}, Object{{"x", Binary{"\4\5"}}}), {"r"})), with_binary);
  auto orders = broadcast("o", Args(), {"r#1"});
  orders.name_space = "/orders";
  EXPECT_EQ(encoded(orders, "BrmS1i"), in_orders);
}

TEST(PubSubCodecTest, EncodesArgumentsThatAreStillText) {
  EXPECT_EQ(encoded(broadcast("news", Args::borrow(R"( 1 ,"tw\u006f",null,true, {"a": [1.5, -1.0]})"))), to_everyone);
  const Args binary = make_args(Binary{"\1\2\3"}, Object{{"x", Binary{"\4\5"}}});
  const Args copy(binary);
  EXPECT_EQ(encoded(broadcast("b", copy, {"r"})), with_binary);
}

TEST(PubSubCodecTest, NestingBeyondTheLimitIsNotEncoded) {
  Value value(1);
  for (std::size_t i = 0; i < json_depth_max; ++i) value = Value(Array{std::move(value)});
  EXPECT_FALSE(encode_broadcast("MjPc60", broadcast("deep", Args(Array{std::move(value)}))));
}

TEST(PubSubCodecTest, ChannelsAreThoseOfTheNodeServer) {
  EXPECT_EQ(channel_of("socket.io", broadcast("e", Args())), "socket.io#/#");
  EXPECT_EQ(channel_of("socket.io", broadcast("e", Args(), {"r"})), "socket.io#/#r#");
  EXPECT_EQ(channel_of("socket.io", broadcast("e", Args(), {"r"}, {"x"})), "socket.io#/#r#");
  EXPECT_EQ(channel_of("app", broadcast("e", Args(), {"a", "b"})), "app#/#");
  auto orders = broadcast("o", Args(), {"r#1"});
  orders.name_space = "/orders";
  EXPECT_EQ(channel_of("socket.io", orders), "socket.io#/orders#r#1#");
  EXPECT_EQ(base_channel("socket.io", "/orders"), "socket.io#/orders#");
}

// --- decoding ---

struct Decoded {
  IncomingBroadcast message;
  std::string body;  // what `message` borrows from
};

Decoded decoded(std::string_view hex) {
  Decoded result;
  result.body = from_hex(hex);
  const auto done = decode_broadcast(result.body, result.message);
  EXPECT_TRUE(done) << hex;
  return result;
}

std::string json_of(const IncomingBroadcast& message) {
  std::string json;
  std::vector<Binary> attachments;
  EXPECT_TRUE(append_json_of_msgpack(message.data, json, attachments));
  return json;
}

TEST(PubSubCodecTest, DecodesTheBytesOfTheNodeServer) {
  auto got = decoded(to_room);
  EXPECT_EQ(decode_uid(got.body), "MjPc60");
  EXPECT_EQ(got.message.name_space, "/");
  EXPECT_THAT(got.message.rooms, ElementsAre("room1"));
  EXPECT_THAT(got.message.except, IsEmpty());
  EXPECT_FALSE(got.message.flags.is_volatile);
  EXPECT_TRUE(got.message.flags.compress);
  EXPECT_EQ(json_of(got.message), R"(["hello"])");

  got = decoded(to_everyone);
  EXPECT_THAT(got.message.rooms, IsEmpty());
  EXPECT_EQ(json_of(got.message), R"(["news",1,"two",null,true,{"a":[1.5,-1]}])");

  got = decoded(to_two_rooms);
  EXPECT_THAT(got.message.rooms, ElementsAre("a", "b"));
  EXPECT_THAT(got.message.except, ElementsAre("c"));
  EXPECT_EQ(json_of(got.message), R"(["x","ü€😀"])");

  got = decoded(with_flags);
  EXPECT_TRUE(got.message.flags.is_volatile);
  EXPECT_FALSE(got.message.flags.compress);
  EXPECT_TRUE(decoded(compress_true).message.flags.compress);
  EXPECT_FALSE(decoded(with_timeout).message.flags.is_volatile);  // flags that are not for us are passed over

  EXPECT_EQ(
      json_of(decoded(specials).message),
      R"(["s",null,{"v":1},"1970-01-01T00:00:00.000Z","2009-02-13T23:31:30.123Z","1969-12-31T23:59:59.999Z",null])");
  got = decoded(in_orders);
  EXPECT_EQ(got.message.name_space, "/orders");
  EXPECT_THAT(got.message.rooms, ElementsAre("r#1"));
  EXPECT_THAT(decoded(numeric_room).message.rooms, ElementsAre("42"));
}

TEST(PubSubCodecTest, DecodesTheBytesOfTheEmitter) {
  auto got = decoded(from_emitter);
  EXPECT_EQ(decode_uid(got.body), emitter_uid);
  EXPECT_THAT(got.message.rooms, ElementsAre("room1"));
  EXPECT_EQ(json_of(got.message), R"(["e",1])");
  got = decoded(from_emitter_volatile);
  EXPECT_TRUE(got.message.flags.is_volatile);
  EXPECT_THAT(got.message.except, ElementsAre("b"));
}

TEST(PubSubCodecTest, BuildsTheBroadcastForClients) {
  auto got = decoded(with_binary);
  const auto message = to_broadcast({}, std::move(got.message));
  ASSERT_TRUE(message);
  const engineio::Frames& frames = *(*message)->frames;
  ASSERT_EQ(frames.parts().size(), 3U);
  EXPECT_EQ(frames.payload(frames.parts()[0]),
            R"(452-["b",{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1}}])");
  EXPECT_EQ(frames.payload(frames.parts()[1]), "\1\2\3");
  EXPECT_EQ(frames.payload(frames.parts()[2]), "\4\5");
  EXPECT_THAT((*message)->rooms, ElementsAre("r"));
  EXPECT_EQ((*message)->name_space, "/");

  got = decoded(in_orders);
  const auto orders = to_broadcast({}, std::move(got.message));
  ASSERT_TRUE(orders);
  EXPECT_EQ((*orders)->frames->payload((*orders)->frames->parts()[0]), R"(42/orders,["o"])");
}

Result<void, Malformed> decode(const Value& body) {
  std::string bytes;
  append_msgpack(bytes, body);
  IncomingBroadcast message;
  return decode_broadcast(bytes, message);
}

const Value good_packet(Object{{"type", 2}, {"data", Array{"e"}}, {"nsp", "/"}});
const Value good_options(Object{{"rooms", Array{}}, {"except", Array{}}, {"flags", Object{}}});

TEST(PubSubCodecTest, IsTolerantWhereNodeIs) {
  EXPECT_TRUE(decode(Array{"uid", Object{{"data", Array{"e"}}, {"type", 2}}, Object{}}));  // no nsp, no options
  EXPECT_TRUE(decode(Array{"uid", good_packet, Array{}}));                                 // PHP's empty map
  EXPECT_TRUE(decode(Array{"uid", good_packet, Object{{"flags", Array{}}, {"rooms", nullptr}, {"more", Array{1}}}}));
  EXPECT_TRUE(decode(Array{"uid", Object{{"type", 5}, {"data", Array{"e"}}, {"id", Object{{"a", 1}}}}, good_options}));
  EXPECT_TRUE(decode(Array{"uid", good_packet, good_options, "more", Array{}}));
  EXPECT_TRUE(decode(Array{"uid", Object{{"type", 2}, {"data", Array{7}}}, good_options}));  // a number as name
}

TEST(PubSubCodecTest, RefusesWhatIsNoBroadcast) {
  const auto error = [](const Value& body) { return decode(body).error(); };
  for (const Value& body :
       {Value(), Value(1), Value("text"), Value(Object{}), Value(Array{}), Value(Array{"uid", good_packet}),
        Value(Array{"uid", nullptr, good_options}), Value(Array{"uid", good_packet, nullptr}),
        Value(Array{"uid", good_packet, Object{{"rooms", "r"}}}),
        Value(Array{"uid", good_packet, Object{{"rooms", Array{Array{}}}}}),
        Value(Array{"uid", good_packet, Object{{"except", 1}}}), Value(Array{"uid", good_packet, Object{{"flags", 1}}}),
        Value(Array{"uid", good_packet, Object{{"flags", Object{{"volatile", Object{{"a", 1}}}}}}})})
    EXPECT_EQ(error(body), Malformed::not_a_broadcast) << to_json(body);
  for (const Value& packet :
       {Value(Object{}), Value(Object{{"type", 2}}), Value(Object{{"type", 2}, {"data", "e"}}),
        Value(Object{{"type", 2}, {"data", Array{}}}), Value(Object{{"data", Array{"e"}}}),
        Value(Object{{"type", 0}, {"data", Array{"e"}}}), Value(Object{{"type", "2"}, {"data", Array{"e"}}}),
        Value(Object{{"type", 2}, {"data", Array{nullptr}}}),
        // Clients that got it would close their connections.
        Value(Object{{"type", 2}, {"data", Array{"disconnect"}}}),
        Value(Object{{"type", 2}, {"data", Array{"e"}}, {"nsp", Array{}}})})
    EXPECT_EQ(error(Array{"uid", packet, good_options}), Malformed::bad_packet) << to_json(packet);
  EXPECT_EQ(decode_uid("").error(), Malformed::not_msgpack);
  EXPECT_EQ(decode_uid(from_hex("930102")).error(), Malformed::not_msgpack);
  EXPECT_EQ(decode_uid(from_hex("93010203")).error(), Malformed::not_a_broadcast);
  EXPECT_EQ(decode_uid("{\"type\":2}").error(), Malformed::not_a_broadcast);  // JSON starts like a number
}

TEST(PubSubCodecTest, RefusesEveryPrefixAndBytesBehind) {
  for (const std::string_view hex : {to_room, to_everyone, with_flags, with_binary, specials, from_emitter_volatile}) {
    const std::string body = from_hex(hex);
    IncomingBroadcast message;
    for (std::size_t size = 0; size < body.size(); ++size)
      EXPECT_FALSE(decode_broadcast(std::string_view(body).substr(0, size), message)) << size;
    EXPECT_EQ(decode_broadcast(body + "x", message).error(), Malformed::not_msgpack);
    EXPECT_TRUE(decode_broadcast(body, message));
  }
}

TEST(PubSubCodecTest, MutatedMessagesAreHarmless) {
  for (const std::string_view hex : {to_two_rooms, with_flags, with_binary, specials, from_emitter_volatile}) {
    const std::string body = from_hex(hex);
    IncomingBroadcast message;
    for (std::size_t i = 0; i < body.size(); ++i) {
      for (int with = 0; with < 256; ++with) {
        std::string mutated = body;
        mutated[i] = static_cast<char>(with);
        std::ignore = decode_uid(mutated);
        if (!decode_broadcast(mutated, message)) continue;
        if (const auto built = to_broadcast({}, std::move(message))) {
          EXPECT_NE((*built)->frames, nullptr);
        }
      }
    }
  }
}

TEST(PubSubCodecTest, DeepNestingIsRefusedWhenTheEventIsBuilt) {
  std::string body = from_hex(
      "93a3756964"
      "82a47479706502a464617461");
  body += from_hex("92a165");
  for (int i = 0; i < 10'000; ++i) body += '\x91';
  body += '\x01';
  body += '\x80';
  IncomingBroadcast message;
  ASSERT_TRUE(decode_broadcast(body, message));
  EXPECT_EQ(to_broadcast({}, std::move(message)).error(), Malformed::nested_too_deep);
}

}  // namespace
}  // namespace carillon::cluster
