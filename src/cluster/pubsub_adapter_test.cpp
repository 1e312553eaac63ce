#include "cluster/pubsub_adapter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/hex.hpp"
#include "base/log.hpp"
#include "base/msgpack.hpp"
#include "cluster/testing.hpp"

namespace carillon::cluster {
namespace {

using testing::FakeLink;
using testing::FakeNode;
using testing::SeededRandom;
using enum redis::ChannelKind;

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Without the channels of requests and answers.
std::vector<std::string> broadcast_log(const FakeLink& link) {
  std::vector<std::string> log;
  for (const std::string& entry : link.log)
    if (entry.find("-request#") == std::string::npos && entry.find("-response#") == std::string::npos)
      log.push_back(entry);
  return log;
}

class PubSubAdapterTest : public ::testing::Test {
 protected:
  PubSubAdapterTest() {
    configure_log(LogLevel::off, LogFormat::text);
    link.log.clear();
  }

  std::vector<std::string> broadcast_log() const { return carillon::cluster::broadcast_log(link); }
  Task counted() {
    return [this] { ++done; };
  }
  void set_ready(bool ready) {
    link.is_ready = ready;
    adapter.on_ready(ready);
  }

  // A message of another node.
  static std::string message(std::vector<std::string> rooms, std::string_view name_space = "/",
                             std::string_view uid = "other1") {
    socketio::Broadcast broadcast;
    broadcast.name_space = name_space;
    broadcast.rooms = std::move(rooms);
    broadcast.event = "e";
    return encode_broadcast(uid, broadcast).value();
  }

