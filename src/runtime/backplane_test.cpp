// Nodes that share a Redis: a real one, which the tests start, freeze, kill and start again.
#include "runtime/backplane.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "io/listener.hpp"
#include "runtime/node.hpp"
#include "runtime/testing_redis.hpp"
#include "runtime/testing_socketio.hpp"

namespace carillon {
namespace {

using namespace runtime::testing;

// A server whose clients join and leave rooms, and acknowledge when it is effective.
class Member {
 public:
  explicit Member(const std::string& redis_url, unsigned shards = 2, std::uint32_t drain_timeout_ms = 300)
      : server(options(shards, drain_timeout_ms)) {
    server.adapter(redis_adapter(redis_url));
    server.on_connection([this](Socket& socket) {
      socket.on("join", [this, &socket](const Args& args, const Ack& ack) {
        socket.join(*args[0].as_string(), [this, ack] {
          joined.add(1);
          ack();
        });
      });
      socket.on("leave", [&socket](const Args& args, const Ack& ack) {
        socket.leave(*args[0].as_string());
        ack();
      });
      socket.on("publish", [this](const Args& args) { server.to(*args[0].as_string()).emit("n", args[1]); });
    });
  }
  void start() { server.start(); }
  bool ready() {
    return eventually([&] { return server.ready(); });
  }
  std::unique_ptr<SocketIoClient> connect() {
    return std::make_unique<SocketIoClient>(SocketIoClient::over_websocket(server.address()));
  }

  Server server;
  Log<int> joined;

 private:
  // The clients here do not answer close frames: those who are still there take all of the time.
  static ServerOptions options(unsigned shards, std::uint32_t drain_timeout_ms) {
    ServerOptions settings;
    settings.listen = "127.0.0.1:0";
    settings.shards = shards;
    settings.drain_timeout_ms = drain_timeout_ms;
    return settings;
  }
};

std::string join(const std::string& room) { return "[\"join\",\"" + room + "\"]"; }
std::string event(int number) { return "[\"n\"," + std::to_string(number) + "]"; }

class BackplaneTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
  }
};

TEST_F(BackplaneTest, BecomesReadyWithoutAnyTraffic) {
  const RedisServer redis;
  Member member(redis.url());
  member.start();
  EXPECT_TRUE(member.ready());
}

TEST_F(BackplaneTest, BroadcastsReachTheOtherNodeOnceAndInOrder) {
  constexpr int messages = 300;
  const RedisServer redis;
  Member here(redis.url());
  Member there(redis.url());
  for (Member* member : {&here, &there}) member->start();
  ASSERT_TRUE(here.ready() && there.ready());
  std::vector<std::unique_ptr<SocketIoClient>> clients;
  for (int i = 0; i < 6; ++i) clients.push_back((i % 2 == 0 ? here : there).connect());
  std::jthread first([&] {
    for (int i = 0; i < messages; ++i) here.server.emit("a", i);
  });
  std::jthread second([&] {
    for (int i = 0; i < messages; ++i) there.server.emit("b", i);
  });
  for (const auto& client : clients) {
    int a = 0;
    int b = 0;
    for (int i = 0; i < 2 * messages; ++i) {
      const std::string got = client->next();
      const bool is_a = got.starts_with("[\"a\"");
      ASSERT_EQ(got, (is_a ? "[\"a\"," + std::to_string(a++) : "[\"b\"," + std::to_string(b++)) + "]");
    }
  }
}

TEST_F(BackplaneTest, MessagesOfAnotherNodeArriveAsSoonAsAJoinIsDone) {
  const RedisServer redis;
  Member here(redis.url(), 4);
  Member there(redis.url());
  for (Member* member : {&here, &there}) member->start();
  ASSERT_TRUE(here.ready() && there.ready());
  std::vector<std::unique_ptr<SocketIoClient>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(here.connect());
  for (int i = 0; i < 100; ++i) {
    const std::string room = "room " + std::to_string(i);
    SocketIoClient& client = *clients[static_cast<std::size_t>(i) % clients.size()];
    ASSERT_EQ(client.ask(join(room)), "[]");
    there.server.to(room).emit("n", i);
    ASSERT_EQ(client.next(), event(i));
    ASSERT_EQ(client.ask("[\"leave\",\"" + room + "\"]"), "[]");
  }
}

