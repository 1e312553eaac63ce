#include "cluster/streams_adapter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
using FieldViews = std::vector<std::pair<std::string_view, std::string_view>>;

constexpr std::string_view other = "0123456789abcdef";

// An adapter, its link and its node.
struct Bench {
  explicit Bench(StreamsOptions options = {}) : adapter(link, node, random, options) {
    configure_log(LogLevel::off, LogFormat::text);
  }

  void hear_entry(const redis::StreamFields& fields, std::string_view stream = "socket.io") {
    const FieldViews views(fields.begin(), fields.end());
    adapter.on_entry(stream, "1-0", views);
  }
  void hear(const OutgoingMessage& message, std::string_view from = other) {
    adapter.on_message(Kind::plain, "socket.io#/#", encode_message_msgpack(from, message));
  }
  std::string last_payload() const { return link.published.back().second; }
  std::uint64_t malformed(Malformed kind) const {
    return adapter.statistics().malformed[static_cast<std::size_t>(kind)].value();
  }

  FakeLink link;
  FakeNode node;
  SeededRandom random;
  StreamsAdapter adapter;
  int done = 0;
};

socketio::Broadcast event(std::vector<std::string> rooms = {}, std::string_view name_space = "/") {
  socketio::Broadcast message;
  message.name_space = name_space;
  message.event = "e";
  message.rooms = std::move(rooms);
  return message;
}

socketio::OperationPtr operation(OperationKind kind, bool wants_answers = false) {
  auto what = std::make_shared<socketio::Operation>();
  what->kind = kind;
  what->event = "hello";
  what->wants_answers = wants_answers;
  if (kind == OperationKind::emit_with_ack) what->message = std::make_shared<socketio::Broadcast>(event());
  return what;
}

redis::StreamFields entry_of(std::string type, std::string data) {
  return {{"uid", std::string(other)}, {"nsp", "/"}, {"type", std::move(type)}, {"data", std::move(data)}};
}

TEST(StreamsAdapterTest, FollowsEveryStreamAndListensForRequests) {
  const Bench one;
  EXPECT_THAT(one.link.followed, ElementsAre("socket.io"));
  ASSERT_THAT(one.link.log, SizeIs(2));
  EXPECT_EQ(one.link.log[0], "+socket.io#/#");
  const Bench several({{.key = "app"}, "events", 3, 10, Kind::sharded});
  EXPECT_THAT(several.link.followed, ElementsAre("events--2", "events--1", "events-0", "events-1", "events-2"));
  EXPECT_EQ(several.link.log[0], "+s:app#/#");
}

TEST(StreamsAdapterTest, RoomsNeedNoSubscription) {
  Bench bench;
  bench.link.log.clear();
  bench.adapter.open_room(2, "/", "r", [&] { ++bench.done; });
  bench.adapter.await_room("/", "r", [&] { ++bench.done; });
  EXPECT_EQ(bench.done, 2);
  bench.hear_entry(encode_entry(other, broadcast_message(event({"r"})).value()));
  EXPECT_THAT(bench.node.delivered, ElementsAre(Pair(R"(42["e"])", 4U)));
  bench.adapter.close_room(2, "/", "r");
  bench.hear_entry(encode_entry(other, broadcast_message(event({"r"})).value()));
  EXPECT_THAT(bench.node.delivered, SizeIs(1));
  EXPECT_EQ(bench.adapter.statistics().unwanted.value(), 1U);
  EXPECT_THAT(bench.link.log, IsEmpty());
}

TEST(StreamsAdapterTest, WhatAllHaveToDoGoesIntoTheNamespacesStream) {
  Bench bench({{.namespaces = {"/", "/notifications"}}, "socket.io", 4});
  bench.adapter.publish(event({"r"}));
  bench.adapter.publish(event({}, "/notifications"));
  for (const OperationKind kind : {OperationKind::join, OperationKind::leave, OperationKind::disconnect})
    bench.adapter.operate(operation(kind), [&](const auto&) { ++bench.done; }, {});
  EXPECT_EQ(bench.done, 3);
  ASSERT_THAT(bench.link.appended, SizeIs(5));
  EXPECT_EQ(bench.link.appended[0].first, "socket.io-3");
  EXPECT_EQ(bench.link.appended[1].first, "socket.io--3");
  for (std::size_t i = 2; i < 5; ++i) {
    EXPECT_EQ(bench.link.appended[i].first, "socket.io-3");
    EXPECT_EQ(bench.link.appended[i].second[2], std::pair(std::string("type"), std::to_string(i + 2)));
  }
  EXPECT_THAT(bench.link.published, IsEmpty());
}

TEST(StreamsAdapterTest, LocalBroadcastsStayHere) {
  Bench bench;
  auto message = event();
  message.flags.local = true;
  bench.adapter.publish(message);
  EXPECT_THAT(bench.link.appended, IsEmpty());
}

TEST(StreamsAdapterTest, WhatIsAnsweredGoesThroughChannelsInMessagePack) {
  Bench bench;
  bench.link.subscribers = 2;
  int calls = 0;
  const auto done = [&](const auto&) { ++calls; };
  bench.adapter.operate(operation(OperationKind::fetch), done, {});
  bench.adapter.operate(operation(OperationKind::emit_with_ack), done, {});
  bench.adapter.operate(operation(OperationKind::server_side_emit), done, {});
  bench.adapter.operate(operation(OperationKind::server_side_emit, true), done, {});
  EXPECT_EQ(calls, 1) << "the one that nobody answers";
  ASSERT_THAT(bench.link.published, SizeIs(4));
  for (const auto& [channel, payload] : bench.link.published) {
    EXPECT_EQ(channel, "socket.io#/#");
    const auto message = parse_msgpack(payload);
    ASSERT_TRUE(message);
    EXPECT_EQ(*message->find("nsp"), Value("/"));
  }
  EXPECT_THAT(bench.link.appended, IsEmpty());
  EXPECT_EQ(bench.link.published_kinds.back(), Kind::plain);
}

