// The emitter with a real Redis, and with none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <carillon/emitter.hpp>
#include <carillon/server.hpp>

#include "io/listener.hpp"
#include "runtime/testing_redis.hpp"
#include "runtime/testing_socketio.hpp"

namespace carillon {
namespace {

using namespace runtime::testing;
using namespace std::chrono_literals;

class EmitterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
  }
};

// A node with one client.
class Receiver {
 public:
  explicit Receiver(const std::string& redis_url, AdapterOptions::Kind kind = AdapterOptions::Kind::pubsub)
      : server_({.listen = "127.0.0.1:0", .shards = 2, .drain_timeout_ms = 300}) {
    AdapterOptions options = redis_adapter(redis_url);
    options.kind = kind;
    server_.adapter(options);
    server_.on_server_event("hi", [this](const Args& args, const ServerAnswer&) { server_.emit("told", args[0]); });
    server_.start();
    EXPECT_TRUE(eventually([&] { return server_.ready(); }));
    client_ = std::make_unique<SocketIoClient>(SocketIoClient::over_websocket(server_.address()));
  }
  std::string next() { return client_->next(); }
  const std::string& id() const { return client_->id(); }
  bool is_in(const std::string& room) { return count(server_.to(room)) > 0; }
  std::size_t sockets() { return count(server_.of("/").everyone()); }

 private:
  static std::size_t count(const BroadcastOperator& whom) {
    std::promise<std::size_t> count;
    whom.local().fetch_sockets([&](const FetchedSockets& found) { count.set_value(found.sockets.size()); });
    return count.get_future().get();
  }

  Server server_;
  std::unique_ptr<SocketIoClient> client_;
};

std::string event(int number) { return "[\"n\"," + std::to_string(number) + "]"; }

TEST_F(EmitterTest, MessagesArriveOnceAndInOrder) {
  const RedisServer redis;
  Receiver receiver(redis.url());
  Emitter emitter(redis.url());
  for (int i = 0; i < 500; ++i) emitter.emit("n", i);
  EXPECT_TRUE(emitter.flush(patience));
  for (int i = 0; i < 500; ++i) ASSERT_EQ(receiver.next(), event(i));
  emitter.to(receiver.id()).emit("you");
  EXPECT_EQ(receiver.next(), R"(["you"])");
  EXPECT_EQ(emitter.dropped(), 0U);
}

TEST_F(EmitterTest, EachAdapterUnderstandsItsEmitter) {
  const RedisServer redis;
  using enum AdapterOptions::Kind;
  for (const AdapterOptions::Kind kind : {pubsub, sharded, streams}) {
    SCOPED_TRACE(to_string(kind));
    Receiver receiver(redis.url(), kind);
    EmitterOptions options;
    options.kind = kind;
    Emitter emitter(redis.url(), options);
    for (int i = 0; i < 100; ++i) emitter.emit("n", i);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(receiver.next(), event(i));
    emitter.to(receiver.id()).sockets_join("r");
    // The join and what follows may be done on different shards: until it is heard.
    emitter.server_side_emit("hi", make_args(7));
    EXPECT_EQ(receiver.next(), R"(["told",7])");
    EXPECT_TRUE(eventually([&] { return receiver.is_in("r"); }));
    // To two rooms: that is heard by all, also before the room's own channel has been subscribed.
    emitter.to("r").to("s").except(receiver.id()).emit("never");
    emitter.to("r").to("s").emit("n", 1);
    EXPECT_EQ(receiver.next(), event(1));
    emitter.to(receiver.id()).sockets_leave("r");
    EXPECT_TRUE(eventually([&] { return !receiver.is_in("r"); }));
    emitter.to(receiver.id()).disconnect_sockets();
    EXPECT_TRUE(eventually([&] { return receiver.sockets() == 0; }));
    EXPECT_EQ(emitter.dropped(), 0U);
  }
}

TEST_F(EmitterTest, AnEmitterGetsNoAnswers) {
  const RedisServer nobody(false);
  const Emitter emitter(nobody.url());
  EXPECT_THROW(emitter.of("/").fetch_sockets([](const FetchedSockets&) {}), std::logic_error);
  EXPECT_THROW(emitter.of("/").emit_with_ack("e", {}, [](const BroadcastAcks&) {}), std::logic_error);
}

TEST_F(EmitterTest, FlushOfNothingIsDoneAtOnce) {
  const RedisServer nobody(false);
  Emitter emitter(nobody.url());
  EXPECT_TRUE(emitter.flush(patience));
}

TEST_F(EmitterTest, SeveralThreadsEmitAndFlush) {
  const RedisServer redis;
  Receiver receiver(redis.url());
  Emitter emitter(redis.url());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) emitter.emit("n", i);
        EXPECT_TRUE(emitter.flush(patience));
      });
    }
  }
  for (int i = 0; i < 150; ++i) ASSERT_NE(receiver.next(), "");
  emitter.emit("end");
  EXPECT_EQ(receiver.next(), R"(["end"])");
}

TEST_F(EmitterTest, DestructorLetsTheQueueEmpty) {
  const RedisServer redis;
  Receiver receiver(redis.url());
  {
    const Emitter emitter(redis.url());
    for (int i = 0; i < 100; ++i) emitter.emit("n", i);
  }
  for (int i = 0; i < 100; ++i) ASSERT_EQ(receiver.next(), event(i));
}

TEST_F(EmitterTest, MessagesWaitWhileRedisIsAway) {
  RedisServer redis;
  Receiver receiver(redis.url());
  redis.freeze();
  Emitter emitter(redis.url());
  for (int i = 0; i < 50; ++i) emitter.emit("n", i);
  EXPECT_FALSE(emitter.flush(50ms));
  redis.thaw();
  EXPECT_TRUE(emitter.flush(patience));
  for (int i = 0; i < 50; ++i) ASSERT_EQ(receiver.next(), event(i));
}

TEST_F(EmitterTest, SurvivesARestartOfRedis) {
  RedisServer redis;
  Emitter emitter(redis.url());
  emitter.emit("n", 0);
  ASSERT_TRUE(emitter.flush(patience));
  redis.kill();
  redis.start();
  Receiver receiver(redis.url());
  emitter.emit("n", 1);
  EXPECT_TRUE(emitter.flush(patience));
  EXPECT_EQ(receiver.next(), event(1));
}

// The farewell is two seconds.
TEST_F(EmitterTest, RedisThatNeverAnswersHoldsUpTheDestructorForAMomentOnly) {
  const io::Listener silent(io::testing::loopback(), false);
  const auto start = std::chrono::steady_clock::now();
  {
    Emitter emitter("redis://" + silent.address().to_string());
    emitter.emit("n", 1);
    EXPECT_FALSE(emitter.flush(50ms));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, patience);
}

TEST_F(EmitterTest, QueueIsBoundedAndDropsAreCounted) {
  const RedisServer nobody(false);
  EmitterOptions options;
  options.queue_bytes_max = 10'000;
  Emitter emitter(nobody.url(), options);
  for (int i = 0; i < 100; ++i) emitter.emit("n", std::string(1'000, 'x'));
  EXPECT_TRUE(eventually([&] { return emitter.dropped() >= 90; }));
  EXPECT_LT(emitter.dropped(), 100U);
}

TEST_F(EmitterTest, RefusesAMalformedUrlAndReservedEvents) {
  EXPECT_THROW(const Emitter emitter("http://localhost"), std::invalid_argument);
  const RedisServer nobody(false);
  const Emitter emitter(nobody.url());
  EXPECT_THROW(emitter.emit("disconnect"), std::invalid_argument);
}

}  // namespace
}  // namespace carillon