TEST_F(BackplaneTest, ANamespaceThatComesToBeIsHeardFromTheFirstClientOn) {
  const RedisServer redis;
  Member here(redis.url(), 4);
  Member there(redis.url());
  for (Member* member : {&here, &there}) {
    member->server.of(std::regex("^/dynamic-")).on_connection([](Socket& socket) {
      socket.on("join",
                [&socket](const Args& args, const Ack& ack) { socket.join(*args[0].as_string(), [ack] { ack(); }); });
    });
    member->start();
  }
  ASSERT_TRUE(here.ready() && there.ready());
  const auto subscriptions = [&] { return here.server.node().backplane()->redis_statistics().subscriptions.value(); };
  // The namespace "/" has four channels, the roster two, and one says that this node is there: when it is ready.
  const std::int64_t before = 7;
  ASSERT_TRUE(eventually([&] { return subscriptions() == before; })) << subscriptions();
  std::vector<std::unique_ptr<WebSocketEngine>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(std::make_unique<WebSocketEngine>(here.server.address()));
  for (int i = 0; i < 60; ++i) {
    WebSocketEngine& client = *clients[static_cast<std::size_t>(i) % clients.size()];
    const std::string name = "/dynamic-" + std::to_string(i % 3);  // they come and go
    client.send("40" + name + ",");
    ASSERT_NE(client.next(), "");
    there.server.everyone_in(name).emit("n", i);
    ASSERT_EQ(client.next(), "42" + name + "," + event(i));
    client.send("42" + name + R"(,7["join","room"])");
    ASSERT_EQ(client.next(), "43" + name + ",7[]");
    there.server.everyone_in(name).to("room").emit("n", i);
    ASSERT_EQ(client.next(), "42" + name + "," + event(i));
    client.send("41" + name + ",");
  }
  EXPECT_TRUE(eventually([&] { return subscriptions() == before; })) << "nothing is left of them";
  clients[0]->send("40/dynamic-9,");
  clients[0]->next();
  EXPECT_TRUE(eventually([&] { return subscriptions() == before + 5; }))
      << "of the namespace its own, requests, answers of both kinds; and the socket's own room";
  clients[0]->send("41/dynamic-9,");
  EXPECT_TRUE(eventually([&] { return subscriptions() == before; }));
}

TEST_F(BackplaneTest, RoomStaysSubscribedUntilItsLastShardHasLeftIt) {
  const RedisServer redis;
  Member here(redis.url(), 4);
  Member there(redis.url());
  for (Member* member : {&here, &there}) member->start();
  ASSERT_TRUE(here.ready() && there.ready());
  std::vector<std::unique_ptr<SocketIoClient>> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(here.connect());
    ASSERT_EQ(clients.back()->ask(join("shared")), "[]");
  }
  for (int i = 0; !clients.empty(); ++i) {
    there.server.to("shared").emit("n", i);
    for (const auto& client : clients) ASSERT_EQ(client->next(), event(i));
    ASSERT_EQ(clients.back()->ask(R"(["leave","shared"])"), "[]");
    clients.pop_back();
  }
}

TEST_F(BackplaneTest, JoinWaitsForRedisAndIsEffectiveHereAtOnce) {
  const RedisServer redis;
  Member member(redis.url());
  member.start();
  ASSERT_TRUE(member.ready());
  const auto client = member.connect();
  redis.freeze();
  dynamic_cast<WebSocketEngine&>(client->engine()).send("427" + join("slow"));
  client->emit(R"(["publish","slow",1])");
  EXPECT_EQ(client->next(), event(1));
  EXPECT_EQ(member.joined.size(), 0U);
  redis.thaw();
  EXPECT_EQ(client->next(), "7[]");
}

TEST_F(BackplaneTest, WithoutRedisANodeWorksAlone) {
  const RedisServer nobody(false);
  Member member(nobody.url());
  member.start();
  const auto client = member.connect();
  EXPECT_EQ(client->ask(join("room")), "[]");
  member.server.to("room").emit("n", 1);
  EXPECT_EQ(client->next(), event(1));
  EXPECT_FALSE(member.server.ready());
}

TEST_F(BackplaneTest, RedisThatNeverAnswersHoldsUpNobody) {
  const io::Listener silent(io::testing::loopback(), false);  // the system accepts, nobody reads
  Member member("redis://" + silent.address().to_string());
  member.start();
  const auto client = member.connect();
  EXPECT_EQ(client->ask(join("room")), "[]");
  member.server.to("room").emit("n", 1);
  EXPECT_EQ(client->next(), event(1));
  EXPECT_FALSE(member.server.ready());
  member.server.stop();
}

TEST_F(BackplaneTest, RedisKilledAndStartedAgain) {
  RedisServer redis;
  Member here(redis.url());
  Member there(redis.url());
  for (Member* member : {&here, &there}) member->start();
  ASSERT_TRUE(here.ready() && there.ready());
  const auto client = here.connect();
  ASSERT_EQ(client->ask(join("before")), "[]");
  for (int round = 0; round < 2; ++round) {
    redis.kill();
    ASSERT_TRUE(eventually([&] { return !here.server.ready() && !there.server.ready(); }));
    // A join, and what this node itself has to say, are effective at once.
    ASSERT_EQ(client->ask(join("during " + std::to_string(round))), "[]");
    here.server.to("before").emit("n", 1);
    EXPECT_EQ(client->next(), event(1));
    redis.start();
    ASSERT_TRUE(here.ready() && there.ready());
    there.server.to("before").emit("n", 2);
    there.server.to("during " + std::to_string(round)).emit("n", 3);
    EXPECT_EQ(client->next(), event(2));
    EXPECT_EQ(client->next(), event(3));
  }
}

