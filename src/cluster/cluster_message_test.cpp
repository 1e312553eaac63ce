#include "cluster/cluster_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "base/base64.hpp"
#include "base/hex.hpp"
#include "base/json.hpp"
#include "base/msgpack.hpp"

namespace carillon::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

using OperationKind = socketio::Operation::Kind;

// --- captured from socket.io 4.8.4 with createShardedAdapter of @socket.io/redis-adapter 8.3.0 ---

constexpr std::string_view uid = "70acccd1cc7c8c71";
constexpr std::string_view peer_uid = "b741bf331747c0bc";
// io.to("room1").emit("hello")
constexpr std::string_view to_room =
    R"({"type":3,"data":{"packet":{"type":2,"data":["hello"]},"opts":{"rooms":["room1"],"except":[],"flags":{}}},"uid":"70acccd1cc7c8c71","nsp":"/"})";
// io.emit("news", 1, "two", null, true, { a: [1.5, -1] })
constexpr std::string_view to_everyone =
    R"({"type":3,"data":{"packet":{"type":2,"data":["news",1,"two",null,true,{"a":[1.5,-1]}]},"opts":{"rooms":[],"except":[],"flags":{}}},"uid":"70acccd1cc7c8c71","nsp":"/"})";
// io.to("a").to("b").except("c").emit("x", "ü€😀")
constexpr std::string_view to_two_rooms =
    R"({"type":3,"data":{"packet":{"type":2,"data":["x","ü€😀"]},"opts":{"rooms":["a","b"],"except":["c"],"flags":{}}},"uid":"70acccd1cc7c8c71","nsp":"/"})";
// io.to("r").volatile.compress(false).emit("v")
constexpr std::string_view with_flags =
    R"({"type":3,"data":{"packet":{"type":2,"data":["v"]},"opts":{"rooms":["r"],"except":[],"flags":{"volatile":true,"compress":false}}},"uid":"70acccd1cc7c8c71","nsp":"/"})";
// io.to("r").timeout(500).emit("v")
constexpr std::string_view with_timeout =
    R"({"type":3,"data":{"packet":{"type":2,"data":["v"]},"opts":{"rooms":["r"],"except":[],"flags":{"timeout":500}}},"uid":"70acccd1cc7c8c71","nsp":"/"})";
// io.to("r").emit("b", Buffer.from([1, 2, 3]), { x: new Uint8Array([4, 5]) })
constexpr std::string_view with_binary =
    "84a47479706503a46461746182a67061636b657482a47479706502a46461746193a162c40301020381a178c4020405a46f70747383a5726f6f"
    "6d7391a172a665786365707490a5666c61677380a3756964b037306163636364316363376338633731a36e7370a12f";
// io.emit("s", undefined, { u: undefined, v: 1 }, new Date(0), new Date(1234567890123), new Date(-1), NaN, 2 ** 53,
//         2 ** 53 - 1, -(2 ** 53), 2 ** 40, -200, 1.5, Buffer.from([1]))
constexpr std::string_view specials_with_binary =
    "84a47479706503a46461746182a67061636b657482a47479706502a4646174619ea173c081a17601d6ff00000000d7ff1d535300499602d2c7"
    "0cff3b8b87c0ffffffffffffffffcb7ff8000000000000cf0020000000000000cf001fffffffffffffd3ffe0000000000000cf000001000000"
    "0000d1ff38cb3ff8000000000000c40101a46f70747383a5726f6f6d7390a665786365707490a5666c61677380a3756964b037306163636364"
    "316363376338633731a36e7370a12f";
// io.of("/orders").to("r#1").emit("o")
constexpr std::string_view in_orders =
    R"({"type":3,"data":{"packet":{"type":2,"data":["o"]},"opts":{"rooms":["r#1"],"except":[],"flags":{}}},"uid":"d8cf91d167df2f86","nsp":"/orders"})";
// io.to(42).emit("o")
constexpr std::string_view numeric_room =
    R"({"type":3,"data":{"packet":{"type":2,"data":["o"]},"opts":{"rooms":[42],"except":[],"flags":{}}},"uid":"70acccd1cc7c8c71","nsp":"/"})";
// io.to("r").emit("o", "\ud83d", '"\\\u0001')
constexpr std::string_view with_escapes =
    R"({"type":3,"data":{"packet":{"type":2,"data":["o","\ud83d","\"\\\u0001"]},"opts":{"rooms":["r"],"except":[],"flags":{}}},"uid":"70acccd1cc7c8c71","nsp":"/"})";
// io.in("r1").except("x").socketsJoin(["a", "b"])
constexpr std::string_view join =
    R"({"type":4,"data":{"opts":{"rooms":["r1"],"except":["x"],"flags":{}},"rooms":["a","b"]},"uid":"70acccd1cc7c8c71","nsp":"/"})";
