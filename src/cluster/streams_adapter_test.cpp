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

TEST(StreamsAdapterTest, ANodeIsToldWhoseClientsHaveComeBackElsewhere) {
  Bench bench;
  std::vector<std::string> taken;
  bench.adapter.open_namespace(0, "/");
  bench.adapter.set_taken_handler([&](const TakenSession& session) { taken.push_back(session.pid + session.owner); });
  bench.adapter.tell_taken(std::string(other), "/", {"pid", "owner"});
  EXPECT_EQ(bench.link.published.back().first, "socket.io#/#" + std::string(other) + "#");
  const std::string told = bench.last_payload();
  IncomingMessage message;
  ASSERT_TRUE(decode_message(told, message));
  EXPECT_EQ(message.type, 2) << "to others a heartbeat";

  bench.hear(taken_message("/", {"p", "o"}));
  EXPECT_THAT(taken, ElementsAre("po"));
  const Value bad[] = {Object{}, Object{{"taken", 7}}, Object{{"taken", Object{{"pid", "p"}}}}, 7,
                       Object{{"taken", Object{{"pid", 1}, {"owner", "o"}}}}};
  for (const Value& data : bad) bench.hear({.type = MessageType::heartbeat, .name_space = "/", .data = data});
  EXPECT_THAT(taken, SizeIs(1));
  EXPECT_EQ(bench.adapter.statistics().unwanted.value(), std::size(bad));
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

// --- in the order of the stream ---

class InOrderTest : public ::testing::Test {
 protected:
  InOrderTest() { bench.node.format = {.offsets = true, .stream_offsets = true}; }

  void emit(const char* name, bool local = false) {
    auto message = std::make_shared<socketio::Broadcast>();
    message->flags.local = local;
    set_event(bench.node.format, *message, name, {});
    EXPECT_TRUE(message->awaits_entry);
    bench.adapter.publish_in_order(std::move(message), now);
  }
  // What was appended as the number `index` comes back.
  void read_back(std::size_t index, const char* id) {
    const redis::StreamFields fields = bench.link.appended.at(index).second;
    const FieldViews views(fields.begin(), fields.end());
    bench.adapter.on_entry("socket.io", id, views);
  }
  void hear_foreign(const char* name, const char* id) {
    auto message = event();
    message.event = name;
    const redis::StreamFields fields = encode_entry(other, broadcast_message(message).value());
    const FieldViews views(fields.begin(), fields.end());
    bench.adapter.on_entry("socket.io", id, views);
  }
  void fail(std::size_t index) { std::exchange(bench.link.append_done.at(index), {})(std::nullopt); }

  TimePoint now{};
  Bench bench{{{}, "socket.io", 1, 10'000, Kind::plain, true}};
};

TEST_F(InOrderTest, ABroadcastGoesWhenItIsReadBack) {
  emit("a");
  EXPECT_THAT(bench.node.released, IsEmpty());
  hear_foreign("f", "5-0");
  read_back(0, "7-1");
  EXPECT_THAT(bench.node.delivered, ElementsAre(Pair(R"(42["f","0000000000005-000000"])", every_shard)));
  EXPECT_THAT(bench.node.released, ElementsAre(R"(42["a","0000000000007-000001"])"));
  EXPECT_THAT(bench.node.entries, ElementsAre(socketio::StreamOffset{7, 1}));
  EXPECT_EQ(bench.node.messages[0]->entry, (socketio::StreamOffset{5, 0}));
  EXPECT_EQ(bench.adapter.next_deadline(), now + Milliseconds(1'000)) << "only to tell the position";
}

TEST_F(InOrderTest, LocalOnesKeepTheirTurn) {
  emit("alone", true);
  EXPECT_THAT(bench.node.released, ElementsAre(R"(42["alone","0000000000000-000000"])"));
  emit("a");
  emit("l", true);
  emit("b");
  EXPECT_THAT(bench.link.appended, SizeIs(2));
  EXPECT_THAT(bench.node.released, SizeIs(1));
  read_back(0, "7-0");
  EXPECT_THAT(bench.node.released,
              ElementsAre(R"(42["alone","0000000000000-000000"])", R"(42["a","0000000000007-000000"])",
                          R"(42["l","0000000000007-000000"])"));
  read_back(1, "8-0");
  EXPECT_EQ(bench.node.released.back(), R"(42["b","0000000000008-000000"])");
}

TEST_F(InOrderTest, WithoutRedisItGoesAtOnceAndANoteFollows) {
  hear_foreign("f", "5-0");
  emit("a");
  bench.link.is_ready = false;
  bench.adapter.on_ready(false);
  EXPECT_THAT(bench.node.released, ElementsAre(R"(42["a","0000000000005-000000"])"));
  EXPECT_FALSE(bench.node.entries.back().exists());
  emit("b");
  EXPECT_THAT(bench.node.released, SizeIs(2));
  EXPECT_THAT(bench.link.appended, SizeIs(2)) << "the others get it later";
  bench.link.is_ready = true;
  bench.adapter.on_ready(true);
  ASSERT_THAT(bench.link.appended, SizeIs(3));
  EXPECT_THAT(bench.link.appended[2].second,
              ElementsAre(Pair("uid", bench.adapter.uid()), Pair("nsp", "/"), Pair("type", "2"), Pair("early", "1-2")));
  read_back(0, "8-0");
  read_back(1, "8-1");
  EXPECT_THAT(bench.node.released, SizeIs(2)) << "its clients have them";
  emit("c");
  read_back(3, "9-0");
  EXPECT_EQ(bench.node.released.back(), R"(42["c","0000000000009-000000"])");
}

TEST_F(InOrderTest, WhatTakesTooLongGoesAtOnce) {
  emit("a");
  now += Milliseconds(100);
  emit("b");
  EXPECT_EQ(bench.adapter.next_deadline(), TimePoint{} + Milliseconds(500));
  now = TimePoint{} + Milliseconds(500);
  bench.adapter.on_time(now);
  EXPECT_THAT(bench.node.released,
              ElementsAre(R"(42["a","0000000000000-000000"])", R"(42["b","0000000000000-000000"])"));
  EXPECT_EQ(bench.link.appended.back().second.back(), std::pair(std::string("early"), std::string("1-2")));
  read_back(0, "7-0");
  read_back(1, "7-1");
  EXPECT_THAT(bench.node.released, SizeIs(2));
}

TEST_F(InOrderTest, NothingWaitsForASlowRedisUntilItIsFastAgain) {
  emit("a");
  now += Milliseconds(500);
  bench.adapter.on_time(now);
  emit("b");
  emit("c");
  EXPECT_THAT(bench.node.released, SizeIs(3));
  bench.adapter.on_time(now += Milliseconds(300));
  read_back(2, "7-0");
  emit("d");
  EXPECT_THAT(bench.node.released, SizeIs(4)) << "b was late, too";
  bench.adapter.on_time(now += Milliseconds(100));
  read_back(bench.link.appended.size() - 2, "8-0");
  emit("e");
  EXPECT_THAT(bench.node.released, SizeIs(4)) << "d was in time";
  read_back(bench.link.appended.size() - 1, "9-0");
  EXPECT_EQ(bench.node.released.back(), R"(42["e","0000000000009-000000"])");
}

// A slow Redis is not given a note with every event.
TEST_F(InOrderTest, OneNoteIsOfMany) {
  emit("a");
  now += Milliseconds(500);
  bench.adapter.on_time(now);
  EXPECT_EQ(bench.link.appended.back().second.back(), std::pair(std::string("early"), std::string("1-1")));
  for (int i = 0; i < 3; ++i) emit("a");
  bench.adapter.on_time(now + Milliseconds(99));
  ASSERT_THAT(bench.link.appended, SizeIs(5));
  EXPECT_EQ(bench.adapter.next_deadline(), now + Milliseconds(100));
  bench.adapter.on_time(now + Milliseconds(100));
  ASSERT_THAT(bench.link.appended, SizeIs(6));
  EXPECT_EQ(bench.link.appended.back().second.back(), std::pair(std::string("early"), std::string("2-4")));
  EXPECT_EQ(bench.adapter.statistics().early.value(), 4U);
}

TEST_F(InOrderTest, EntriesThatClaimToBeOfThisNodeChangeNothing) {
  emit("a");
  bench.link.appended.push_back(bench.link.appended[0]);
  for (const char* number : {"0", "99999999", "18446744073709551615", "-1", ""}) {
    bench.link.appended[1].second.back().second = number;
    read_back(1, "5-0");
    EXPECT_THAT(bench.node.released, IsEmpty()) << number;
  }
  read_back(0, "7-0");
  EXPECT_THAT(bench.node.released, SizeIs(1));
}

TEST_F(InOrderTest, WhatRedisDoesNotTakeGoesInItsTurn) {
  emit("a");
  emit("b");
  emit("c");
  fail(1);
  EXPECT_THAT(bench.node.released, SizeIs(2)) << "those before it do not wait any longer";
  fail(0);
  EXPECT_THAT(bench.node.released, SizeIs(2));
  read_back(2, "7-0");
  EXPECT_EQ(bench.node.released.back(), R"(42["c","0000000000007-000000"])");
}

TEST_F(InOrderTest, ShardsAreToldWhereTheStreamIs) {
  bench.adapter.on_position("socket.io", "4-2");
  EXPECT_THAT(bench.node.positions, ElementsAre(Pair(0U, socketio::StreamOffset{4, 2})));
  emit("a");
  fail(0);
  EXPECT_THAT(bench.node.released, ElementsAre(R"(42["a","0000000000004-000002"])"));
  hear_foreign("f", "5-0");
  hear_foreign("f", "6-0");
  EXPECT_THAT(bench.node.positions, SizeIs(1));
  bench.adapter.on_time(now + Milliseconds(1'000));
  EXPECT_EQ(bench.node.positions.back(), std::pair(std::size_t{0}, socketio::StreamOffset{6, 0}));
  bench.adapter.on_time(now + Milliseconds(2'000));
  EXPECT_THAT(bench.node.positions, SizeIs(2)) << "once";
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
