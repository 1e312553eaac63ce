// Exceptions that escape the application's handlers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ThrowingTest : public ::testing::Test {
 protected:
  ThrowingTest() {
    for (const char* name : {"/", "/a"})
      bench.of(name).on_connection([this](Socket& connected) {
        if (on_connection) on_connection(connected);
      });
  }
  void SetUp() override { ::testing::internal::CaptureStderr(); }
  // Whatever was thrown, others are served as ever, nothing is left, and the log says who it was.
  void TearDown() override {
    on_connection = [](Socket& connected) { connected.on("x", [](const Args& args, const Ack& ack) { ack(args); }); };
    TestClient other(bench);
    other.connect();
    other.send(R"(21["x",2])");
    EXPECT_THAT(other.take(), ElementsAre("31[2]"));
    other.hang_up();
    if (client && client->open()) client->hang_up();
    bench.expect_empty();
    const std::string written = ::testing::internal::GetCapturedStderr();
    EXPECT_THAT(written, HasSubstr(expected));
    EXPECT_THAT(written, HasSubstr("on purpose"));
    EXPECT_GE(bench.core().stats().handler_exceptions.value(), 1U);
  }
  [[noreturn]] static void fail() { throw std::runtime_error("on purpose"); }
  // Connects a client whose socket has this handler for "x".
  Socket& connect_with(Socket::EventHandler handler) {
    Socket* socket = nullptr;
    on_connection = [&socket, handler](Socket& connected) {
      socket = &connected;
      connected.on("x", handler);
    };
    client = std::make_unique<TestClient>(bench);
    client->connect();
    on_connection = nullptr;
    return *socket;
  }

  Bench bench;
  std::function<void(Socket&)> on_connection;
  std::unique_ptr<TestClient> client;
  std::string expected;
};

TEST_F(ThrowingTest, AnEventHandler) {
  expected = "event 'x'";
  connect_with([](const Args&, const Ack&) { fail(); });
  client->send(R"(21["x"])");
  EXPECT_THAT(client->take(), IsEmpty());
  EXPECT_TRUE(client->open());
  client->send(R"(2["x"])");
  EXPECT_TRUE(client->open());
}

TEST_F(ThrowingTest, SomethingThatIsNoException) {
  expected = "event 'x'";
  connect_with([](const Args& args, const Ack&) {
    if (args.empty()) throw 42;
    fail();
  });
  client->send(R"(2["x"])");
  client->send(R"(2["x",1])");
  EXPECT_TRUE(client->open());
}

TEST_F(ThrowingTest, AHandlerThatEmitsAReservedName) {
  expected = "'connect' is a reserved event name";
  Socket* socket = nullptr;
  socket = &connect_with([&](const Args& args, const Ack&) {
    if (args.empty()) socket->emit("connect");
    fail();
  });
  client->send(R"(2["x"])");
  client->send(R"(2["x",1])");
  EXPECT_TRUE(client->open());
}

TEST_F(ThrowingTest, AHandlerThatSendsWhatIsNoUtf8) {
  expected = "must be UTF-8";
  Socket* socket = nullptr;
  socket = &connect_with([&](const Args& args, const Ack& ack) {
    switch (args[0].as_int64()) {
      case 0:
        return socket->emit("x", "caf\xe9");
      case 1:
        return socket->emit_with_ack("caf\xe9", make_args(), [](const AckResult&) { FAIL(); });
      case 2:
        return ack("caf\xe9");
      default:
        fail();
    }
  });
  for (int i = 0; i < 4; ++i) client->send("27[\"x\"," + std::to_string(i) + "]");
  EXPECT_THAT(client->take(), IsEmpty());
  EXPECT_TRUE(client->open());
}

TEST_F(ThrowingTest, AMiddlewareThatRefusesWithWhatIsNoUtf8) {
  expected = "must be UTF-8";
  bench.of("/a").use([](Socket& socket, const Next& next) {
    if (socket.handshake().auth("data")) next({"no", Array{"caf\xe9"}});
    if (socket.handshake().auth("message")) next({"caf\xe9", nullptr});
    fail();
  });
  client = std::make_unique<TestClient>(bench);
  for (const char* auth : {R"({"data":1})", R"({"message":1})", "{}"}) {
    client->send("0/a," + std::string(auth));
    EXPECT_THAT(client->take(), ElementsAre(R"(4/a,{"message":"Internal server error"})"));
  }
}

TEST_F(ThrowingTest, AConnectionHandler) {
  expected = "connection to '/'";
  const auto calls = std::make_shared<int>(0);  // the fixture's end connects once more
  bench.root().on_connection([calls](Socket&) { ++*calls; });
  on_connection = [](Socket&) { fail(); };
  client = std::make_unique<TestClient>(bench);
  client->connect();
  EXPECT_EQ(*calls, 1) << "the others are called";
}

TEST_F(ThrowingTest, ADisconnectHandler) {
  expected = "disconnect from '/'";
  connect_with(nullptr).on_disconnect([](DisconnectReason) { fail(); });
  client->hang_up();
  client.reset();
}

TEST_F(ThrowingTest, AnAcknowledgementHandler) {
  expected = "the answer to 'q'";
  Socket& connected = connect_with(nullptr);
  for (int i = 0; i < 3; ++i)
    connected.emit_with_ack("q", make_args(), [](const AckResult&) { fail(); }, Milliseconds(i == 2 ? 100 : 0));
  client->send("30[]");
  bench.advance(Milliseconds(200));
  EXPECT_TRUE(client->open());
}

TEST_F(ThrowingTest, TheEndOfAJoin) {
  expected = "a join in '/'";
  connect_with(nullptr).join("room", [] { fail(); });
}

TEST_F(ThrowingTest, AMiddlewareRefusesTheConnectionUnlessItHadAnswered) {
  expected = "middleware of '/a'";
  bool answer_first = false;
  bench.of("/a").use([&](Socket& connecting, const Next& next) {
    connecting.join("room");
    if (answer_first) next();
    fail();
  });
  client = std::make_unique<TestClient>(bench);
  client->send("0/a,");
  EXPECT_THAT(client->take(), ElementsAre(R"(4/a,{"message":"Internal server error"})"));
  answer_first = true;
  client->connect("/a");
}

}  // namespace
}  // namespace carillon::socketio
