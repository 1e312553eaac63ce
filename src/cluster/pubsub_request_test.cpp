#include "cluster/pubsub_request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "base/msgpack.hpp"
#include "cluster/operation_codec.hpp"

namespace carillon::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using OperationKind = socketio::Operation::Kind;

socketio::Operation operation(OperationKind kind) {
  socketio::Operation result;
  result.kind = kind;
  result.selection.rooms = {"a"};
  result.selection.except = {"b"};
  return result;
}

PubSubRequest decoded(std::string_view body) {
  auto request = decode_request("/orders", body);
  EXPECT_TRUE(request) << body;
  return request ? std::move(*request) : PubSubRequest{};
}

// --- what this server sends: as the published adapter writes it ---

TEST(PubSubRequestTest, WritesOrders) {
  auto order = operation(OperationKind::join);
  order.target_rooms = {"x", "y"};
  EXPECT_EQ(encode_request("uid123", "", order),
            R"({"uid":"uid123","type":2,"opts":{"rooms":["a"],"except":["b"]},"rooms":["x","y"]})");
  order.kind = OperationKind::leave;
  EXPECT_EQ(encode_request("uid123", "", order),
            R"({"uid":"uid123","type":3,"opts":{"rooms":["a"],"except":["b"]},"rooms":["x","y"]})");
  order = operation(OperationKind::disconnect);
  order.close = true;
  EXPECT_EQ(encode_request("uid123", "", order),
            R"({"uid":"uid123","type":4,"opts":{"rooms":["a"],"except":["b"]},"close":true})");
}

TEST(PubSubRequestTest, WritesQuestions) {
  EXPECT_EQ(encode_request("uid123", "req456", operation(OperationKind::fetch)),
            R"({"uid":"uid123","requestId":"req456","type":5,"opts":{"rooms":["a"],"except":["b"]}})");
  EXPECT_EQ(encode_request("uid123", "req456", operation(OperationKind::all_rooms)),
            R"({"uid":"uid123","requestId":"req456","type":1})");
  auto emit = operation(OperationKind::server_side_emit);
  emit.event = "hello";
  emit.args = make_args(1, "two");
  EXPECT_EQ(encode_request("uid123", "", emit), R"({"uid":"uid123","type":6,"data":["hello",1,"two"]})");
}

TEST(PubSubRequestTest, WritesABroadcastWithAcknowledgementsInMsgpack) {
  socketio::Operation operation;
  operation.kind = OperationKind::emit_with_ack;
  BroadcastFlags flags;
  flags.timeout = std::chrono::milliseconds(250);
  operation.message =
      socketio::make_broadcast({}, "/orders", {"a"}, {}, flags, "ask", make_args(Binary{"\x01\x02"}), 7);
  const auto body = encode_request("uid123", "req456", operation);
  ASSERT_TRUE(body);
  EXPECT_EQ(
      parse_msgpack(*body).value(),
      Value(Object{{"uid", "uid123"},
                   {"requestId", "req456"},
                   {"type", 7},
                   {"packet", Object{{"type", 2}, {"data", Array{"ask", Binary{"\x01\x02"}}}, {"nsp", "/orders"}}},
                   {"opts", Object{{"rooms", Array{"a"}}, {"except", Array{}}, {"flags", Object{{"timeout", 250}}}}}}));
}

