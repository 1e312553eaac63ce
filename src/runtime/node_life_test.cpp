// Starting, failing to start, and stopping a server, from whatever thread.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "io/listener.hpp"
#include "runtime/node.hpp"
#include "runtime/testing_socketio.hpp"

namespace carillon {
namespace {

using namespace runtime::testing;

ServerOptions options(std::uint16_t port = 0) {
  ServerOptions settings;
  settings.listen = "127.0.0.1:" + std::to_string(port);
  settings.shards = 4;
  settings.drain_timeout_ms = 300;  // these clients do not answer close frames
  return settings;
}

// A server in its run(), on a thread of its own.
class Runner {
 public:
  explicit Runner(Server& server)
      : thread_([this, &server] { server.run([this, &server] { listening_.add(server.address()); }); }) {}
  ~Runner() { join(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  std::string address() { return listening_.next().value_or("not listening"); }
  void signal(int number) { ::pthread_kill(thread_.native_handle(), number); }

 private:
  Log<std::string> listening_;
  std::thread thread_;
};

TEST(NodeLifeTest, ServerThatWasNeverStartedMayBeStoppedAndDestroyed) {
  const Server unused(options());
  Server stopped(options());
  stopped.stop();
  stopped.stop();
  EXPECT_EQ(stopped.address(), "");
}

TEST(NodeLifeTest, PortInUseLeavesNothingBehindAndMayBeTriedAgain) {
  auto occupant = std::make_unique<io::Listener>(io::testing::loopback(), false);
  const io::SocketAddress taken = occupant->address();
  const std::uint16_t port = io::testing::free_port();
  ServerOptions settings = options(port);
  settings.more_listeners = {taken.to_string()};
  Server server(settings);
  // Nobody is there: also the backplane of a failed start must be gone, with its connections.
  server.adapter(redis_adapter("redis://127.0.0.1:" + std::to_string(io::testing::free_port())));
  for (int i = 0; i < 3; ++i) EXPECT_THROW(server.start(), std::system_error);
  EXPECT_EQ(server.address(), "");
  {
    const io::Listener first_is_free(io::testing::loopback(port), false);
  }
  occupant.reset();

  server.start();
  EXPECT_EQ(server.address(), "127.0.0.1:" + std::to_string(port));
  EXPECT_EQ(server.node().shards().size(), 4U);
  SocketIoClient client = SocketIoClient::over_websocket(server.address());
  server.emit("hello");
  EXPECT_EQ(client.next(), R"(["hello"])");
}

TEST(NodeLifeTest, MalformedAddressIsRefused) {
  ServerOptions settings = options();
  settings.more_listeners = {"nonsense"};
  Server server(settings);
  EXPECT_THROW(server.start(), std::invalid_argument);
}

TEST(NodeLifeTest, StartsOnce) {
  Server server(options());
  server.start();
  EXPECT_THROW(server.start(), std::logic_error);
  server.stop();
  EXPECT_THROW(server.start(), std::logic_error);
}

TEST(NodeLifeTest, StopWhileTrafficFlows) {
  std::atomic<int> connects{0};
  std::atomic<int> disconnects{0};
  auto server = std::make_unique<Server>(options());
  server->on_connection([&](Socket& socket) {
    ++connects;
    socket.on("echo", [](const Args& args, const Ack& ack) { ack(args); });
    socket.on_disconnect([&, id = socket.id()](DisconnectReason) {
      ++disconnects;
      server->to("room").emit("left", id);
    });
    socket.join("room");
  });
  server->start();
  const std::string address = server->address();
  std::atomic<bool> over{false};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!over) server->to("room").emit("news", std::string(100, 'x'));
    });
  }
  Log<int> ready;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      try {
        SocketIoClient client =
            i % 2 == 0 ? SocketIoClient::over_websocket(address) : SocketIoClient::over_polling(address);
        ready.add(i);
        for (std::string event = client.next(); !event.empty(); event = client.next()) {
        }
      } catch (const std::runtime_error&) {  // the server was stopped between two requests
      }
    });
  }
  ASSERT_TRUE(ready.reaches(6));
  server->stop();
  for (int i = 0; i < 1'000; ++i) server->to("room").emit("too late");
  over = true;
  threads.clear();
  EXPECT_EQ(connects, disconnects);
  EXPECT_GE(connects, 6);
}

TEST(NodeLifeTest, SeveralThreadsMayStopAtTheSameTime) {
  for (int i = 0; i < 10; ++i) {
    Server server(options());
    server.start();
    SocketIoClient client = SocketIoClient::over_websocket(server.address());
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) threads.emplace_back([&] { server.stop(); });
    EXPECT_EQ(client.next(), "");
  }
}

TEST(NodeLifeTest, StopFromAnotherThreadEndsRun) {
  Server server(options());
  Runner runner(server);
  const std::string address = runner.address();
  EXPECT_EQ(HttpClient(address).get("/").status, 404);
  server.stop();
  runner.join();
  EXPECT_THROW(const BlockingClient gone(address), std::runtime_error);
}

// Whichever comes first.
TEST(NodeLifeTest, StopIsNotLostWhenRunHasNotBegunYet) {
  for (int i = 0; i < 20; ++i) {
    Server server(options());
    const Runner runner(server);
    if (i % 2 == 0) std::this_thread::yield();
    server.stop();
  }
}

TEST(NodeLifeTest, SignalEndsRun) {
  Server server(options());
  Runner runner(server);
  const std::string address = runner.address();
  runner.signal(SIGTERM);
  runner.join();
  EXPECT_THROW(const BlockingClient gone(address), std::runtime_error);
}

TEST(NodeLifeTest, RunThatCannotListenThrowsAndLeavesNothing) {
  auto occupant = std::make_unique<io::Listener>(io::testing::loopback(), false);
  const std::string address = occupant->address().to_string();
  Server server(options(occupant->address().port()));
  EXPECT_THROW(server.run(), std::system_error);
  occupant.reset();
  Runner runner(server);
  EXPECT_EQ(runner.address(), address);
  server.stop();
}

TEST(NodeLifeTest, NamespacesAreMadeBeforeTheStart) {
  Server server(options());
  server.of("orders");
  server.start();
  EXPECT_NO_THROW(server.of("/orders"));
  EXPECT_THROW(server.of("/late"), std::logic_error);
}

TEST(NodeLifeTest, WhatTheApplicationStillHoldsMayOutliveTheServer) {
  Log<Ack> acks;
  Log<Next> nexts;
  Ack ack;
  std::optional<Next> next;
  {
    Server server(options());
    server.of("/slow").use([&](Socket&, Next held) { nexts.add(std::move(held)); });
    server.on_connection(
        [&](Socket& socket) { socket.on("ask", [&](const Args&, const Ack& held) { acks.add(held); }); });
    server.start();
    SocketIoClient client = SocketIoClient::over_websocket(server.address());
    client.engine().send(R"(421["ask"])");
    client.engine().send("40/slow,");
    ack = *acks.next();
    next = nexts.next();
  }
  ack("nobody hears it");
  (*next)();
}

TEST(NodeLifeTest, HandlersThatNeverGetTheirAnswerAreDestroyed) {
  const auto token = std::make_shared<int>();
  {
    Server server(options());
    server.start();
    SocketIoClient client = SocketIoClient::over_websocket(server.address());
    server.emit_with_ack("q", make_args(), [token](const BroadcastAcks&) {});
    EXPECT_NE(client.next(), "");
    server.stop();
  }
  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
}  // namespace carillon
