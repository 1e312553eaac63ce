#include "cluster/sharded_adapter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/json.hpp"
#include "base/log.hpp"
#include "base/msgpack.hpp"
#include "cluster/testing.hpp"

namespace carillon::cluster {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

using OperationKind = socketio::Operation::Kind;
using Kind = redis::ChannelKind;

constexpr std::string_view socket_id = "abcdefghijklmnopqrst";
constexpr std::string_view other = "0123456789abcdef";

// An adapter, its link and its node.
struct Bench {
  explicit Bench(ShardedOptions options = {}) : adapter(link, node, random, options) {
    configure_log(LogLevel::off, LogFormat::text);
    response_channel = link.log.at(1).substr(3);
    uid = response_channel.substr(12, 16);
  }

  void hear(std::string_view payload, std::string_view channel = "socket.io#/#") {
    adapter.on_message(Kind::sharded, channel, payload);
  }
  void hear(const OutgoingMessage& message, std::string_view channel = "socket.io#/#", std::string_view from = other) {
    hear(encode_message(from, message), channel);
  }
  void publish(std::vector<std::string> rooms) {
    socketio::Broadcast message;
    message.event = "e";
    message.rooms = std::move(rooms);
    adapter.publish(message);
  }
  std::string last_channel() const { return link.published.back().first; }
  std::string last_payload() const { return link.published.back().second; }
  std::uint64_t malformed(Malformed kind) const {
    return adapter.statistics().malformed[static_cast<std::size_t>(kind)].value();
  }
  Task counted() {
    return [this] { ++done; };
  }