// io.in("r1").socketsLeave("a")
constexpr std::string_view leave =
    R"({"type":5,"data":{"opts":{"rooms":["r1"],"except":[],"flags":{}},"rooms":["a"]},"uid":"70acccd1cc7c8c71","nsp":"/"})";
// io.in("r1").disconnectSockets(true)
constexpr std::string_view disconnect =
    R"({"type":6,"data":{"opts":{"rooms":["r1"],"except":[],"flags":{}},"close":true},"uid":"70acccd1cc7c8c71","nsp":"/"})";
// io.in("held").fetchSockets()
constexpr std::string_view fetch =
    R"({"type":7,"data":{"opts":{"rooms":["held"],"except":[],"flags":{}},"requestId":"097d6b7af919ab79"},"uid":"70acccd1cc7c8c71","nsp":"/"})";
// The answer; its handshake is left out here.
constexpr std::string_view fetch_answer =
    R"({"type":8,"data":{"requestId":"097d6b7af919ab79","sockets":[{"id":"-P3FZuicp73F2N95AAAA","rooms":["-P3FZuicp73F2N95AAAA","held"],"data":{"name":"x"}}]},"uid":"b741bf331747c0bc","nsp":"/"})";
// io.serverSideEmit("hello", "w", 1)
constexpr std::string_view server_side_emit =
    R"({"type":9,"data":{"packet":["hello","w",1]},"uid":"70acccd1cc7c8c71","nsp":"/"})";
// io.serverSideEmit("hello", Buffer.from([5]))
constexpr std::string_view server_side_emit_binary =
    "84a47479706509a46461746181a67061636b657492a568656c6c6fc40105a3756964b037306163636364316363376338633731a36e7370a12"
    "f";
// io.serverSideEmitWithAck("hello", "w"), and its answer "answer"
constexpr std::string_view server_side_emit_ack =
    R"({"type":9,"data":{"requestId":"9da11ce003dde656","packet":["hello","w"]},"uid":"70acccd1cc7c8c71","nsp":"/"})";
constexpr std::string_view server_side_emit_answer =
    R"({"type":10,"data":{"requestId":"9da11ce003dde656","packet":"answer"},"uid":"b741bf331747c0bc","nsp":"/"})";
// The answer Buffer.from([1])
constexpr std::string_view server_side_emit_answer_binary =
    "84a4747970650aa46461746182a9726571756573744964b030623734303735316338656637353931a67061636b6574c40101a3756964b06237"
    "3431626633333137343763306263a36e7370a12f";
// io.to("held").timeout(1000).emitWithAck("ask", "v"), and its answers: one client, "v"; without an argument; binary
constexpr std::string_view broadcast_ack =
    R"({"type":3,"data":{"packet":{"type":2,"data":["ask","v"]},"requestId":"d9d56d6635c9424a","opts":{"rooms":["held"],"except":[],"flags":{"timeout":1000}}},"uid":"70acccd1cc7c8c71","nsp":"/"})";
constexpr std::string_view client_count =
    R"({"type":11,"data":{"requestId":"d9d56d6635c9424a","clientCount":1},"uid":"b741bf331747c0bc","nsp":"/"})";
constexpr std::string_view client_ack =
    R"({"type":12,"data":{"requestId":"d9d56d6635c9424a","packet":"v"},"uid":"b741bf331747c0bc","nsp":"/"})";
constexpr std::string_view client_ack_none =
    R"({"type":12,"data":{"requestId":"f25e0a39620497fc"},"uid":"b741bf331747c0bc","nsp":"/"})";
constexpr std::string_view client_ack_binary =
    "84a4747970650ca46461746182a9726571756573744964b037336538646539306364323737626239a67061636b6574c40107a3756964b06237"
    "3431626633333137343763306263a36e7370a12f";

// --- captured from @socket.io/redis-streams-adapter 0.3.1 ---

constexpr std::string_view streams_uid = "943c067182502f14";
// In the stream: `data` of io.to("room1").emit("hello"), and of the event with binary above
constexpr std::string_view entry_data =
    R"({"packet":{"type":2,"data":["hello"]},"opts":{"rooms":["room1"],"except":[],"flags":{}}})";
constexpr std::string_view entry_data_binary =
    "gqZwYWNrZXSCpHR5cGUCpGRhdGGToWLEAwECA4GheMQCBAWkb3B0c4Olcm9vbXORoXKmZXhjZXB0kKVmbGFnc4A=";
