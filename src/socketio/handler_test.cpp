// What applications do inside their handlers: end things, change handlers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class HandlerTest : public ::testing::Test {
 protected:
  HandlerTest() {
    for (const char* name : {"/", "/a"})
      bench.of(name).on_connection([this](Socket& connected) {
        if (on_connection) on_connection(connected);
      });
  }
  // Connects a client whose socket has this handler for "x".
  Socket& connect_with(Socket::EventHandler handler) {
    on_connection = [this, handler](Socket& connected) {
      socket = &connected;
      connected.on("x", handler);
    };
    client = std::make_unique<TestClient>(bench);
    client->connect();
    return *socket;
  }

  Bench bench;
  std::function<void(Socket&)> on_connection;
  std::unique_ptr<TestClient> client;
  Socket* socket = nullptr;
  std::vector<std::string> log;
};

// --- ending things ---

TEST_F(HandlerTest, ASocketMayLeaveInsideItsEvent) {
  connect_with([this](const Args& args, const Ack& ack) {
    socket->disconnect();
    EXPECT_FALSE(socket->connected());
    socket->emit("late");
    socket->join("room");
    ack(args);
  });
  client->send(R"(21["x",1])");
  EXPECT_THAT(client->take(), ElementsAre("1"));
  EXPECT_TRUE(client->open());
  client->hang_up();
  bench.expect_empty();
}

TEST_F(HandlerTest, AConnectionMayBeClosedInsideAnEvent) {
  connect_with([this](const Args& args, const Ack&) {
    socket->on_disconnect([this](DisconnectReason reason) { log.emplace_back(to_string(reason)); });
    socket->disconnect(true);
    log.emplace_back(args.text());
  });
  bench.engine().one_turn = true;
  client->send(R"(2["x","still readable"])");
  client->send(R"(2["x"])");
  bench.engine().end_turn();
  EXPECT_THAT(log, ElementsAre("server namespace disconnect", R"("still readable")"));
  EXPECT_FALSE(client->open());
  bench.expect_empty();
}

TEST_F(HandlerTest, OverPollingTheRestOfAPostIsVoidAfterTheEnd) {
  int calls = 0;
  on_connection = [&](Socket& connected) {
    connected.on("x", [&](const Args&) {
      ++calls;
      connected.disconnect(true);
    });
  };
  const std::string sid = bench.engine().open_polling();
  const std::string body = engineio::payload_of({"40", R"(42["x"])", R"(42["x"])", "40"});
  EXPECT_EQ(bench.engine().post(sid, body).answer().body, "ok");
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(bench.core().stats().sockets.value(), 0);
}

TEST_F(HandlerTest, LeavingInsideTheConnectionHandlerSkipsTheOthers) {
  on_connection = [](Socket& connected) { connected.disconnect(); };
  bench.root().on_connection([this](Socket&) { log.emplace_back("second"); });
  TestClient other(bench);
  other.connect();
  EXPECT_THAT(other.take(), ElementsAre("1"));
  EXPECT_THAT(log, IsEmpty());
  on_connection = [](Socket& connected) { connected.disconnect(true); };
  other.connect();
  EXPECT_FALSE(other.open());
  bench.expect_empty();
}

TEST_F(HandlerTest, ASocketMayLeaveInsideAnAcknowledgement) {
  Socket& connected = connect_with(nullptr);
  for (int i = 0; i < 3; ++i)
    connected.emit_with_ack("q", make_args(), [&](const AckResult& result) {
      log.emplace_back(result ? "answer" : "disconnected");
      connected.disconnect();
    });
  client->take();
  client->send("31[]");
  EXPECT_THAT(log, ElementsAre("answer", "disconnected", "disconnected"));
  EXPECT_THAT(client->take(), ElementsAre("1"));
  client->hang_up();
  bench.expect_empty();
}

