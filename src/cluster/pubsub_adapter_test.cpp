#include "cluster/pubsub_adapter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/hex.hpp"
#include "base/log.hpp"
#include "base/msgpack.hpp"

namespace carillon::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FakeLink final : public redis::Link {
 public:
  bool is_ready = true;
  std::vector<std::string> log;  // "+channel", "-channel"
  std::vector<std::pair<std::string, std::string>> published;

  bool ready() const override { return is_ready; }
  void publish(std::string channel, std::string payload) override {
    published.emplace_back(std::move(channel), std::move(payload));
  }
  void subscribe(std::string_view channel) override { log.push_back("+" + std::string(channel)); }
  void unsubscribe(std::string_view channel) override { log.push_back("-" + std::string(channel)); }
};

class FakeDelivery final : public DeliveryPort {
 public:
  std::vector<std::pair<std::string, std::uint64_t>> delivered;  // text of the packet, mask
  std::vector<socketio::BroadcastPtr> messages;

  void deliver(socketio::BroadcastPtr message, std::uint64_t shard_mask) override {
    delivered.emplace_back(message->frames->payload(message->frames->parts()[0]), shard_mask);
    messages.push_back(std::move(message));
  }
};

class SeededRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> bytes) override {
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937_64 engine_{7};
};

class PubSubAdapterTest : public ::testing::Test {
 protected:
  PubSubAdapterTest() {
    configure_log(LogLevel::off, LogFormat::text);
    link.log.clear();
  }

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
  FakeDelivery delivery;
  SeededRandom random;
  PubSubAdapter adapter{link, delivery, random, {.key = "socket.io", .namespaces = {"/", "/orders"}}};
  int done = 0;
};

// --- interest ---

TEST(PubSubAdapterStartTest, SubscribesToTheBaseChannels) {
  FakeLink link;
  FakeDelivery delivery;
  SeededRandom random;
  const PubSubAdapter adapter(link, delivery, random, {.key = "app", .namespaces = {"/", "/orders"}});
  EXPECT_THAT(link.log, ElementsAre("+app#/#", "+app#/orders#"));
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
  adapter.on_subscribed("socket.io#/#other#");
  EXPECT_EQ(done, 0);
  adapter.on_subscribed("socket.io#/#r#");
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
  adapter.on_subscribed("socket.io#/#r#");
  EXPECT_EQ(done, 3);
}

TEST_F(PubSubAdapterTest, JoinsThatWaitAreDoneWhenRedisVanishes) {
  adapter.open_room(0, "/", "a", counted());
  adapter.open_room(0, "/", "b", counted());
  link.is_ready = false;
  adapter.on_ready(false);
  EXPECT_EQ(done, 2);
  adapter.on_subscribed("socket.io#/#a#");  // after the reconnect
  EXPECT_EQ(done, 2);
}

TEST_F(PubSubAdapterTest, LeavingWhileWaitingEndsTheWait) {
  adapter.open_room(0, "/", "r", counted());
  adapter.close_room(0, "/", "r");
  EXPECT_EQ(done, 1);
  adapter.open_room(0, "/", "r", counted());
  EXPECT_EQ(done, 1);
  EXPECT_THAT(link.log, ElementsAre("+socket.io#/#r#", "-socket.io#/#r#", "+socket.io#/#r#"));
  adapter.on_subscribed("socket.io#/#r#");
  EXPECT_EQ(done, 2);
}

TEST_F(PubSubAdapterTest, TasksMayCallTheAdapter) {
  adapter.open_room(0, "/", "a", [this] {
    adapter.open_room(0, "/", "b", counted());
    adapter.close_room(0, "/", "a");
  });
  adapter.on_subscribed("socket.io#/#a#");
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
  adapter.on_message(link.published[0].first, link.published[0].second);
  EXPECT_THAT(delivery.delivered, IsEmpty());
  EXPECT_EQ(adapter.statistics().own.value(), 1U);
}

// --- receiving ---

TEST_F(PubSubAdapterTest, ARoomsMessageGoesToTheShardsThatHoldIt) {
  adapter.open_room(1, "/", "r", {});
  adapter.open_room(63, "/", "r", {});
  adapter.on_message("socket.io#/#r#", message({"r"}));
  EXPECT_THAT(delivery.delivered, ElementsAre(std::pair(R"(42["e"])", std::uint64_t{1} << 63 | 2U)));
  adapter.close_room(63, "/", "r");
  adapter.on_message("socket.io#/#r#", message({"r"}));
  EXPECT_EQ(delivery.delivered.back().second, 2U);
  EXPECT_THAT(delivery.messages[0]->rooms, ElementsAre("r"));
}