constexpr std::string_view entry_data_specials =
    "gqZwYWNrZXSCpHR5cGUCpGRhdGGeoXPAgqF1wKF2Adb/AAAAANf/HVNTAEmWAtLHDP87i4fA///////////Lf/gAAAAAAADLQ0AAAAAAAADPAB///"
    "//////Lw0AAAAAAAADPAAABAAAAAADR/zjLP/gAAAAAAADEAQGkb3B0c4Olcm9vbXOQpmV4Y2VwdJClZmxhZ3OA";
// By PUBLISH: io.in("held").fetchSockets()
constexpr std::string_view streams_fetch =
    "84a47479706507a46461746182a46f70747383a5726f6f6d7391a468656c64a665786365707490a5666c61677380a9726571756573744964b0"
    "33326237636364616637343038373339a3756964b039343363303637313832353032663134a36e7370a12f";
// io.serverSideEmit("hello", "w", 1)
constexpr std::string_view streams_server_side_emit =
    "84a47479706509a46461746181a67061636b657493a568656c6c6fa17701a3756964b039343363303637313832353032663134a36e7370a12"
    "f";
// io.to("held").timeout(1000).emitWithAck("ask", "v"), and its answers
constexpr std::string_view streams_broadcast_ack =
    "84a47479706503a46461746183a67061636b657482a47479706502a46461746192a361736ba176a9726571756573744964b032376335346465"
    "646565333063356533a46f70747383a5726f6f6d7391a468656c64a665786365707490a5666c61677381a774696d656f7574cd03e8a3756964"
    "b039343363303637313832353032663134a36e7370a12f";
constexpr std::string_view streams_client_count =
    "84a4747970650ba46461746182a9726571756573744964b032376335346465646565333063356533ab636c69656e74436f756e7401a3756964"
    "b032663534383366346535633132343365a36e7370a12f";
constexpr std::string_view streams_client_ack_none =
    "84a4747970650ca46461746182a9726571756573744964b032646135643935643633663764366131a67061636b6574c0a3756964b032663534"
    "383366346535633132343365a36e7370a12f";
// @socket.io/redis-streams-emitter 0.1.1, as its source has it: emitter.to("r").emit("e", 1)
constexpr std::string_view emitter_entry_data =
    R"({"packet":{"type":2,"data":["e",1],"nsp":"/"},"opts":{"rooms":["r"],"flags":{},"except":[]}})";

// --- helpers ---

socketio::Broadcast event(std::string_view name, Args args, std::vector<std::string> rooms = {}) {
  socketio::Broadcast message;
  message.event = name;
  message.args = std::move(args);
  message.rooms = std::move(rooms);
  return message;
}

socketio::Operation operation(OperationKind kind, std::vector<std::string> rooms,
                              std::vector<std::string> except = {}) {
  socketio::Operation what{.kind = kind};
  what.selection.rooms = std::move(rooms);
  what.selection.except = std::move(except);
  return what;
}

std::vector<std::pair<std::string_view, std::string_view>> entry(std::string_view type, std::string_view data,
                                                                 std::string_view name_space = "/") {
  return {{"uid", streams_uid}, {"nsp", name_space}, {"type", type}, {"data", data}};
}

MessageRequest request_of(std::string_view payload) {
  IncomingMessage message;
  EXPECT_TRUE(decode_message(payload, message)) << payload;
  auto request = read_request(message);
  EXPECT_TRUE(request) << payload;
  request->event = {};  // borrowed from what is gone
  return std::move(*request);
}

MessageAnswer answer_of(std::string_view payload) {
  IncomingMessage message;
  EXPECT_TRUE(decode_message(payload, message)) << payload;
  auto answer = read_answer(message);
  EXPECT_TRUE(answer) << payload;
  return std::move(*answer);
}

// The packet that clients get, binary in hexadecimal.
std::vector<std::string> packet_of(const IncomingMessage& message, const socketio::PacketFormat& format = {}) {
  auto request = read_request(message);
  EXPECT_TRUE(request);
  EXPECT_TRUE(request->event.exists());
  const auto broadcast = to_broadcast(format, request->operation.selection, request->event);
  EXPECT_TRUE(broadcast);
  std::vector<std::string> parts;
  for (const auto& part : (*broadcast)->frames->parts()) {
    const std::string_view payload = (*broadcast)->frames->payload(part);
    parts.push_back(part.binary ? to_hex(payload) : std::string(payload));
  }
  return parts;
}

std::vector<std::string> packet_of(std::string_view payload) {
  IncomingMessage message;
  EXPECT_TRUE(decode_message(payload, message));
  return packet_of(message);
}

std::vector<std::string> packet_of_entry(std::string_view data) {
  IncomingMessage message;
  EXPECT_TRUE(decode_entry(entry("3", data), message));
  return packet_of(message);
}