// They go out when their node is ready: the receiver, ready before, misses none.
TEST_F(BackplaneTest, MessagesWaitForRedis) {
  RedisServer redis;
  Member here(redis.url());
  here.start();
  ASSERT_TRUE(here.ready());
  const auto client = here.connect();
  ASSERT_EQ(client->ask(join("room")), "[]");
  Member there(redis.url());
  for (const int first : {0, 100}) {
    redis.freeze();
    if (first == 0) there.start();
    for (int i = first; i < first + 100; ++i) there.server.to("room").emit("n", i);
    redis.thaw();
    for (int i = first; i < first + 100; ++i) ASSERT_EQ(client->next(), event(i));
  }
}

// A disconnect handler may have something to say to other nodes, on whichever shard it runs.
TEST_F(BackplaneTest, LastWordsOfAllShardsReachTheOtherNodes) {
  constexpr int count = 12;
  const RedisServer redis;
  Member there(redis.url());
  there.start();
  ASSERT_TRUE(there.ready());
  const auto witness = there.connect();
  Member leaving(redis.url(), 4);
  leaving.server.on_connection(
      [&](Socket& socket) { socket.on_disconnect([&](DisconnectReason) { leaving.server.emit("left"); }); });
  leaving.start();
  ASSERT_TRUE(leaving.ready());
  std::vector<std::unique_ptr<SocketIoClient>> clients;
  for (int i = 0; i < count; ++i) clients.push_back(leaving.connect());
  leaving.server.stop();
  for (int i = 0; i < count; ++i) ASSERT_EQ(witness->next(), R"(["left"])") << i;
}

constexpr int last_words = 14;
const std::string last_word(500'000, 'x');  // together more than sockets take at once

// What is queued when the node is told to stop has until the end of the drain.
TEST_F(BackplaneTest, StopWaitsForARedisThatIsSlow) {
  const RedisServer redis;
  Member there(redis.url());
  there.start();
  ASSERT_TRUE(there.ready());
  const auto witness = there.connect();
  Member leaving(redis.url(), 2, 10'000);
  leaving.start();
  ASSERT_TRUE(leaving.ready());
  redis.freeze();
  for (int i = 0; i < last_words; ++i) leaving.server.emit("n", i, last_word);
  std::jthread stopping([&] { leaving.server.stop(); });
  EXPECT_TRUE(eventually([&] { return !io::testing::is_listening(leaving.server.address()); }));
  redis.thaw();
  for (int i = 0; i < last_words; ++i)
    ASSERT_TRUE(witness->next().starts_with("[\"n\"," + std::to_string(i) + ",")) << i;
  stopping.join();
  const redis::Statistics& numbers = leaving.server.node().backplane()->redis_statistics();
  EXPECT_EQ(numbers.published.value(), static_cast<std::uint64_t>(last_words));
  EXPECT_EQ(numbers.dropped_shutdown.value(), 0U);
}

TEST_F(BackplaneTest, WhatRedisDoesNotTakeBeforeTheEndIsCounted) {
  const RedisServer redis;
  Member leaving(redis.url());
  leaving.start();
  ASSERT_TRUE(leaving.ready());
  redis.freeze();
  for (int i = 0; i < last_words; ++i) leaving.server.emit("n", i, last_word);
  leaving.server.stop();
  const redis::Statistics& numbers = leaving.server.node().backplane()->redis_statistics();
  EXPECT_GT(numbers.dropped_shutdown.value(), 0U);
  EXPECT_EQ(numbers.published.value() + numbers.dropped_shutdown.value() + numbers.dropped_unconfirmed.value(),
            static_cast<std::uint64_t>(last_words));
  redis.thaw();
}

TEST_F(BackplaneTest, StopWhileMessagesComeIn) {
  const RedisServer redis;
  Member there(redis.url());
  there.start();
  ASSERT_TRUE(there.ready());
  std::atomic<bool> over{false};
  std::jthread publisher([&] {
    while (!over) there.server.to("room").emit("n", 1);
  });
  for (int i = 0; i < 3; ++i) {
    Member here(redis.url(), 4);
    here.start();
    ASSERT_TRUE(here.ready());
    std::vector<std::unique_ptr<SocketIoClient>> clients;
    for (int c = 0; c < 4; ++c) {
      clients.push_back(here.connect());
      clients.back()->emit(join("room"));
    }
    for (const auto& client : clients) EXPECT_NE(client->next(), "");
    if (i % 2 == 0) here.server.stop();
  }
  over = true;
}

}  // namespace
}  // namespace carillon