TEST_F(PubSubAdapterTest, AMessageToEveryoneGoesToAllShards) {
  adapter.on_message("socket.io#/#", message({}));
  adapter.on_message("socket.io#/orders#", message({}, "/orders"));
  EXPECT_THAT(delivery.delivered,
              ElementsAre(std::pair(R"(42["e"])", every_shard), std::pair(R"(42/orders,["e"])", every_shard)));
}

TEST_F(PubSubAdapterTest, AMessageToSeveralRoomsGoesWhereOneOfThemIs) {
  adapter.open_room(0, "/", "a", {});
  adapter.open_room(2, "/", "b", {});
  adapter.open_room(3, "/orders", "c", {});
  adapter.on_message("socket.io#/#", message({"a", "b", "c"}));
  EXPECT_THAT(delivery.delivered, ElementsAre(std::pair(R"(42["e"])", 5U)));
  adapter.on_message("socket.io#/#", message({"c", "d"}));
  EXPECT_THAT(delivery.delivered, SizeIs(1));
  EXPECT_EQ(adapter.statistics().unwanted.value(), 1U);
}

TEST_F(PubSubAdapterTest, WhatNobodyWantsIsNotEvenDecoded) {
  adapter.on_message("socket.io#/#gone#", "not msgpack");
  adapter.on_message("elsewhere", "not msgpack");
  EXPECT_EQ(adapter.statistics().unwanted.value(), 2U);
  for (const Counter& counter : adapter.statistics().malformed) EXPECT_EQ(counter.value(), 0U);
}

TEST_F(PubSubAdapterTest, RecipientsComeFromTheMessageNotFromTheChannel) {
  adapter.open_room(1, "/", "r", {});
  adapter.open_room(2, "/", "s", {});
  adapter.on_message("socket.io#/#r#", message({"s"}));
  EXPECT_THAT(delivery.delivered, ElementsAre(std::pair(R"(42["e"])", 4U)));
}

TEST_F(PubSubAdapterTest, OtherNamespacesAreIgnored) {
  adapter.open_room(1, "/", "r", {});
  adapter.on_message("socket.io#/#r#", message({"r"}, "/elsewhere"));
  EXPECT_THAT(delivery.delivered, IsEmpty());
  EXPECT_EQ(adapter.statistics().unwanted.value(), 1U);
}

TEST_F(PubSubAdapterTest, TheEmitterIsHeard) {
  adapter.open_room(0, "/", "r", {});
  adapter.on_message("socket.io#/#r#", message({"r"}, "/", emitter_uid));
  EXPECT_THAT(delivery.delivered, SizeIs(1));
}