Malformed error_of(std::string_view payload) {
  IncomingMessage message;
  if (const auto decoded = decode_message(payload, message); !decoded) return decoded.error();
  const bool is_answer = message.type == 8 || (message.type >= 10 && message.type <= 12);
  if (is_answer) {
    const auto answer = read_answer(message);
    EXPECT_FALSE(answer) << payload;
    return answer ? Malformed{} : answer.error();
  }
  const auto request = read_request(message);
  EXPECT_FALSE(request) << payload;
  return request ? Malformed{} : request.error();
}

// --- what this node says is what the published adapters say ---

TEST(ClusterMessageTest, Broadcasts) {
  const auto encoded = [](const socketio::Broadcast& message, std::string_view from = uid) {
    return encode_message(from, broadcast_message(message).value());
  };
  EXPECT_EQ(encoded(event("hello", {}, {"room1"})), to_room);
  EXPECT_EQ(encoded(event("news", make_args(1, "two", nullptr, true, Object{{"a", Array{1.5, -1}}}))), to_everyone);
  auto message = event("x", make_args("ü€😀"), {"a", "b"});
  message.except = {"c"};
  EXPECT_EQ(encoded(message), to_two_rooms);
  message = event("v", {}, {"r"});
  message.flags.timeout = std::chrono::milliseconds(500);
  EXPECT_EQ(encoded(message), with_timeout);
  message.flags = {.is_volatile = true, .compress = false};
  EXPECT_EQ(encoded(message), with_flags);
  message = event("o", {}, {"r#1"});
  message.name_space = "/orders";
  EXPECT_EQ(encoded(message, "d8cf91d167df2f86"), in_orders);
}

TEST(ClusterMessageTest, BroadcastsWithBinary) {
  const auto message = event("b", make_args(Binary{"\x01\x02\x03"}, Object{{"x", Binary{"\x04\x05"}}}), {"r"});
  EXPECT_EQ(to_hex(encode_message(uid, broadcast_message(message).value())), with_binary);
}

// Data that looks like a placeholder is data.
TEST(ClusterMessageTest, PlaceholdersInDataStay) {
  const auto message = event("e", make_args(Object{{"_placeholder", true}, {"num", 0}}));
  const std::string payload = encode_message(uid, broadcast_message(message).value());
  EXPECT_THAT(packet_of(payload), ElementsAre(R"(42["e",{"_placeholder":true,"num":0}])"));
}