TEST(StreamsAdapterTest, AnswersInMessagePack) {
  Bench bench;
  bench.node.result.sockets.push_back(bench.node.socket("s1"));
  auto question = operation(OperationKind::fetch);
  bench.hear(request_message(*question, "q1").value());
  EXPECT_EQ(bench.link.published.back().first, "socket.io#/#0123456789abcdef#");
  const std::string payload = bench.last_payload();
  EXPECT_FALSE(payload.starts_with('{'));
  IncomingMessage message;
  ASSERT_TRUE(decode_message(payload, message));
  EXPECT_EQ(message.type, 8);
  EXPECT_THAT(read_answer(message)->sockets, SizeIs(1));
}

TEST(StreamsAdapterTest, ItsOwnEntriesAreIgnored) {
  Bench bench;
  bench.adapter.publish(event());
  bench.hear_entry(bench.link.appended[0].second);
  EXPECT_THAT(bench.node.delivered, IsEmpty());
  EXPECT_EQ(bench.adapter.statistics().own.value(), 1U);
}

TEST(StreamsAdapterTest, EntriesOfEveryStreamAreHeard) {
  Bench bench({{.namespaces = {"/", "/orders"}}, "s", 2});
  for (const char* stream : {"s--1", "s-0", "s-1"})
    bench.hear_entry(encode_entry(other, broadcast_message(event({}, "/orders")).value()), stream);
  EXPECT_THAT(bench.node.delivered, SizeIs(3));
}

TEST(StreamsAdapterTest, OrdersOfOthersAreDone) {
  Bench bench;
  for (const OperationKind kind : {OperationKind::join, OperationKind::leave, OperationKind::disconnect})
    bench.hear_entry(encode_entry(other, request_message(*operation(kind), {}).value()));
  ASSERT_THAT(bench.node.performed, SizeIs(3));
  EXPECT_EQ(bench.node.performed[1]->kind, OperationKind::leave);
}

// As @socket.io/redis-streams-emitter 0.1.1 writes them: server-side events, too, are entries.
TEST(StreamsAdapterTest, TheEmitterIsHeard) {
  Bench bench;
  bench.hear_entry(
      {{"uid", "emitter"},
       {"nsp", "/"},
       {"type", "3"},
       {"data", R"({"packet":{"type":2,"data":["e",1],"nsp":"/"},"opts":{"rooms":[],"flags":{},"except":[]}})"}});
  bench.hear_entry({{"uid", "emitter"}, {"nsp", "/"}, {"type", "9"}, {"data", R"({"packet":["hi",1]})"}});
  EXPECT_THAT(bench.node.delivered, ElementsAre(Pair(R"(42["e",1])", every_shard)));
  ASSERT_THAT(bench.node.events, SizeIs(1));
  EXPECT_EQ(bench.node.events[0].event, "hi");
  EXPECT_FALSE(bench.node.events[0].answer);
}

// Servers with version 0.2 of the published adapter put everything into the stream.
TEST(StreamsAdapterTest, RequestsAndAnswersInTheStreamAreUnderstood) {
  Bench bench;
  bench.link.subscribers = 2;
  bench.hear_entry(encode_entry(other, request_message(*operation(OperationKind::fetch), "q1").value()));
  EXPECT_EQ(bench.link.published.back().first, "socket.io#/#0123456789abcdef#");
  int calls = 0;
  bench.adapter.operate(operation(OperationKind::fetch), [&](const auto&) { ++calls; }, {});
  const auto asked = parse_msgpack(bench.last_payload()).value();
  const std::string& id = *asked.find("data")->find("requestId")->as_string();
  bench.hear_entry(encode_entry(other, answer_message(MessageType::fetch_answer, "/", id, {{"sockets", Array{}}})));
  EXPECT_EQ(calls, 1);
  bench.hear_entry({{"uid", std::string(other)}, {"nsp", "/"}, {"type", "2"}});
  EXPECT_EQ(bench.adapter.statistics().unwanted.value(), 1U);
}

TEST(StreamsAdapterTest, OnlyLostEntriesAreAGap) {
  Bench bench;
  bench.adapter.on_ready(false);
  bench.adapter.on_ready(true);
  EXPECT_EQ(bench.node.gaps, 0);
  bench.adapter.on_entries_lost("socket.io");
  EXPECT_EQ(bench.node.gaps, 1);
}

TEST(StreamsAdapterTest, MalformedEntriesAreCountedByKind) {
  Bench bench;
  bench.hear_entry({});
  bench.hear_entry({{"some", "thing"}});
  bench.hear_entry(entry_of("4", R"({"rooms":["r"]})"));
  bench.hear_entry(entry_of("4", ""));
  EXPECT_EQ(bench.malformed(Malformed::bad_request), 4U);
  bench.hear_entry(entry_of("3", "{"));
  EXPECT_EQ(bench.malformed(Malformed::not_json), 1U);
  bench.hear_entry(entry_of("3", "!!"));
  EXPECT_EQ(bench.malformed(Malformed::not_msgpack), 1U);
  bench.hear_entry(entry_of("42", "{}"));
  EXPECT_EQ(bench.malformed(Malformed::unknown_request), 1U);
  EXPECT_THAT(bench.node.performed, IsEmpty());
  bench.adapter.on_message(Kind::plain, "socket.io#/#", "\xc1");
  EXPECT_EQ(bench.malformed(Malformed::not_msgpack), 2U);
}

}  // namespace
}  // namespace carillon::cluster