TEST_F(HandlerTest, AConnectionMayBeClosedInsideATimeout) {
  Socket& connected = connect_with(nullptr);
  for (int i = 0; i < 3; ++i)
    connected.emit_with_ack(
        "q", make_args(),
        [&](const AckResult& result) {
          log.emplace_back(result.error() == AckError::timeout ? "timeout" : "disconnected");
          connected.disconnect(true);
        },
        Milliseconds(100));
  bench.advance(Milliseconds(200));
  EXPECT_THAT(log, ElementsAre("timeout", "disconnected", "disconnected"));
  bench.expect_empty();
}

TEST_F(HandlerTest, AskingAfterTheEndIsAnsweredAtOnce) {
  Socket& connected = connect_with(nullptr);
  connected.on_disconnect([&](DisconnectReason) {
    connected.emit("late");
    connected.emit_volatile("late", make_args());
    connected.emit_with_ack("q", make_args(),
                            [&](const AckResult& result) { log.emplace_back(result ? "answer" : "disconnected"); });
    connected.join("room", [&] { log.emplace_back("joined"); });
    connected.disconnect();
    connected.disconnect(true);
  });
  connected.disconnect();
  EXPECT_THAT(client->take(), ElementsAre("1"));
  EXPECT_THAT(log, ElementsAre("disconnected"));
  client->hang_up();
  bench.expect_empty();
}

// While one socket of a connection goes, the application closes the connection through another.
TEST_F(HandlerTest, AConnectionMayBeClosedWhileOneOfItsSocketsLeaves) {
  for (const bool by_client : {false, true}) {
    std::vector<Socket*> both;
    on_connection = [&](Socket& connected) { both.push_back(&connected); };
    TestClient two(bench);
    two.connect("/a");
    two.connect("/");
    both[1]->on_disconnect([&](DisconnectReason) { both[0]->disconnect(true); });
    if (by_client) {
      two.send("1");
    } else {
      both[1]->disconnect();
    }
    bench.turn();
    EXPECT_FALSE(two.open());
    bench.expect_empty();
  }
}

TEST_F(HandlerTest, SocketsMayEndEachOtherWhileTheConnectionCloses) {
  std::vector<Socket*> both;
  on_connection = [&](Socket& connected) {
    both.push_back(&connected);
    connected.on_disconnect([&, name = connected.name_space()](DisconnectReason reason) {
      log.push_back(name + " " + std::string(to_string(reason)));
      for (Socket* other : both) other->disconnect();
    });
  };
  TestClient two(bench);
  two.connect("/a");
  two.connect("/");
  two.hang_up();
  EXPECT_THAT(log, ElementsAre("/a transport close", "/ server namespace disconnect"));
  bench.expect_empty();
}

// --- changing handlers ---

TEST_F(HandlerTest, AHandlerMayRemoveOrReplaceItself) {
  connect_with([this](const Args&, const Ack&) {
    const std::string on_the_stack = "first";
    socket->off("x");
    socket->on("x", [this](const Args&) {
      socket->off("x");
      log.emplace_back("second");
    });
    log.push_back(on_the_stack);
  });
  for (int i = 0; i < 3; ++i) client->send(R"(2["x"])");
  EXPECT_THAT(log, ElementsAre("first", "second"));
}

TEST_F(HandlerTest, ADisconnectHandlerMayReplaceItself) {
  Socket& connected = connect_with(nullptr);
  connected.on_disconnect([this, &connected, text = std::string(100, 'x')](DisconnectReason) {
    connected.on_disconnect([](DisconnectReason) { FAIL(); });
    log.push_back(text);
  });
  client->hang_up();
  EXPECT_THAT(log, ElementsAre(std::string(100, 'x')));
}

TEST_F(HandlerTest, HandlersAreForgottenWithTheSocket) {
  const auto owned = std::make_shared<int>(1);
  on_connection = [&](Socket& connected) {
    connected.on("x", [owned](const Args&) {});
    connected.on_disconnect([owned](DisconnectReason) {});
    connected.emit_with_ack("q", make_args(), [owned](const AckResult&) {});
  };
  TestClient other(bench);
  other.connect();
  EXPECT_EQ(owned.use_count(), 4);
  other.send("1");
  EXPECT_EQ(owned.use_count(), 1);
}

}  // namespace
}  // namespace carillon::socketio