TEST_F(PubSubAdapterTest, RoomsWithOddNamesAreOrdinary) {
  for (const std::string& room : {std::string("*?[]\\#{}"), std::string(""), std::string("a b\n"),
                                  std::string(1'000, 'x'), std::string("😀"), std::string("#")}) {
    adapter.open_room(0, "/", room, {});
    EXPECT_EQ(link.log.back(), "+socket.io#/#" + room + "#");
    adapter.on_message("socket.io#/#" + room + "#", message({room}));
    EXPECT_EQ(delivery.delivered.back().second, 1U);
    adapter.close_room(0, "/", room);
    EXPECT_EQ(link.log.back(), "-socket.io#/#" + room + "#");
  }
}

// "socket.io#/#x#" is the base channel of "/#x" and the channel of room x in "/".
TEST(PubSubAdapterStartTest, ARoomMayShareItsChannelWithANamespace) {
  FakeLink link;
  FakeDelivery delivery;
  SeededRandom random;
  PubSubAdapter adapter(link, delivery, random, {.key = "socket.io", .namespaces = {"/", "/#x"}});
  adapter.open_room(1, "/", "x", {});
  socketio::Broadcast broadcast;
  broadcast.event = "e";
  broadcast.rooms = {"x"};
  adapter.on_message("socket.io#/#x#", encode_broadcast("other1", broadcast).value());
  broadcast.rooms.clear();
  broadcast.name_space = "/#x";
  adapter.on_message("socket.io#/#x#", encode_broadcast("other1", broadcast).value());
  EXPECT_THAT(delivery.delivered, ElementsAre(std::pair(R"(42["e"])", 2U), std::pair(R"(42/#x,["e"])", every_shard)));
  adapter.close_room(1, "/", "x");
  EXPECT_THAT(link.log, ElementsAre("+socket.io#/#", "+socket.io#/#x#"));
}

TEST_F(PubSubAdapterTest, MalformedMessagesAreCountedByKind) {
  const auto count = [&](Malformed kind) {
    return adapter.statistics().malformed[static_cast<std::size_t>(kind)].value();
  };
  std::string bytes;
  for (int i = 0; i < 3; ++i) adapter.on_message("socket.io#/#", "\xc1");
  EXPECT_EQ(count(Malformed::not_msgpack), 3U);
  adapter.on_message("socket.io#/#", "{\"type\":2}");
  EXPECT_EQ(count(Malformed::not_a_broadcast), 1U);
  append_msgpack(bytes, Array{"uid", Object{{"type", 0}}, Object{}});
  adapter.on_message("socket.io#/#", bytes);
  EXPECT_EQ(count(Malformed::bad_packet), 1U);
  bytes.clear();
  Value deep(1);
  for (int i = 0; i < 2'000; ++i) deep = Value(Array{std::move(deep)});
  append_msgpack(bytes, Array{"uid", Object{{"type", 2}, {"data", Array{"e", std::move(deep)}}}, Object{}});
  adapter.on_message("socket.io#/#", bytes);
  EXPECT_EQ(count(Malformed::nested_too_deep), 1U);
  EXPECT_THAT(delivery.delivered, IsEmpty());
  EXPECT_EQ(adapter.statistics().received.value(), 6U);
}

// --- namespaces that come and go ---

TEST_F(PubSubAdapterTest, HearsANamespaceWhileAShardHasIt) {
  adapter.on_message("socket.io#/new#", message({}, "/new"));
  EXPECT_THAT(delivery.delivered, IsEmpty());
  adapter.open_namespace(2, "/new");
  adapter.open_namespace(5, "/new");
  EXPECT_THAT(link.log, ElementsAre("+socket.io#/new#"));
  adapter.on_message("socket.io#/new#", message({}, "/new"));
  EXPECT_THAT(delivery.delivered, SizeIs(1));
  adapter.open_room(2, "/new", "r", counted());
  adapter.on_message("socket.io#/new#r#", message({"r"}, "/new"));
  EXPECT_THAT(delivery.delivered, SizeIs(2));
  EXPECT_EQ(delivery.delivered[1].second, 1U << 2);
  adapter.close_room(2, "/new", "r");
  adapter.close_namespace(2, "/new");
  adapter.on_message("socket.io#/new#", message({}, "/new"));
  EXPECT_THAT(delivery.delivered, SizeIs(3)) << "the other shard has it still";
  adapter.close_namespace(5, "/new");
  adapter.close_namespace(5, "/new");
  EXPECT_EQ(link.log.back(), "-socket.io#/new#");
  adapter.on_message("socket.io#/new#", message({}, "/new"));
  EXPECT_THAT(delivery.delivered, SizeIs(3));
}

TEST_F(PubSubAdapterTest, ANamespaceOfTheOptionsIsNeitherOpenedNorClosed) {
  adapter.open_namespace(1, "/");
  adapter.close_namespace(1, "/");
  EXPECT_THAT(link.log, IsEmpty());
  adapter.on_message("socket.io#/#", message({}));
  EXPECT_THAT(delivery.delivered, SizeIs(1));
}

// The room "x" of "/" and the namespace "/#x" have one channel.
TEST_F(PubSubAdapterTest, ANamespaceAndARoomMayShareAChannel) {
  adapter.open_room(1, "/", "x", counted());
  adapter.open_namespace(3, "/#x");
  EXPECT_THAT(link.log, ElementsAre("+socket.io#/#x#"));
  adapter.close_namespace(3, "/#x");
  EXPECT_THAT(link.log, SizeIs(1)) << "the room goes on";
  adapter.on_message("socket.io#/#x#", message({"x"}));
  EXPECT_THAT(delivery.delivered, SizeIs(1));
  adapter.open_namespace(3, "/#x");
  adapter.close_room(1, "/", "x");
  EXPECT_THAT(link.log, SizeIs(1)) << "the namespace goes on";
  adapter.close_namespace(3, "/#x");
  EXPECT_EQ(link.log.back(), "-socket.io#/#x#");
}

}  // namespace
}  // namespace carillon::cluster