  FakeLink link;
  FakeNode delivery;
  SeededRandom random;
  PubSubAdapter adapter{link, delivery, random, {.key = "socket.io", .namespaces = {"/", "/orders"}}};
  int done = 0;
};

// --- interest ---

TEST(PubSubAdapterStartTest, SubscribesToTheBaseChannels) {
  FakeLink link;
  FakeNode delivery;
  SeededRandom random;
  const PubSubAdapter adapter(link, delivery, random, {.key = "app", .namespaces = {"/", "/orders"}});
  EXPECT_THAT(link.log, ElementsAre("+app#/#", "+app-request#/#", "+app-response#/#",
                                    ::testing::MatchesRegex("\\+app-response#/#......#"), "+app#/orders#",
                                    "+app-request#/orders#", "+app-response#/orders#",
                                    ::testing::MatchesRegex("\\+app-response#/orders#......#")));
}

TEST_F(PubSubAdapterTest, SubscribesForTheFirstShardAndUnsubscribesAfterTheLast) {
  adapter.open_room(0, "/", "r", {});
  adapter.open_room(5, "/", "r", {});
  adapter.open_room(0, "/orders", "r", {});
  EXPECT_THAT(link.log, ElementsAre("+socket.io#/#r#", "+socket.io#/orders#r#"));
  EXPECT_EQ(adapter.statistics().rooms.value(), 2);
  adapter.close_room(0, "/", "r");
  EXPECT_THAT(link.log, SizeIs(2));
  adapter.close_room(5, "/", "r");
  adapter.close_room(5, "/", "r");  // harmless
  EXPECT_THAT(link.log, ElementsAre("+socket.io#/#r#", "+socket.io#/orders#r#", "-socket.io#/#r#"));
  EXPECT_EQ(adapter.statistics().rooms.value(), 1);
}

TEST_F(PubSubAdapterTest, AJoinIsDoneWhenTheSubscriptionIsConfirmed) {
  adapter.open_room(0, "/", "r", counted());
  adapter.open_room(1, "/", "r", counted());
  adapter.await_room("/", "r", counted());
  adapter.on_subscribed(plain, "socket.io#/#other#");
  EXPECT_EQ(done, 0);
  adapter.on_subscribed(plain, "socket.io#/#r#");
  EXPECT_EQ(done, 3);
  adapter.await_room("/", "r", counted());
  EXPECT_EQ(done, 4);
  adapter.open_room(2, "/", "r", counted());
  EXPECT_EQ(done, 5);
}

TEST_F(PubSubAdapterTest, WithoutRedisAJoinIsDoneAtOnce) {
  set_ready(false);
  adapter.open_room(0, "/", "r", counted());
  adapter.await_room("/", "r", counted());
  EXPECT_EQ(done, 2);
  EXPECT_THAT(link.log, ElementsAre("+socket.io#/#r#"));
  // Once Redis is back, those who come later wait until it is confirmed.
  set_ready(true);
  adapter.await_room("/", "r", counted());
  EXPECT_EQ(done, 2);
  adapter.on_subscribed(plain, "socket.io#/#r#");
  EXPECT_EQ(done, 3);
}

TEST_F(PubSubAdapterTest, JoinsThatWaitAreDoneWhenRedisVanishes) {
  adapter.open_room(0, "/", "a", counted());
  adapter.open_room(0, "/", "b", counted());
  link.is_ready = false;
  adapter.on_ready(false);
  EXPECT_EQ(done, 2);
  adapter.on_subscribed(plain, "socket.io#/#a#");  // after the reconnect
  EXPECT_EQ(done, 2);
}

TEST_F(PubSubAdapterTest, LeavingWhileWaitingEndsTheWait) {
  adapter.open_room(0, "/", "r", counted());
  adapter.close_room(0, "/", "r");
  EXPECT_EQ(done, 1);
  adapter.open_room(0, "/", "r", counted());
  EXPECT_EQ(done, 1);
  EXPECT_THAT(link.log, ElementsAre("+socket.io#/#r#", "-socket.io#/#r#", "+socket.io#/#r#"));
  adapter.on_subscribed(plain, "socket.io#/#r#");
  EXPECT_EQ(done, 2);
}

TEST_F(PubSubAdapterTest, TasksMayCallTheAdapter) {
  adapter.open_room(0, "/", "a", [this] {
    adapter.open_room(0, "/", "b", counted());
    adapter.close_room(0, "/", "a");
  });
  adapter.on_subscribed(plain, "socket.io#/#a#");
  EXPECT_THAT(link.log, ElementsAre("+socket.io#/#a#", "+socket.io#/#b#", "-socket.io#/#a#"));
  adapter.open_room(0, "/", "c", [this] { adapter.open_room(0, "/", "d", counted()); });
  link.is_ready = false;
  adapter.on_ready(false);
  EXPECT_EQ(done, 2);
}

// --- sending ---

TEST_F(PubSubAdapterTest, PublishesWithItsUid) {
  socketio::Broadcast broadcast;
  broadcast.event = "hello";
  broadcast.rooms = {"room1"};
  adapter.publish(broadcast);
  ASSERT_THAT(link.published, SizeIs(1));
  EXPECT_EQ(link.published[0].first, "socket.io#/#room1#");
  const std::string_view uid = decode_uid(link.published[0].second).value();
  EXPECT_THAT(uid, SizeIs(6));
  EXPECT_EQ(uid.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string_view::npos);
  broadcast.flags.local = true;
  adapter.publish(broadcast);
  EXPECT_THAT(link.published, SizeIs(1));
  EXPECT_EQ(adapter.statistics().published.value(), 1U);
}

TEST_F(PubSubAdapterTest, IgnoresItsOwnMessages) {
  adapter.open_room(0, "/", "r", {});
  socketio::Broadcast broadcast;
  broadcast.event = "hello";
  broadcast.rooms = {"r"};
  adapter.publish(broadcast);
  adapter.on_message(plain, link.published[0].first, link.published[0].second);
  EXPECT_THAT(delivery.delivered, IsEmpty());
  EXPECT_EQ(adapter.statistics().own.value(), 1U);
}

// --- receiving ---

TEST_F(PubSubAdapterTest, ARoomsMessageGoesToTheShardsThatHoldIt) {
  adapter.open_room(1, "/", "r", {});
  adapter.open_room(63, "/", "r", {});
  adapter.on_message(plain, "socket.io#/#r#", message({"r"}));
  EXPECT_THAT(delivery.delivered, ElementsAre(std::pair(R"(42["e"])", std::uint64_t{1} << 63 | 2U)));
  adapter.close_room(63, "/", "r");
  adapter.on_message(plain, "socket.io#/#r#", message({"r"}));
  EXPECT_EQ(delivery.delivered.back().second, 2U);
  EXPECT_THAT(delivery.messages[0]->rooms, ElementsAre("r"));
}

TEST_F(PubSubAdapterTest, AMessageToEveryoneGoesToAllShards) {
  adapter.on_message(plain, "socket.io#/#", message({}));
  adapter.on_message(plain, "socket.io#/orders#", message({}, "/orders"));
  EXPECT_THAT(delivery.delivered,
              ElementsAre(std::pair(R"(42["e"])", every_shard), std::pair(R"(42/orders,["e"])", every_shard)));
}

TEST_F(PubSubAdapterTest, AMessageToSeveralRoomsGoesWhereOneOfThemIs) {
  adapter.open_room(0, "/", "a", {});
  adapter.open_room(2, "/", "b", {});
  adapter.open_room(3, "/orders", "c", {});
  adapter.on_message(plain, "socket.io#/#", message({"a", "b", "c"}));
  EXPECT_THAT(delivery.delivered, ElementsAre(std::pair(R"(42["e"])", 5U)));
  adapter.on_message(plain, "socket.io#/#", message({"c", "d"}));
  EXPECT_THAT(delivery.delivered, SizeIs(1));
  EXPECT_EQ(adapter.statistics().unwanted.value(), 1U);
}

TEST_F(PubSubAdapterTest, WhatNobodyWantsIsNotEvenDecoded) {
  adapter.on_message(plain, "socket.io#/#gone#", "not msgpack");
  adapter.on_message(plain, "elsewhere", "not msgpack");
  EXPECT_EQ(adapter.statistics().unwanted.value(), 2U);
  for (const Counter& counter : adapter.statistics().malformed) EXPECT_EQ(counter.value(), 0U);
}

TEST_F(PubSubAdapterTest, RecipientsComeFromTheMessageNotFromTheChannel) {
  adapter.open_room(1, "/", "r", {});
  adapter.open_room(2, "/", "s", {});
  adapter.on_message(plain, "socket.io#/#r#", message({"s"}));
  EXPECT_THAT(delivery.delivered, ElementsAre(std::pair(R"(42["e"])", 4U)));
}

TEST_F(PubSubAdapterTest, OtherNamespacesAreIgnored) {
  adapter.open_room(1, "/", "r", {});
  adapter.on_message(plain, "socket.io#/#r#", message({"r"}, "/elsewhere"));
  EXPECT_THAT(delivery.delivered, IsEmpty());
  EXPECT_EQ(adapter.statistics().unwanted.value(), 1U);
}

TEST_F(PubSubAdapterTest, TheEmitterIsHeard) {
  adapter.open_room(0, "/", "r", {});
  adapter.on_message(plain, "socket.io#/#r#", message({"r"}, "/", emitter_uid));
  EXPECT_THAT(delivery.delivered, SizeIs(1));
}

TEST_F(PubSubAdapterTest, RoomsWithOddNamesAreOrdinary) {
  for (const std::string& room : {std::string("*?[]\\#{}"), std::string(""), std::string("a b\n"),
                                  std::string(1'000, 'x'), std::string("😀"), std::string("#")}) {
    adapter.open_room(0, "/", room, {});
    EXPECT_EQ(link.log.back(), "+socket.io#/#" + room + "#");
    adapter.on_message(plain, "socket.io#/#" + room + "#", message({room}));
    EXPECT_EQ(delivery.delivered.back().second, 1U);
    adapter.close_room(0, "/", room);
    EXPECT_EQ(link.log.back(), "-socket.io#/#" + room + "#");
  }
}

// "socket.io#/#x#" is the base channel of "/#x" and the channel of room x in "/".
TEST(PubSubAdapterStartTest, ARoomMayShareItsChannelWithANamespace) {
  FakeLink link;
  FakeNode delivery;
  SeededRandom random;
  PubSubAdapter adapter(link, delivery, random, {.key = "socket.io", .namespaces = {"/", "/#x"}});
  adapter.open_room(1, "/", "x", {});
  socketio::Broadcast broadcast;
  broadcast.event = "e";
  broadcast.rooms = {"x"};
  adapter.on_message(plain, "socket.io#/#x#", encode_broadcast("other1", broadcast).value());
  broadcast.rooms.clear();
  broadcast.name_space = "/#x";
  adapter.on_message(plain, "socket.io#/#x#", encode_broadcast("other1", broadcast).value());
  EXPECT_THAT(delivery.delivered, ElementsAre(std::pair(R"(42["e"])", 2U), std::pair(R"(42/#x,["e"])", every_shard)));
  adapter.close_room(1, "/", "x");
  EXPECT_THAT(broadcast_log(link), ElementsAre("+socket.io#/#", "+socket.io#/#x#"));
}

TEST_F(PubSubAdapterTest, MalformedMessagesAreCountedByKind) {
  const auto count = [&](Malformed kind) {
    return adapter.statistics().malformed[static_cast<std::size_t>(kind)].value();
  };
  std::string bytes;
  for (int i = 0; i < 3; ++i) adapter.on_message(plain, "socket.io#/#", "\xc1");
  EXPECT_EQ(count(Malformed::not_msgpack), 3U);
  adapter.on_message(plain, "socket.io#/#", "{\"type\":2}");
  EXPECT_EQ(count(Malformed::not_a_broadcast), 1U);
  append_msgpack(bytes, Array{"uid", Object{{"type", 0}}, Object{}});
  adapter.on_message(plain, "socket.io#/#", bytes);
  EXPECT_EQ(count(Malformed::bad_packet), 1U);
  bytes.clear();
  Value deep(1);
  for (int i = 0; i < 2'000; ++i) deep = Value(Array{std::move(deep)});
  append_msgpack(bytes, Array{"uid", Object{{"type", 2}, {"data", Array{"e", std::move(deep)}}}, Object{}});
  adapter.on_message(plain, "socket.io#/#", bytes);
  EXPECT_EQ(count(Malformed::nested_too_deep), 1U);
  EXPECT_THAT(delivery.delivered, IsEmpty());
  EXPECT_EQ(adapter.statistics().received.value(), 6U);
}

// --- requests of others ---

class PubSubRequestsTest : public PubSubAdapterTest {
 protected:
  void receive(std::string_view body) { adapter.on_message(plain, "socket.io-request#/#", body); }
  const std::pair<std::string, std::string>& last() const { return link.published.back(); }
};

TEST_F(PubSubRequestsTest, AnswersWithItsSockets) {
  delivery.result.sockets = {delivery.socket("s1", {"a"}, Object{{"k", 1}})};
  receive(R"({"uid":"other1","requestId":"r1","type":5,"opts":{"rooms":["a"],"except":["b"]}})");
  ASSERT_THAT(delivery.performed, SizeIs(1));
  EXPECT_EQ(delivery.performed[0]->kind, socketio::Operation::Kind::fetch);
  EXPECT_THAT(delivery.performed[0]->selection.rooms, ElementsAre("a"));
  EXPECT_EQ(last().first, "socket.io-response#/#other1#") << "on the channel of who asked";
  const auto answer = decode_response(last().second);
  ASSERT_TRUE(answer && answer->items);
  const auto facts = to_facts(answer->items->at(0));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->id, "s1");
  EXPECT_THAT(facts->rooms, ElementsAre("s1", "a"));
  EXPECT_EQ(facts->data.find("k")->as_int64(), 1);
  EXPECT_EQ(facts->handshake.header("cookie"), "secret");
  EXPECT_EQ(facts->handshake.auth("token"), "t");
}

TEST(PubSubAdapterStartTest, HandshakesMayBeKeptAtHome) {
  FakeLink link;
  FakeNode node;
  SeededRandom random;
  PubSubAdapter adapter(link, node, random, {.handshakes = Handshakes::redacted});
  node.result.sockets = {node.socket("s1")};
  adapter.on_message(plain, "socket.io-request#/#", R"({"uid":"o","requestId":"r","type":5,"opts":{}})");
  const std::string& body = link.published.back().second;
  EXPECT_EQ(body.find("secret"), std::string::npos);
  EXPECT_EQ(body.find("token"), std::string::npos);
  EXPECT_EQ(body.find("EIO"), std::string::npos);
  EXPECT_NE(body.find("127.0.0.1"), std::string::npos);
}

// Empty-handed, too: the others count the answers.
TEST_F(PubSubRequestsTest, AnswersEveryQuestion) {
  receive(R"({"uid":"o","requestId":"r1","type":5,"opts":{"rooms":[],"except":[]}})");
  EXPECT_EQ(last().second, R"({"requestId":"r1","sockets":[]})");
  receive(R"({"uid":"o","requestId":"r2","type":1})");
  EXPECT_EQ(last().second, R"({"requestId":"r2","rooms":[]})");
  receive(R"({"uid":"o","requestId":"r3","type":0,"rooms":[]})");
  EXPECT_EQ(last(), std::pair(std::string("socket.io-response#/#"), std::string(R"({"requestId":"r3","sockets":[]})")));
}

TEST_F(PubSubRequestsTest, CarriesOutOrders) {
  receive(R"({"type":2,"opts":{"rooms":["a"],"except":[]},"rooms":["x"]})");
  receive(R"({"uid":"o","type":3,"opts":{"rooms":["a"],"except":[]},"rooms":["x"]})");
  receive(R"({"type":4,"opts":{"rooms":[],"except":["b"]},"close":true})");
  ASSERT_THAT(delivery.performed, SizeIs(3));
  EXPECT_THAT(delivery.performed[0]->target_rooms, ElementsAre("x"));
  EXPECT_TRUE(delivery.performed[2]->close);
  EXPECT_THAT(link.published, IsEmpty());
  receive(R"({"requestId":"r","type":2,"sid":"s1","room":"x"})");  // of an old server
  EXPECT_EQ(last(), std::pair(std::string("socket.io-response#/#"), std::string(R"({"requestId":"r"})")));
}

TEST_F(PubSubRequestsTest, PassesAcknowledgementsOn) {
  std::string body;
  append_msgpack(body, Object{{"uid", "other1"},
                              {"requestId", "r"},
                              {"type", 7},
                              {"packet", Object{{"type", 2}, {"data", Array{"ask", 1}}, {"nsp", "/"}}},
                              {"opts", Object{{"rooms", Array{}}, {"except", Array{}}}}});
  receive(body);
  ASSERT_THAT(delivery.with_acks, SizeIs(1));
  EXPECT_EQ(delivery.with_acks[0].event, "ask");
  delivery.ack_calls[0].clients(2);
  EXPECT_EQ(last(), std::pair(std::string("socket.io-response#/#other1#"),
                              std::string(R"({"requestId":"r","type":8,"clientCount":2})")));
  delivery.ack_calls[0].answer(make_args("yes", "more"));
  EXPECT_EQ(last().second, R"({"requestId":"r","type":9,"packet":"yes"})");
  delivery.ack_calls[0].answer(make_args(Binary{"\x01"}));
  EXPECT_EQ(decode_response(last().second)->packet, Value(Binary{"\x01"}));
}

TEST_F(PubSubRequestsTest, ABroadcastThatNoClientMayGetReachesNobody) {
  delivery.takes_acks = false;
  std::string body;
  append_msgpack(body, Object{{"uid", "other1"},
                              {"requestId", "r"},
                              {"type", 7},
                              {"packet", Object{{"type", 2}, {"data", Array{"connect"}}}},
                              {"opts", Object{}}});
  receive(body);
  EXPECT_EQ(last().second, R"({"requestId":"r","type":8,"clientCount":0})");
}

TEST_F(PubSubRequestsTest, HandsServerSideEventsOver) {
  receive(R"({"uid":"emitter","type":6,"data":["hello",1]})");
  receive(R"({"uid":"o","requestId":"r","type":6,"data":["ask"]})");
  ASSERT_THAT(delivery.events, SizeIs(2));
  EXPECT_EQ(delivery.events[0].event, "hello");
  EXPECT_EQ(delivery.events[0].args, "1");
  EXPECT_FALSE(delivery.events[0].answer);
  delivery.events[1].answer("me");
  EXPECT_EQ(last(),
            std::pair(std::string("socket.io-response#/#"), std::string(R"({"requestId":"r","type":6,"data":"me"})")));
}

TEST_F(PubSubRequestsTest, NonsenseIsCounted) {
  receive("nonsense");
  receive("{\"type\":77}");
  receive("{}");
  adapter.on_message(plain, "socket.io-response#/#", "{}");
  adapter.on_message(plain, "socket.io-response#/#", R"({"requestId":"never asked","sockets":[]})");
  const auto& malformed = adapter.statistics().malformed;
  EXPECT_EQ(malformed[static_cast<std::size_t>(Malformed::not_msgpack)].value(), 1U);
  EXPECT_EQ(malformed[static_cast<std::size_t>(Malformed::unknown_request)].value(), 1U);
  EXPECT_EQ(malformed[static_cast<std::size_t>(Malformed::bad_request)].value(), 2U);
  EXPECT_EQ(adapter.statistics().strayed_answers.value(), 1U);
  EXPECT_THAT(link.published, IsEmpty());
  EXPECT_THAT(delivery.performed, IsEmpty());
}

// --- requests to others ---

class PubSubQuestionsTest : public PubSubAdapterTest {
 protected:
  using Kind = socketio::Operation::Kind;

  PubSubQuestionsTest() { link.subscribers = 2; }

  std::shared_ptr<socketio::Operation> operation(Kind kind) {
    auto result = std::make_shared<socketio::Operation>();
    result->kind = kind;
    return result;
  }
  void operate(socketio::OperationPtr asked) {
    adapter.operate(std::move(asked), [this](const socketio::OperationResult& result) { results.push_back(result); },
                    {});
  }
  // The id of the question that was sent last.
  std::string id() const { return decode_response(link.published.back().second)->id; }
  void answer(std::string_view members) {
    adapter.on_message(plain, "socket.io-response#/#", R"({"requestId":")" + id() + "\"," + std::string(members) + "}");
  }

  std::vector<socketio::OperationResult> results;
};

TEST_F(PubSubQuestionsTest, FetchesTheSocketsOfOthers) {
  operate(operation(Kind::fetch));
  EXPECT_THAT(link.counted, ElementsAre("socket.io-request#/#"));
  EXPECT_EQ(link.published.back().first, "socket.io-request#/#");
  answer(R"("sockets":[{"id":"s1","handshake":{"auth":{"a":1}},"rooms":["s1","r"],"data":{"d":2}},{"no":"id"}])");
  ASSERT_THAT(results, SizeIs(1));
  ASSERT_THAT(results[0].sockets, SizeIs(1));
  EXPECT_EQ(results[0].sockets[0].id(), "s1");
  EXPECT_EQ(results[0].missing_servers, 0U);
}

TEST_F(PubSubQuestionsTest, WhoCouldNotTellAllIsMissing) {
  operate(operation(Kind::all_rooms));
  answer(R"("rooms":["a"],"leftOut":2)");
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_THAT(results[0].rooms, ElementsAre("a"));
  EXPECT_EQ(results[0].missing_servers, 1U);
}

TEST_F(PubSubQuestionsTest, AsksForRooms) {
  operate(operation(Kind::all_rooms));
  answer(R"("rooms":["a","b"])");
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_THAT(results[0].rooms, ElementsAre("a", "b"));
}

TEST_F(PubSubQuestionsTest, CollectsAcknowledgements) {
  auto asked = operation(Kind::emit_with_ack);
  asked->message = socketio::make_broadcast({}, "/", {}, {}, {}, "ask", {}, 7);
  operate(asked);
  const std::string id = decode_response(link.published.back().second)->id;
  adapter.on_message(plain, "socket.io-response#/#", R"({"type":8,"requestId":")" + id + R"(","clientCount":2})");
  std::string ack;
  append_msgpack(ack, Object{{"type", 9}, {"requestId", id}, {"packet", "one"}});
  adapter.on_message(plain, "socket.io-response#/#", ack);
  EXPECT_THAT(results, IsEmpty());
  adapter.on_message(plain, "socket.io-response#/#", R"({"type":9,"requestId":")" + id + R"(","packet":"two"})");
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_THAT(results[0].acks.responses, SizeIs(2));
}

TEST_F(PubSubQuestionsTest, AsksOtherServers) {
  auto asked = operation(Kind::server_side_emit);
  asked->event = "who";
  asked->wants_answers = true;
  operate(asked);
  answer(R"("type":6,"data":"node 2")");
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_THAT(results[0].answers, ElementsAre(Value("node 2")));
}

TEST_F(PubSubQuestionsTest, OrdersWaitForNobody) {
  auto asked = operation(Kind::join);
  asked->target_rooms = {"x"};
  operate(asked);
  EXPECT_THAT(results, SizeIs(1));
  EXPECT_THAT(link.counted, IsEmpty());
  // It comes back: this node has done its part already.
  adapter.on_message(plain, link.published[0].first, link.published[0].second);
  EXPECT_THAT(delivery.performed, IsEmpty());
  EXPECT_EQ(adapter.statistics().own.value(), 1U);
}

TEST_F(PubSubQuestionsTest, CountsServers) {
  operate(operation(Kind::server_count));
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].count, 2U);
  EXPECT_THAT(link.published, IsEmpty());
}

// --- the pattern, as Node.js subscribes ---

TEST(PubSubPatternTest, OneSubscriptionBringsAllRooms) {
  FakeLink link;
  FakeNode node;
  SeededRandom random;
  PubSubAdapter adapter(link, node, random, {.namespaces = {"/a*[b]?\\"}, .pattern = true});
  EXPECT_EQ(link.log[0], R"(+p:socket.io#/a\*\[b\]\?\\#*)");
  const std::size_t before = link.log.size();
  int done = 0;
  adapter.open_room(3, "/a*[b]?\\", "r", [&] { ++done; });
  EXPECT_EQ(done, 1);
  EXPECT_THAT(link.log, SizeIs(before));
  socketio::Broadcast broadcast;
  broadcast.name_space = "/a*[b]?\\";
  broadcast.event = "e";
  broadcast.rooms = {"r"};
  adapter.on_message(pattern, "socket.io#/a*[b]?\\#r#", encode_broadcast("other1", broadcast).value());
  ASSERT_THAT(node.delivered, SizeIs(1));
  EXPECT_EQ(node.delivered[0].second, 1U << 3);
  adapter.on_message(pattern, "socket.io#/a*[b]?\\#elsewhere#", "not even looked at");
  EXPECT_EQ(adapter.statistics().unwanted.value(), 1U);
  broadcast.rooms.clear();
  adapter.on_message(pattern, "socket.io#/a*[b]?\\#", encode_broadcast("other1", broadcast).value());
  EXPECT_EQ(node.delivered.back().second, every_shard);
}

// --- namespaces that come and go ---

TEST_F(PubSubAdapterTest, HearsANamespaceWhileAShardHasIt) {
  adapter.on_message(plain, "socket.io#/new#", message({}, "/new"));
  EXPECT_THAT(delivery.delivered, IsEmpty());
  adapter.open_namespace(2, "/new");
  adapter.open_namespace(5, "/new");
  EXPECT_THAT(broadcast_log(), ElementsAre("+socket.io#/new#"));
  adapter.on_message(plain, "socket.io#/new#", message({}, "/new"));
  EXPECT_THAT(delivery.delivered, SizeIs(1));
  adapter.open_room(2, "/new", "r", counted());
  adapter.on_message(plain, "socket.io#/new#r#", message({"r"}, "/new"));
  EXPECT_THAT(delivery.delivered, SizeIs(2));
  EXPECT_EQ(delivery.delivered[1].second, 1U << 2);
  adapter.close_room(2, "/new", "r");
  adapter.close_namespace(2, "/new");
  adapter.on_message(plain, "socket.io#/new#", message({}, "/new"));
  EXPECT_THAT(delivery.delivered, SizeIs(3)) << "the other shard has it still";
  adapter.close_namespace(5, "/new");
  adapter.close_namespace(5, "/new");
  EXPECT_EQ(broadcast_log().back(), "-socket.io#/new#");
  adapter.on_message(plain, "socket.io#/new#", message({}, "/new"));
  EXPECT_THAT(delivery.delivered, SizeIs(3));
}

TEST_F(PubSubAdapterTest, ANamespaceOfTheOptionsIsNeitherOpenedNorClosed) {
  adapter.open_namespace(1, "/");
  adapter.close_namespace(1, "/");
  EXPECT_THAT(broadcast_log(), IsEmpty());
  adapter.on_message(plain, "socket.io#/#", message({}));
  EXPECT_THAT(delivery.delivered, SizeIs(1));
}

// The room "x" of "/" and the namespace "/#x" have one channel.
TEST_F(PubSubAdapterTest, ANamespaceAndARoomMayShareAChannel) {
  adapter.open_room(1, "/", "x", counted());
  adapter.open_namespace(3, "/#x");
  EXPECT_THAT(broadcast_log(), ElementsAre("+socket.io#/#x#"));
  adapter.close_namespace(3, "/#x");
  EXPECT_THAT(broadcast_log(), SizeIs(1)) << "the room goes on";
  adapter.on_message(plain, "socket.io#/#x#", message({"x"}));
  EXPECT_THAT(delivery.delivered, SizeIs(1));
  adapter.open_namespace(3, "/#x");
  adapter.close_room(1, "/", "x");
  EXPECT_THAT(broadcast_log(), SizeIs(1)) << "the namespace goes on";
  adapter.close_namespace(3, "/#x");
  EXPECT_EQ(broadcast_log().back(), "-socket.io#/#x#");
}

}  // namespace
}  // namespace carillon::cluster