  FakeLink link;
  FakeNode node;
  SeededRandom random;
  ShardedAdapter adapter;
  std::string uid;
  std::string response_channel;
  int done = 0;
};

OutgoingMessage broadcast_to(std::vector<std::string> rooms, std::string_view name_space = "/") {
  socketio::Broadcast message;
  message.name_space = name_space;
  message.event = "e";
  message.rooms = std::move(rooms);
  return broadcast_message(message).value();
}

OutgoingMessage request(OperationKind kind, std::string_view id, std::vector<std::string> rooms = {}) {
  socketio::Operation operation{.kind = kind};
  operation.selection.rooms = std::move(rooms);
  operation.target_rooms = {"t"};
  operation.event = "asked";
  operation.args = make_args(1);
  if (kind == OperationKind::emit_with_ack) {
    auto message = std::make_shared<socketio::Broadcast>();
    message->event = "asked";
    message->args = make_args(1);
    message->rooms = operation.selection.rooms;
    operation.message = std::move(message);
  }
  return request_message(operation, id, Milliseconds(700)).value();
}

socketio::OperationPtr operation(OperationKind kind, bool wants_answers = false) {
  auto what = std::make_shared<socketio::Operation>();
  what->kind = kind;
  what->event = "hello";
  what->wants_answers = wants_answers;
  if (kind == OperationKind::emit_with_ack) {
    auto message = std::make_shared<socketio::Broadcast>();
    message->event = "ask";
    message->ack_id = 1;
    what->message = std::move(message);
  }
  return what;
}

std::string id_of(const std::string& payload) {
  return *parse_json(payload).value().find("data")->find("requestId")->as_string();
}

// Waits for the outcome of an operation.
struct Outcome {
  socketio::OperationResult result;
  int calls = 0;
  socketio::OperationDone handler() {
    return [this](const socketio::OperationResult& given) {
      result = given;
      ++calls;
    };
  }
};

// --- channels ---

TEST(ShardedAdapterTest, TwoSubscriptionsPerNamespaceAreAll) {
  Bench bench({{.key = "app", .namespaces = {"/", "/orders", "/"}}, ShardedMode::dynamic});
  ASSERT_THAT(bench.link.log, SizeIs(4));
  EXPECT_EQ(bench.link.log[0], "+s:app#/#");
  EXPECT_EQ(bench.link.log[2], "+s:app#/orders#");
  EXPECT_TRUE(bench.link.log[3].starts_with("+s:app#/orders#"));
  EXPECT_EQ(bench.link.log[3].size(), std::string("+s:app#/orders##").size() + 16);
}

TEST(ShardedAdapterTest, NamespacesComeAndGoWithTheirShards) {
  Bench bench;
  bench.link.log.clear();
  bench.adapter.open_namespace(1, "/new");
  bench.adapter.open_namespace(2, "/new");
  bench.adapter.open_namespace(1, "/");
  const std::string own = "s:socket.io#/new#" + bench.uid + "#";
  EXPECT_THAT(bench.link.log, ElementsAre("+s:socket.io#/new#", "+" + own));
  bench.hear(broadcast_to({}, "/new"), "socket.io#/new#");
  EXPECT_THAT(bench.node.delivered, SizeIs(1));
  bench.adapter.close_namespace(1, "/new");
  EXPECT_THAT(bench.link.log, SizeIs(2));
  bench.adapter.close_namespace(2, "/new");
  bench.adapter.close_namespace(2, "/new");
  EXPECT_THAT(bench.link.log, ElementsAre("+s:socket.io#/new#", "+" + own, "-s:socket.io#/new#", "-" + own));
  bench.hear(broadcast_to({}, "/new"), "socket.io#/new#");
  EXPECT_THAT(bench.node.delivered, SizeIs(1));
}

TEST(ShardedAdapterTest, TheModeSaysWhichRoomsHaveChannels) {
  const std::string id(socket_id);
  const std::string twenty_units = "😀" + std::string(18, 'x');  // 22 bytes
  const std::string twenty_bytes = "ü" + std::string(18, 'x');   // 19 units
  for (const std::string& room : {std::string("r"), id, twenty_units, twenty_bytes, std::string()}) {
    const bool is_private = room == id || room == twenty_units;
    EXPECT_FALSE(has_channel(ShardedMode::static_, room));
    EXPECT_EQ(has_channel(ShardedMode::dynamic, room), !is_private) << room;
    EXPECT_TRUE(has_channel(ShardedMode::dynamic_private, room));
  }
}

TEST(ShardedAdapterTest, PublishesAndSubscribesByTheMode) {
  const std::string id(socket_id);
  for (const ShardedMode mode : {ShardedMode::static_, ShardedMode::dynamic, ShardedMode::dynamic_private}) {
    Bench bench({{}, mode});
    bench.link.log.clear();
    for (const std::string& room : {std::string("r"), id}) {
      const bool own_channel = has_channel(mode, room);
      const std::string channel = "socket.io#/#" + room + "#";
      bench.adapter.open_room(0, "/", room, bench.counted());
      EXPECT_EQ(bench.link.log.size(), own_channel ? 1U : 0U);
      bench.adapter.on_subscribed(Kind::sharded, channel);
      EXPECT_EQ(bench.done, 1);
      bench.publish({room});
      EXPECT_EQ(bench.last_channel(), own_channel ? channel : "socket.io#/#");
      EXPECT_EQ(bench.link.published_kinds.back(), Kind::sharded);
      // Whatever way it comes, it is delivered: another server may be in another mode.
      bench.hear(broadcast_to({room}), "socket.io#/#");
      bench.hear(broadcast_to({room}), channel);
      EXPECT_THAT(bench.node.delivered, SizeIs(2));
      bench.adapter.close_room(0, "/", room);
      EXPECT_EQ(bench.link.log.size(), own_channel ? 2U : 0U);
      bench.link.log.clear();
      bench.node.delivered.clear();
      bench.done = 0;
    }
    bench.publish({});
    EXPECT_EQ(bench.last_channel(), "socket.io#/#");
    bench.publish({"a", "b"});
    EXPECT_EQ(bench.last_channel(), "socket.io#/#");
  }
}

TEST(ShardedAdapterTest, AJoinWaitsForItsSubscription) {
  Bench bench;
  bench.adapter.open_room(0, "/", "r", bench.counted());
  bench.adapter.await_room("/", "r", bench.counted());
  bench.adapter.on_subscribed(Kind::plain, "socket.io#/#r#");
  EXPECT_EQ(bench.done, 0);
  bench.adapter.on_subscribed(Kind::sharded, "socket.io#/#r#");
  EXPECT_EQ(bench.done, 2);
  bench.adapter.open_room(0, "/", "s", bench.counted());
  bench.link.is_ready = false;
  bench.adapter.on_ready(false);
  EXPECT_EQ(bench.done, 3) << "not while Redis is away";
  EXPECT_EQ(bench.node.gaps, 1);
}

TEST(ShardedAdapterTest, LocalBroadcastsStayHere) {
  Bench bench;
  socketio::Broadcast message;
  message.event = "e";
  message.flags.local = true;
  bench.adapter.publish(message);
  EXPECT_THAT(bench.link.published, IsEmpty());
}

// --- broadcasts of others ---

TEST(ShardedAdapterTest, ABroadcastGoesToTheShardsThatHoldItsRooms) {
  Bench bench;
  bench.adapter.open_room(1, "/", "a", {});
  bench.adapter.open_room(4, "/", "b", {});
  bench.hear(broadcast_to({}));
  bench.hear(broadcast_to({"a", "b", "c"}));
  bench.hear(broadcast_to({"c"}));
  bench.hear(broadcast_to({}, "/elsewhere"));
  EXPECT_THAT(bench.node.delivered,
              ElementsAre(Pair(R"(42["e"])", every_shard), Pair(R"(42["e"])", std::uint64_t{1} << 1 | 1U << 4)));
  EXPECT_EQ(bench.adapter.statistics().unwanted.value(), 2U);
  EXPECT_EQ(bench.adapter.statistics().delivered.value(), 2U);
}

TEST(ShardedAdapterTest, ItsOwnMessagesAreIgnored) {
  Bench bench;
  bench.publish({});
  bench.hear(bench.last_payload());
  EXPECT_THAT(bench.node.delivered, IsEmpty());
  EXPECT_EQ(bench.adapter.statistics().own.value(), 1U);
}

TEST(ShardedAdapterTest, AnEmitterIsHeard) {
  Bench bench;
  bench.hear(broadcast_to({}), "socket.io#/#", "emitter");
  EXPECT_THAT(bench.node.delivered, SizeIs(1));
}

TEST(ShardedAdapterTest, RoomsWithOddNamesAreOrdinary) {
  Bench bench;
  for (const std::string& room : {std::string("*?[]\\#{}"), std::string("a b\n\""), std::string(1'024, 'x'),
                                  std::string("😀"), std::string("#"), std::string("{tag}")}) {
    bench.adapter.open_room(0, "/", room, {});
    EXPECT_EQ(bench.link.log.back(), "+s:socket.io#/#" + room + "#");
    bench.publish({room});
    EXPECT_EQ(bench.last_channel(), "socket.io#/#" + room + "#");
    bench.hear(broadcast_to({room}), bench.last_channel());
    EXPECT_THAT(bench.node.messages.back()->rooms, ElementsAre(room));
    bench.adapter.close_room(0, "/", room);
  }
  EXPECT_THAT(bench.node.delivered, SizeIs(6));
}

// A room may be named like this server's uid: its channel is the one for answers.
TEST(ShardedAdapterTest, ARoomMayShareTheChannelForAnswers) {
  Bench bench;
  bench.link.log.clear();
  bench.adapter.open_room(3, "/", bench.uid, {});
  bench.hear(broadcast_to({bench.uid}), bench.response_channel);
  EXPECT_THAT(bench.node.delivered, ElementsAre(Pair(R"(42["e"])", 8U)));
  bench.adapter.close_room(3, "/", bench.uid);
  EXPECT_THAT(bench.link.log, IsEmpty());
}

// --- requests of others ---

TEST(ShardedAdapterTest, DoesWhatOthersAsk) {
  Bench bench;
  for (const OperationKind kind : {OperationKind::join, OperationKind::leave, OperationKind::disconnect}) {
    bench.hear(request(kind, {}, {"r"}));
    EXPECT_EQ(bench.node.performed.back()->kind, kind);
    EXPECT_THAT(bench.node.performed.back()->selection.rooms, ElementsAre("r"));
  }
  EXPECT_THAT(bench.node.performed[0]->target_rooms, ElementsAre("t"));
  EXPECT_THAT(bench.link.published, IsEmpty()) << "nobody waits for an answer";
  bench.hear(request(OperationKind::join, {}, {"r"}), "socket.io#/#", bench.uid);
  EXPECT_THAT(bench.node.performed, SizeIs(3)) << "its own members have joined already";
}

TEST(ShardedAdapterTest, AnswersAFetch) {
  Bench bench({{.handshakes = Handshakes::redacted}, ShardedMode::dynamic});
  bench.node.result.sockets.push_back(bench.node.socket("sid1", {"r"}, Object{{"n", 1}}));
  bench.hear(request(OperationKind::fetch, "q1"));
  EXPECT_EQ(bench.last_channel(), "socket.io#/#0123456789abcdef#");
  EXPECT_EQ(bench.link.published_kinds.back(), Kind::sharded);
  IncomingMessage message;
  const std::string payload = bench.last_payload();
  ASSERT_TRUE(decode_message(payload, message));
  EXPECT_EQ(message.uid, bench.uid);
  EXPECT_EQ(message.type, 8);
  const auto answer = read_answer(message).value();
  EXPECT_EQ(answer.id, "q1");
  ASSERT_THAT(answer.sockets, SizeIs(1));
  EXPECT_EQ(*answer.sockets[0].find("data"), Value(Object{{"n", 1}}));
  EXPECT_EQ(payload.find("secret"), std::string::npos) << "redacted";
  bench.node.result.sockets.clear();
  bench.hear(request(OperationKind::fetch, "q2"));
  EXPECT_NE(bench.last_payload().find(R"("sockets":[])"), std::string::npos) << "those that have none say so";
  EXPECT_EQ(bench.adapter.statistics().answered_requests.value(), 2U);
}

TEST(ShardedAdapterTest, SocketsWithBinaryAreMessagePack) {
  Bench bench;
  bench.node.result.sockets.push_back(bench.node.socket("sid1", {}, Object{{"b", Binary{"x"}}}));
  bench.hear(request(OperationKind::fetch, "q1"));
  EXPECT_FALSE(bench.last_payload().starts_with('{'));
  EXPECT_TRUE(parse_msgpack(bench.last_payload()));
}

TEST(ShardedAdapterTest, PassesOnTheAnswersToABroadcast) {
  Bench bench;
  bench.hear(request(OperationKind::emit_with_ack, "q1", {"r"}));
  ASSERT_THAT(bench.node.with_acks, SizeIs(1));
  EXPECT_EQ(bench.node.with_acks[0].event, "asked");
  EXPECT_EQ(bench.node.with_acks[0].selection.flags.timeout.count(), 700);
  bench.node.ack_calls[0].clients(2);
  EXPECT_EQ(bench.last_payload(),
            R"({"type":11,"data":{"requestId":"q1","clientCount":2},"uid":")" + bench.uid + R"(","nsp":"/"})");
  bench.node.ack_calls[0].answer(make_args("yes", 2));
  EXPECT_EQ(bench.last_payload(),
            R"({"type":12,"data":{"requestId":"q1","packet":"yes"},"uid":")" + bench.uid + R"(","nsp":"/"})");
  bench.node.ack_calls[0].answer({});
  EXPECT_EQ(bench.last_payload(), R"({"type":12,"data":{"requestId":"q1"},"uid":")" + bench.uid + R"(","nsp":"/"})");
  EXPECT_THAT(bench.node.delivered, IsEmpty());
  bench.node.takes_acks = false;
  bench.hear(request(OperationKind::emit_with_ack, "q2"));
  EXPECT_NE(bench.last_payload().find(R"("clientCount":0)"), std::string::npos) << "who asked does not wait";
  EXPECT_EQ(bench.malformed(Malformed::bad_packet), 1U);
}

TEST(ShardedAdapterTest, ServerEvents) {
  Bench bench;
  bench.hear(request(OperationKind::server_side_emit, {}));
  ASSERT_THAT(bench.node.events, SizeIs(1));
  EXPECT_EQ(bench.node.events[0].event, "asked");
  EXPECT_EQ(bench.node.events[0].args, "1");
  EXPECT_FALSE(bench.node.events[0].answer);
  bench.hear(request(OperationKind::server_side_emit, "q1"));
  ASSERT_TRUE(bench.node.events[1].answer);
  bench.node.events[1].answer("fine");
  EXPECT_EQ(bench.last_payload(),
            R"({"type":10,"data":{"requestId":"q1","packet":"fine"},"uid":")" + bench.uid + R"(","nsp":"/"})");
}

// --- its own requests ---

TEST(ShardedAdapterTest, CountsServers) {
  Bench bench;
  bench.link.subscribers = 5;
  Outcome outcome;
  bench.adapter.operate(operation(OperationKind::server_count), outcome.handler(), {});
  EXPECT_EQ(outcome.result.count, 5U);
  EXPECT_THAT(bench.link.counted, ElementsAre("socket.io#/#"));
}

TEST(ShardedAdapterTest, OrdersAreDoneWhenTheyAreSaid) {
  Bench bench;
  Outcome outcome;
  for (const OperationKind kind :
       {OperationKind::join, OperationKind::leave, OperationKind::disconnect, OperationKind::server_side_emit})
    bench.adapter.operate(operation(kind), outcome.handler(), {});
  EXPECT_EQ(outcome.calls, 4);
  EXPECT_THAT(bench.link.published, SizeIs(4));
  EXPECT_EQ(bench.last_channel(), "socket.io#/#");
  EXPECT_EQ(bench.last_payload(), R"({"type":9,"data":{"packet":["hello"]},"uid":")" + bench.uid + R"(","nsp":"/"})");
}

TEST(ShardedAdapterTest, AlonePerNamespaceNobodyIsAsked) {
  Bench bench;
  Outcome outcome;
  bench.adapter.operate(operation(OperationKind::fetch), outcome.handler(), {});
  EXPECT_EQ(outcome.calls, 1);
  EXPECT_THAT(bench.link.published, IsEmpty());
}

TEST(ShardedAdapterTest, AnAnswerLeavesOutWhatIsTooMuchAndSaysSo) {
  ShardedOptions options;
  options.limits.answer_bytes_max = 1'000;
  Bench bench(options);
  for (int i = 0; i < 10; ++i)
    bench.node.result.sockets.push_back(bench.node.socket("sid", {"r"}, std::string(200, 'x')));
  bench.hear(request(OperationKind::fetch, "q1"));
  EXPECT_LT(bench.last_payload().size(), 1'200U);
  IncomingMessage message;
  const std::string payload = bench.last_payload();
  ASSERT_TRUE(decode_message(payload, message));
  const auto answer = read_answer(message).value();
  EXPECT_FALSE(answer.is_whole);
  EXPECT_FALSE(answer.sockets.empty());
  EXPECT_EQ(bench.adapter.statistics().answers_cut.value(), 1U);

  bench.link.subscribers = 2;
  Outcome outcome;
  bench.adapter.operate(operation(OperationKind::fetch), outcome.handler(), {});
  bench.hear(answer_message(MessageType::fetch_answer, "/", id_of(bench.last_payload()),
                            {{"sockets", Array{Object{{"id", "s1"}}}}, {"leftOut", 9}}),
             bench.response_channel, "a");
  EXPECT_EQ(outcome.calls, 1);
  EXPECT_THAT(outcome.result.sockets, SizeIs(1));
  EXPECT_EQ(outcome.result.missing_servers, 1U);
}

TEST(ShardedAdapterTest, FetchesFromAll) {
  Bench bench;
  bench.link.subscribers = 3;
  Outcome outcome;
  bench.adapter.operate(operation(OperationKind::fetch), outcome.handler(), {});
  const std::string id = id_of(bench.last_payload());
  EXPECT_EQ(id.size(), 16U);
  const auto answer = [&](std::string_view from, std::string_view socket) {
    bench.hear(answer_message(MessageType::fetch_answer, "/", id,
                              {{"sockets", Array{Object{{"id", socket}, {"rooms", Array{socket, "r"}}}, 7}}}),
               bench.response_channel, from);
  };
  answer("a", "s1");
  answer("a", "s1");  // twice
  EXPECT_EQ(outcome.calls, 0);
  answer("b", "s2");
  answer("c", "s3");  // too late
  EXPECT_EQ(outcome.calls, 1);
  ASSERT_THAT(outcome.result.sockets, SizeIs(2));
  EXPECT_EQ(outcome.result.sockets[0].id(), "s1");
  EXPECT_THAT(outcome.result.sockets[1].rooms(), ElementsAre("s2", "r"));
  EXPECT_EQ(outcome.result.missing_servers, 0U);
  EXPECT_EQ(bench.adapter.statistics().strayed_answers.value(), 2U);
}

TEST(ShardedAdapterTest, AllRoomsAreThoseOfAllSockets) {
  Bench bench;
  bench.link.subscribers = 2;
  Outcome outcome;
  bench.adapter.operate(operation(OperationKind::all_rooms), outcome.handler(), {});
  bench.hear(
      answer_message(MessageType::fetch_answer, "/", id_of(bench.last_payload()),
                     {{"sockets", Array{Object{{"id", "s1"}, {"rooms", Array{"s1", "r"}}},
                                        Object{{"id", "s2"}, {"rooms", Array{"s2", "r"}}}, Object{{"id", "x"}}}}}),
      bench.response_channel);
  EXPECT_EQ(outcome.calls, 1);
  EXPECT_THAT(outcome.result.rooms, ElementsAre("r", "s1", "s2"));
}

TEST(ShardedAdapterTest, WhoDoesNotAnswerIsMissing) {
  Bench bench({{.limits = {.requests = Milliseconds(300)}}, ShardedMode::dynamic});
  bench.link.subscribers = 3;
  Outcome outcome;
  const TimePoint start{};
  bench.adapter.operate(operation(OperationKind::server_side_emit, true), outcome.handler(), start);
  bench.hear(answer_message(MessageType::server_side_emit_answer, "/", id_of(bench.last_payload()), {{"packet", "a"}}),
             bench.response_channel);
  EXPECT_EQ(outcome.calls, 0);
  EXPECT_EQ(bench.adapter.next_deadline(), start + Milliseconds(300));
  bench.adapter.on_time(start + Milliseconds(300));
  EXPECT_EQ(outcome.calls, 1);
  EXPECT_THAT(outcome.result.answers, ElementsAre(Value("a")));
  EXPECT_EQ(outcome.result.missing_servers, 1U);
}

TEST(ShardedAdapterTest, CollectsAcknowledgements) {
  Bench bench;
  bench.link.subscribers = 3;
  Outcome outcome;
  bench.adapter.operate(operation(OperationKind::emit_with_ack), outcome.handler(), {});
  EXPECT_EQ(bench.last_channel(), "socket.io#/#") << "all servers have to say how many clients they have";
  const std::string id = id_of(bench.last_payload());
  const auto say = [&](MessageType type, std::string_view from, Object members) {
    bench.hear(answer_message(type, "/", id, std::move(members)), bench.response_channel, from);
  };
  say(MessageType::client_count, "a", {{"clientCount", 2}});
  say(MessageType::client_ack, "a", {{"packet", 1}});
  say(MessageType::client_count, "b", {{"clientCount", 0}});
  say(MessageType::fetch_answer, "a", {{"sockets", Array{}}});  // of another kind
  EXPECT_EQ(outcome.calls, 0);
  say(MessageType::client_ack, "a", {});
  EXPECT_EQ(outcome.calls, 1);
  ASSERT_THAT(outcome.result.acks.responses, SizeIs(2));
  EXPECT_EQ(outcome.result.acks.responses[0].text(), "1");
  EXPECT_TRUE(outcome.result.acks.responses[1].empty());
  EXPECT_EQ(bench.malformed(Malformed::bad_request), 1U);
}

TEST(ShardedAdapterTest, AnAnswerToNoQuestionIsCounted) {
  Bench bench;
  bench.hear(answer_message(MessageType::fetch_answer, "/", "nobody's", {{"sockets", Array{}}}),
             bench.response_channel);
  EXPECT_EQ(bench.adapter.statistics().strayed_answers.value(), 1U);
}

// --- what makes no sense ---

TEST(ShardedAdapterTest, MalformedMessagesAreCountedByKind) {
  Bench bench;
  const auto head = [](std::string_view rest) { return R"({"uid":"u","nsp":"/",)" + std::string(rest) + "}"; };
  for (int i = 0; i < 3; ++i) bench.hear("{");
  EXPECT_EQ(bench.malformed(Malformed::not_json), 3U);
  bench.hear("\xc1");
  EXPECT_EQ(bench.malformed(Malformed::not_msgpack), 1U);
  bench.hear("{}");
  bench.hear(head(R"("type":4,"data":{})"));
  EXPECT_EQ(bench.malformed(Malformed::bad_request), 2U);
  bench.hear(head(R"("type":77)"));
  EXPECT_EQ(bench.malformed(Malformed::unknown_request), 1U);
  bench.hear(head(R"("type":3,"data":{"opts":{"rooms":[]},"packet":{"type":2,"data":["disconnect"]}})"));
  EXPECT_EQ(bench.malformed(Malformed::bad_packet), 1U);
  bench.hear(head(R"("type":2)"));  // a heartbeat
  EXPECT_EQ(bench.adapter.statistics().unwanted.value(), 1U);
  EXPECT_THAT(bench.node.delivered, IsEmpty());
  EXPECT_THAT(bench.node.performed, IsEmpty());
  EXPECT_THAT(bench.link.published, IsEmpty());
}

TEST(ShardedAdapterTest, ChannelsThatNobodyWantsAreNotRead) {
  Bench bench;
  bench.hear("{", "elsewhere");
  bench.adapter.on_message(Kind::plain, "socket.io#/#", "{");
  EXPECT_EQ(bench.adapter.statistics().unwanted.value(), 2U);
  EXPECT_EQ(bench.malformed(Malformed::not_json), 0U);
}

}  // namespace
}  // namespace carillon::cluster