TEST(ClusterMessageTest, Requests) {
  const auto encoded = [](const socketio::Operation& what, std::string_view id = {}) {
    return encode_message(uid, request_message(what, id, Milliseconds(1'000)).value());
  };
  auto what = operation(OperationKind::join, {"r1"}, {"x"});
  what.target_rooms = {"a", "b"};
  EXPECT_EQ(encoded(what), join);
  what = operation(OperationKind::leave, {"r1"});
  what.target_rooms = {"a"};
  EXPECT_EQ(encoded(what), leave);
  what = operation(OperationKind::disconnect, {"r1"});
  what.close = true;
  EXPECT_EQ(encoded(what), disconnect);
  EXPECT_EQ(encoded(operation(OperationKind::fetch, {"held"}), "097d6b7af919ab79"), fetch);
  what = operation(OperationKind::server_side_emit, {});
  what.event = "hello";
  what.args = make_args("w", 1);
  EXPECT_EQ(encoded(what), server_side_emit);
  what.args = make_args("w");
  EXPECT_EQ(encoded(what, "9da11ce003dde656"), server_side_emit_ack);
  what.args = make_args(Binary{"\x05"});
  EXPECT_EQ(to_hex(encoded(what)), server_side_emit_binary);
  what = operation(OperationKind::emit_with_ack, {});
  what.message = std::make_shared<socketio::Broadcast>(event("ask", make_args("v"), {"held"}));
  EXPECT_EQ(encoded(what, "d9d56d6635c9424a"), broadcast_ack) << "the timeout of those that name none";
}

TEST(ClusterMessageTest, AllRoomsAreAskedForAsAllSockets) {
  const auto message = request_message(operation(OperationKind::all_rooms, {"x"}), "1").value();
  EXPECT_EQ(message.type, MessageType::fetch);
  EXPECT_EQ(to_json(message.data), R"({"opts":{"rooms":[],"except":[],"flags":{}},"requestId":"1"})");
}

TEST(ClusterMessageTest, Answers) {
  const auto encoded = [](MessageType type, std::string_view id, Object members) {
    return encode_message(peer_uid, answer_message(type, "/", id, std::move(members)));
  };
  EXPECT_EQ(encoded(MessageType::server_side_emit_answer, "9da11ce003dde656", {{"packet", "answer"}}),
            server_side_emit_answer);
  EXPECT_EQ(to_hex(encoded(MessageType::server_side_emit_answer, "0b740751c8ef7591", {{"packet", Binary{"\x01"}}})),
            server_side_emit_answer_binary);
  EXPECT_EQ(encoded(MessageType::client_count, "d9d56d6635c9424a", {{"clientCount", 1}}), client_count);
  EXPECT_EQ(encoded(MessageType::client_ack, "d9d56d6635c9424a", {{"packet", "v"}}), client_ack);
  EXPECT_EQ(encoded(MessageType::client_ack, "f25e0a39620497fc", {}), client_ack_none);
  EXPECT_EQ(to_hex(encoded(MessageType::client_ack, "73e8de90cd277bb9", {{"packet", Binary{"\x07"}}})),
            client_ack_binary);
}

TEST(ClusterMessageTest, MessagesOfTheStreamsAdapter) {
  const auto encoded = [](const OutgoingMessage& message, std::string_view from = streams_uid) {
    return to_hex(encode_message_msgpack(from, message));
  };
  EXPECT_EQ(encoded(request_message(operation(OperationKind::fetch, {"held"}), "32b7ccdaf7408739").value()),
            streams_fetch);
  auto what = operation(OperationKind::server_side_emit, {});
  what.event = "hello";
  what.args = make_args("w", 1);
  EXPECT_EQ(encoded(request_message(what, {}).value()), streams_server_side_emit);
  what = operation(OperationKind::emit_with_ack, {});
  auto message = event("ask", make_args("v"), {"held"});
  message.flags.timeout = std::chrono::milliseconds(1'000);
  what.message = std::make_shared<socketio::Broadcast>(message);
  EXPECT_EQ(encoded(request_message(what, "27c54dedee30c5e3").value()), streams_broadcast_ack);
  EXPECT_EQ(encoded(answer_message(MessageType::client_count, "/", "27c54dedee30c5e3", {{"clientCount", 1}}),
                    "2f5483f4e5c1243e"),
            streams_client_count);
  EXPECT_EQ(encoded(answer_message(MessageType::client_ack, "/", "2da5d95d63f7d6a1", {{"packet", nullptr}}),
                    "2f5483f4e5c1243e"),
            streams_client_ack_none);
}

TEST(ClusterMessageTest, EntriesOfAStream) {
  EXPECT_THAT(encode_entry(streams_uid, broadcast_message(event("hello", {}, {"room1"})).value()),
              ElementsAre(Pair("uid", streams_uid), Pair("nsp", "/"), Pair("type", "3"), Pair("data", entry_data)));
  const auto message = event("b", make_args(Binary{"\x01\x02\x03"}, Object{{"x", Binary{"\x04\x05"}}}), {"r"});
  EXPECT_THAT(
      encode_entry(streams_uid, broadcast_message(message).value()),
      ElementsAre(Pair("uid", streams_uid), Pair("nsp", "/"), Pair("type", "3"), Pair("data", entry_data_binary)));
}

TEST(ClusterMessageTest, ArgumentsThatAreTooDeepAreNotSaid) {
  std::string deep(json_depth_max + 1, '[');
  deep.append(json_depth_max + 1, ']');
  socketio::Operation what = operation(OperationKind::server_side_emit, {});
  what.event = "e";
  what.args = Args(Args::borrow(deep));
  EXPECT_FALSE(request_message(what, {}));
}

// --- what they say is understood ---

TEST(ClusterMessageTest, ReadsBroadcasts) {
  IncomingMessage message;
  ASSERT_TRUE(decode_message(to_two_rooms, message));
  EXPECT_EQ(message.type, 3);
  EXPECT_EQ(message.uid, uid);
  EXPECT_EQ(message.name_space, "/");
  auto request = read_request(message);
  ASSERT_TRUE(request);
  EXPECT_THAT(request->id, IsEmpty());
  EXPECT_THAT(request->operation.selection.rooms, ElementsAre("a", "b"));
  EXPECT_THAT(request->operation.selection.except, ElementsAre("c"));
  EXPECT_EQ(request->event.bytes, R"(["x","ü€😀"])");
  EXPECT_THAT(packet_of(to_room), ElementsAre(R"(42["hello"])"));
  EXPECT_THAT(packet_of(to_everyone), ElementsAre(R"(42["news",1,"two",null,true,{"a":[1.5,-1]}])"));
  EXPECT_THAT(packet_of(with_escapes), ElementsAre(R"(42["o","\ud83d","\"\\\u0001"])"));
  EXPECT_THAT(packet_of(in_orders), ElementsAre(R"(42/orders,["o"])"));
}

TEST(ClusterMessageTest, ReadsFlags) {
  EXPECT_TRUE(request_of(with_flags).operation.selection.flags.is_volatile);
  EXPECT_FALSE(request_of(with_flags).operation.selection.flags.compress);
  EXPECT_TRUE(request_of(to_room).operation.selection.flags.compress);
  EXPECT_EQ(request_of(with_timeout).operation.selection.flags.timeout.count(), 500);
  EXPECT_THAT(request_of(numeric_room).operation.selection.rooms, ElementsAre("42"));
}

TEST(ClusterMessageTest, ReadsBinary) {
  EXPECT_THAT(
      packet_of(from_hex(with_binary)),
      ElementsAre(R"(452-["b",{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1}}])", "010203", "0405"));
  EXPECT_THAT(packet_of(from_hex(specials_with_binary)),
              ElementsAre(R"(451-["s",null,{"v":1},"1970-01-01T00:00:00.000Z","2009-02-13T23:31:30.123Z",)"
                          R"("1969-12-31T23:59:59.999Z",null,9007199254740992,9007199254740991,-9007199254740992,)"
                          R"(1099511627776,-200,1.5,{"_placeholder":true,"num":0}])",
                          "01"));
}

TEST(ClusterMessageTest, ReadsEntries) {
  EXPECT_THAT(packet_of_entry(entry_data), ElementsAre(R"(42["hello"])"));
  EXPECT_THAT(
      packet_of_entry(entry_data_binary),
      ElementsAre(R"(452-["b",{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1}}])", "010203", "0405"));
  EXPECT_THAT(packet_of_entry(entry_data_specials),
              ElementsAre(R"(451-["s",null,{"u":null,"v":1},"1970-01-01T00:00:00.000Z","2009-02-13T23:31:30.123Z",)"
                          R"("1969-12-31T23:59:59.999Z",null,9007199254740992,9007199254740991,-9007199254740992,)"
                          R"(1099511627776,-200,1.5,{"_placeholder":true,"num":0}])",
                          "01"));
  EXPECT_THAT(packet_of_entry(emitter_entry_data), ElementsAre(R"(42["e",1])"));
}

TEST(ClusterMessageTest, OffsetsAndTheOtherParser) {
  IncomingMessage message;
  ASSERT_TRUE(decode_message(to_room, message));
  EXPECT_THAT(packet_of(message, {.offsets = true}), ElementsAre(R"(42["hello","0000000000"])"));
  for (const bool binary : {false, true}) {
    const std::string payload = binary ? from_hex(with_binary) : std::string(to_room);
    ASSERT_TRUE(decode_message(payload, message));
    const auto parts = packet_of(message, {.parser = PacketParser::msgpack});
    const auto packet = parse_msgpack(from_hex(parts.at(0)));
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->find("type")->as_int64(), 2);
    EXPECT_EQ(packet->find("data")->as_array()->front(), Value(binary ? "b" : "hello"));
  }
}

TEST(ClusterMessageTest, ReadsRequests) {
  MessageRequest request = request_of(join);
  EXPECT_EQ(request.operation.kind, OperationKind::join);
  EXPECT_THAT(request.operation.selection.rooms, ElementsAre("r1"));
  EXPECT_THAT(request.operation.selection.except, ElementsAre("x"));
  EXPECT_THAT(request.operation.target_rooms, ElementsAre("a", "b"));
  EXPECT_EQ(request_of(leave).operation.kind, OperationKind::leave);
  request = request_of(disconnect);
  EXPECT_EQ(request.operation.kind, OperationKind::disconnect);
  EXPECT_TRUE(request.operation.close);
  for (const std::string& payload : {std::string(fetch), from_hex(streams_fetch)}) {
    request = request_of(payload);
    EXPECT_EQ(request.operation.kind, OperationKind::fetch);
    EXPECT_EQ(request.id, payload == fetch ? "097d6b7af919ab79" : "32b7ccdaf7408739");
    EXPECT_THAT(request.operation.selection.rooms, ElementsAre("held"));
  }
}

TEST(ClusterMessageTest, ReadsServerEvents) {
  MessageRequest request = request_of(server_side_emit);
  EXPECT_EQ(request.operation.kind, OperationKind::server_side_emit);
  EXPECT_FALSE(request.operation.wants_answers);
  EXPECT_EQ(request.operation.event, "hello");
  EXPECT_EQ(request.operation.args.text(), R"("w",1)");
  request = request_of(server_side_emit_ack);
  EXPECT_TRUE(request.operation.wants_answers);
  EXPECT_EQ(request.id, "9da11ce003dde656");
  request = request_of(from_hex(server_side_emit_binary));
  EXPECT_EQ(request.operation.args[0], Value(Binary{"\x05"}));
  request = request_of(from_hex(streams_server_side_emit));
  EXPECT_EQ(request.operation.args.text(), R"("w",1)");
}

TEST(ClusterMessageTest, ReadsBroadcastsWithAcknowledgement) {
  for (const std::string& payload : {std::string(broadcast_ack), from_hex(streams_broadcast_ack)}) {
    const MessageRequest request = request_of(payload);
    EXPECT_EQ(request.operation.kind, OperationKind::emit_with_ack);
    EXPECT_EQ(request.operation.event, "ask");
    EXPECT_EQ(request.operation.args.text(), R"("v")");
    EXPECT_EQ(request.operation.selection.flags.timeout.count(), 1'000);
    EXPECT_EQ(request.id.size(), 16U);
  }
}

TEST(ClusterMessageTest, ReadsAnswers) {
  MessageAnswer answer = answer_of(fetch_answer);
  EXPECT_EQ(answer.id, "097d6b7af919ab79");
  ASSERT_EQ(answer.sockets.size(), 1U);
  EXPECT_EQ(answer.sockets[0].find("id")->as_string()->size(), 20U);
  EXPECT_EQ(answer_of(server_side_emit_answer).packet, Value("answer"));
  EXPECT_EQ(answer_of(from_hex(server_side_emit_answer_binary)).packet, Value(Binary{"\x01"}));
  EXPECT_EQ(answer_of(client_count).clients, 1U);
  EXPECT_EQ(answer_of(from_hex(streams_client_count)).clients, 1U);
  EXPECT_EQ(answer_of(client_ack).packet, Value("v"));
  EXPECT_EQ(answer_of(client_ack_none).packet, std::nullopt);
  EXPECT_EQ(answer_of(from_hex(streams_client_ack_none)).packet, Value());
}

TEST(ClusterMessageTest, AHeartbeatHasNoData) {
  IncomingMessage message;
  EXPECT_TRUE(decode_message(R"({"type":2,"uid":"a","nsp":"/"})", message));
  EXPECT_FALSE(message.data.exists());
  const std::vector<std::pair<std::string_view, std::string_view>> fields{{"uid", "a"}, {"nsp", "/"}, {"type", "2"}};
  EXPECT_TRUE(decode_entry(fields, message));
}

// --- what makes no sense ---

TEST(ClusterMessageTest, MalformedHeads) {
  EXPECT_EQ(error_of(""), Malformed::not_msgpack);
  EXPECT_EQ(error_of("{"), Malformed::not_json);
  EXPECT_EQ(error_of("{}"), Malformed::bad_request);
  EXPECT_EQ(error_of("\xc1"), Malformed::not_msgpack);
  EXPECT_EQ(error_of("\x01"), Malformed::bad_request);
  EXPECT_EQ(error_of(R"({"type":3,"uid":"u"})"), Malformed::bad_request);
  EXPECT_EQ(error_of(R"({"type":"3","uid":"u","nsp":"/"})"), Malformed::bad_request);
  EXPECT_EQ(error_of(R"({"type":3,"uid":7,"nsp":"/"})"), Malformed::bad_request);
  EXPECT_EQ(error_of(R"({"type":3,"uid":"","nsp":"/"})"), Malformed::bad_request);
  EXPECT_EQ(error_of(R"({"type":3,"nsp":"/","uid":")" + std::string(129, 'x') + "\"}"), Malformed::bad_request);
  for (const char* type : {"0", "14", "-1", "1e300", "3.5"})
    EXPECT_EQ(error_of(R"({"uid":"u","nsp":"/","type":)" + std::string(type) + "}"), Malformed::unknown_request)
        << type;
}

TEST(ClusterMessageTest, MalformedData) {
  const auto error = [](int type, std::string_view data) {
    return error_of(R"({"uid":"u","nsp":"/","type":)" + std::to_string(type) + R"(,"data":)" + std::string(data) + "}");
  };
  // Without options nobody is meant.
  for (const int type : {3, 4, 5, 6, 7}) {
    for (const char* data : {"null", "[]", "{}", R"({"opts":null,"requestId":"1"})", R"({"opts":{},"rooms":[]})",
                             R"({"opts":{"rooms":7},"requestId":"1"})", R"({"opts":{"rooms":[[]]},"requestId":"1"})",
                             R"({"opts":{"rooms":[],"except":{"a":1}},"requestId":"1"})"})
      EXPECT_EQ(error(type, data), Malformed::bad_request) << type << data;
  }
  EXPECT_EQ(error(4, R"({"opts":{"rooms":[]},"rooms":{"a":1}})"), Malformed::bad_request);
  EXPECT_EQ(error(7, R"({"opts":{"rooms":[]}})"), Malformed::bad_request);
  EXPECT_EQ(error(7, R"({"opts":{"rooms":[]},"requestId":7})"), Malformed::bad_request);
  EXPECT_EQ(error(7, R"({"opts":{"rooms":[]},"requestId":")" + std::string(257, 'x') + "\"}"), Malformed::bad_request);
  EXPECT_EQ(error(9, "{}"), Malformed::bad_packet);
  EXPECT_EQ(error(9, R"({"packet":[]})"), Malformed::bad_packet);
  EXPECT_EQ(error(9, R"({"packet":{"type":2}})"), Malformed::bad_packet);
  for (const char* packet :
       {"null", "{}", R"({"type":2})", R"({"type":2,"data":[]})", R"({"type":2,"data":["connect"]})",
        R"({"type":3,"data":["e"]})", R"({"data":["e"]})", R"({"type":2,"data":{"0":"e"}})"})
    EXPECT_EQ(error(3, R"({"opts":{"rooms":[]},"packet":)" + std::string(packet) + "}"), Malformed::bad_packet)
        << packet;
  EXPECT_EQ(error(8, R"({"requestId":"1"})"), Malformed::bad_request);
  EXPECT_EQ(error(8, R"({"sockets":[]})"), Malformed::bad_request);
  EXPECT_EQ(error(8, R"({"requestId":"1","sockets":{}})"), Malformed::bad_request);
  EXPECT_EQ(error(11, R"({"requestId":"1"})"), Malformed::bad_request);
  EXPECT_EQ(error(11, R"({"requestId":"1","clientCount":-1})"), Malformed::bad_request);
  EXPECT_EQ(error(11, R"({"requestId":"1","clientCount":"1"})"), Malformed::bad_request);
}

TEST(ClusterMessageTest, MalformedEntries) {
  const auto error = [](std::vector<std::pair<std::string_view, std::string_view>> fields) {
    IncomingMessage message;
    const auto decoded = decode_entry(fields, message);
    EXPECT_FALSE(decoded);
    return decoded ? Malformed{} : decoded.error();
  };
  EXPECT_EQ(error({}), Malformed::bad_request);
  EXPECT_EQ(error({{"uid", "u"}, {"nsp", "/"}}), Malformed::bad_request);
  EXPECT_EQ(error({{"uid", "u"}, {"nsp", "/"}, {"type", "x"}}), Malformed::bad_request);
  EXPECT_EQ(error({{"uid", "u"}, {"nsp", "/"}, {"type", "99999999999999999999"}}), Malformed::bad_request);
  EXPECT_EQ(error(entry("99", "{}")), Malformed::unknown_request);
  EXPECT_EQ(error(entry("3", "{")), Malformed::not_json);
  EXPECT_EQ(error(entry("3", "§")), Malformed::not_msgpack);
  EXPECT_EQ(error(entry("3", base64("\xc1"))), Malformed::not_msgpack);
  EXPECT_EQ(error(entry("3", base64("\x81\xa1"))), Malformed::not_msgpack);
}

TEST(ClusterMessageTest, NestedTooDeep) {
  std::string deep = R"({"type":3,"uid":"u","nsp":"/","data":)";
  deep.append(2'000, '[').append(2'000, ']').append("}");
  EXPECT_EQ(error_of(deep), Malformed::nested_too_deep);
  // In MessagePack it shows when the packet is made.
  std::string payload;
  append_msgpack_map(payload, 4);
  append_msgpack_text(payload, "type");
  append_msgpack_integer(payload, 3);
  append_msgpack_text(payload, "uid");
  append_msgpack_text(payload, "u");
  append_msgpack_text(payload, "nsp");
  append_msgpack_text(payload, "/");
  append_msgpack_text(payload, "data");
  append_msgpack_map(payload, 2);
  append_msgpack_text(payload, "opts");
  append_msgpack(payload, Object{{"rooms", Array{}}});
  append_msgpack_text(payload, "packet");
  append_msgpack_map(payload, 2);
  append_msgpack_text(payload, "type");
  append_msgpack_integer(payload, 2);
  append_msgpack_text(payload, "data");
  payload.append("\x92\xa1\x65").append(2'000, '\x91').append("\x01");
  IncomingMessage message;
  ASSERT_TRUE(decode_message(payload, message));
  auto request = read_request(message);
  ASSERT_TRUE(request);
  EXPECT_EQ(to_broadcast({}, request->operation.selection, request->event).error(), Malformed::nested_too_deep);
}

// Whatever the bytes are, reading them ends and stays within them.
TEST(ClusterMessageTest, EveryPrefixIsRefused) {
  for (const std::string& whole : {std::string(join), std::string(broadcast_ack), from_hex(with_binary),
                                   from_hex(streams_fetch), from_hex(streams_broadcast_ack)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::string part = whole.substr(0, size);
      IncomingMessage message;
      EXPECT_FALSE(decode_message(part, message)) << size;
    }
  }
}

}  // namespace
}  // namespace carillon::cluster