TEST(PubSubRequestTest, ABroadcastThatNamesNoTimeoutGetsOurs) {
  socketio::Operation operation;
  operation.kind = OperationKind::emit_with_ack;
  operation.message = socketio::make_broadcast({}, "/", {}, {}, {}, "ask", {}, 7);
  const Value sent = parse_msgpack(*encode_request("u", "r", operation, Milliseconds(10'000))).value();
  EXPECT_EQ(sent.find("opts")->find("flags")->find("timeout")->as_int64(), 10'000);
}

TEST(PubSubRequestTest, BinaryMakesItMsgpack) {
  auto emit = operation(OperationKind::server_side_emit);
  emit.event = "hello";
  emit.args = make_args(Binary{"\xff"});
  const auto body = encode_request("u", "r", emit);
  ASSERT_TRUE(body);
  EXPECT_NE(body->front(), '{');
  EXPECT_EQ(parse_msgpack(*body).value().find("data")->as_array()->at(1), Value(Binary{"\xff"}));
}

// --- what others send ---

TEST(PubSubRequestTest, ReadsWhatTheEmitterSends) {
  const PubSubRequest join = decoded(R"({"type":2,"opts":{"rooms":["a",7],"except":["b"]},"rooms":["x"]})");
  EXPECT_EQ(join.type, PubSubRequestType::join);
  EXPECT_EQ(join.operation.kind, OperationKind::join);
  EXPECT_EQ(join.operation.selection.name_space, "/orders");
  EXPECT_THAT(join.operation.selection.rooms, ElementsAre("a", "7"));
  EXPECT_THAT(join.operation.selection.except, ElementsAre("b"));
  EXPECT_THAT(join.operation.target_rooms, ElementsAre("x"));
  EXPECT_THAT(join.uid, IsEmpty());
  EXPECT_THAT(join.id, IsEmpty());
  EXPECT_FALSE(join.legacy);

  const PubSubRequest disconnect = decoded(R"({"type":4,"opts":{"rooms":[],"except":[]},"close":true})");
  EXPECT_EQ(disconnect.operation.kind, OperationKind::disconnect);
  EXPECT_TRUE(disconnect.operation.close);

  const PubSubRequest emit = decoded(R"({"uid":"emitter","type":6,"data":["hello",1,"two"]})");
  EXPECT_EQ(emit.operation.event, "hello");
  EXPECT_EQ(emit.operation.args.text(), "1,\"two\"");
  EXPECT_FALSE(emit.operation.wants_answers);
}

TEST(PubSubRequestTest, ReadsWhatOldServersSend) {
  const PubSubRequest sockets = decoded(R"({"uid":"u","requestId":"r","type":0,"rooms":["a"]})");
  EXPECT_EQ(sockets.operation.kind, OperationKind::fetch);
  EXPECT_THAT(sockets.operation.selection.rooms, ElementsAre("a"));
  const PubSubRequest join = decoded(R"({"requestId":"r","type":2,"sid":"s1","room":"x"})");
  EXPECT_TRUE(join.legacy);
  EXPECT_THAT(join.operation.selection.rooms, ElementsAre("s1"));
  EXPECT_THAT(join.operation.target_rooms, ElementsAre("x"));
}

TEST(PubSubRequestTest, ReadsABroadcastWithAcknowledgements) {
  std::string body;
  append_msgpack(body,
                 Object{{"uid", "u"},
                        {"requestId", "r"},
                        {"type", 7},
                        {"packet", Object{{"type", 2}, {"data", Array{"ask", Binary{"\x01"}}}, {"nsp", "/orders"}}},
                        {"opts", Object{{"rooms", Array{}},
                                        {"except", Array{}},
                                        {"flags", Object{{"timeout", 300}, {"expectSingleResponse", true}}}}}});
  const PubSubRequest request = decoded(body);
  EXPECT_EQ(request.operation.kind, OperationKind::emit_with_ack);
  EXPECT_EQ(request.operation.event, "ask");
  EXPECT_EQ(request.operation.args[0], Value(Binary{"\x01"}));
  EXPECT_EQ(request.operation.selection.flags.timeout, std::chrono::milliseconds(300));
}

TEST(PubSubRequestTest, ReadsAnswers) {
  const auto fetched = decode_response(R"({"requestId":"r","sockets":[{"id":"s"}]})");
  ASSERT_TRUE(fetched);
  EXPECT_EQ(fetched->id, "r");
  ASSERT_TRUE(fetched->items);
  EXPECT_EQ(fetched->items->size(), 1U);
  const auto count = decode_response(R"({"type":8,"requestId":"r","clientCount":3})");
  EXPECT_EQ(count->type, 8);
  EXPECT_EQ(count->clients, 3U);
  EXPECT_EQ(decode_response(R"({"type":8,"requestId":"r","clientCount":-3})")->clients, 0U);
  std::string ack;
  append_msgpack(ack, Object{{"type", 9}, {"requestId", "r"}, {"packet", Binary{"\x07"}}});
  EXPECT_EQ(decode_response(ack)->packet, Value(Binary{"\x07"}));
}

// --- bad input ---

TEST(PubSubRequestTest, RefusesWhatIsNoRequest) {
  const auto error = [](std::string_view body) {
    const auto request = decode_request("/", body);
    return request ? std::nullopt : std::optional(request.error());
  };
  EXPECT_EQ(error("{"), Malformed::not_json);
  EXPECT_EQ(error(R"({"type":2)"), Malformed::not_json);
  EXPECT_EQ(error(""), Malformed::not_msgpack);
  EXPECT_EQ(error("\xc1"), Malformed::not_msgpack);
  EXPECT_EQ(error("{}"), Malformed::bad_request);
  EXPECT_EQ(error(R"({"type":"2"})"), Malformed::bad_request);
  EXPECT_EQ(error(R"({"type":8})"), Malformed::unknown_request);
  EXPECT_EQ(error(R"({"type":-1})"), Malformed::unknown_request);
  EXPECT_EQ(error(R"({"type":1e300})"), Malformed::unknown_request);
  EXPECT_EQ(error(R"({"type":2})"), Malformed::bad_request) << "nobody is meant, not everybody";
  EXPECT_EQ(error(R"({"type":4,"opts":7})"), Malformed::bad_request);
  EXPECT_EQ(error(R"({"type":2,"opts":{"rooms":"a"},"rooms":["x"]})"), Malformed::bad_request);
  EXPECT_EQ(error(R"({"type":2,"opts":{},"rooms":[{}]})"), Malformed::bad_request);
  EXPECT_EQ(error(R"({"type":6,"data":[]})"), Malformed::bad_request);
  EXPECT_EQ(error(R"({"type":6,"data":[null]})"), Malformed::bad_request);
  EXPECT_EQ(error(R"({"type":7,"packet":{}})"), Malformed::bad_packet);
  EXPECT_EQ(error("[" + std::string(2'000, '[')), Malformed::not_msgpack);
  EXPECT_FALSE(decode_response("{}"));
  EXPECT_FALSE(decode_response(R"({"requestId":7})"));
}

}  // namespace
}  // namespace carillon::cluster
