// Several handlers of an event, once, the end of a socket in two steps, flags of a single call, the transport.
#include "socketio/listeners.hpp"

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
using ::testing::SizeIs;

class ListenersTest : public ::testing::Test {
 protected:
  ListenersTest() {
    for (const char* name : {"/", "/a"})
      bench.of(name).on_connection([this](Socket& connected) { socket = &connected; });
    client = std::make_unique<TestClient>(bench);
    id = client->connect();
  }
  std::function<void(const Args&)> note(const std::string& mark) {
    return [this, mark](const Args&) { log.push_back(mark); };
  }
  std::vector<std::string> take_log() { return std::exchange(log, {}); }

  Bench bench;
  std::unique_ptr<TestClient> client;
  std::string id;
  Socket* socket = nullptr;
  std::vector<std::string> log;
};

// --- handlers of an event ---

TEST_F(ListenersTest, AnEventMayHaveSeveralHandlers) {
  socket->on("x", note("one"));
  socket->on("y", note("other"));
  const ListenerId two = socket->on("x", note("two"));
  socket->on("x", note("three"));
  client->send(R"(2["x"])");
  EXPECT_THAT(take_log(), ElementsAre("one", "two", "three"));
  socket->off(two);
  socket->off(two);
  socket->off("never");
  client->send(R"(2["x"])");
  EXPECT_THAT(take_log(), ElementsAre("one", "three"));
  socket->off("x");
  client->send(R"(2["x"])");
  client->send(R"(2["y"])");
  EXPECT_THAT(take_log(), ElementsAre("other"));
}

TEST_F(ListenersTest, TheFirstAnswerCounts) {
  for (int i = 0; i < 2; ++i) socket->on("x", [i](const Args&, const Ack& ack) { ack(i); });
  client->send(R"(27["x"])");
  EXPECT_THAT(client->take(), ElementsAre("37[0]"));
}

TEST_F(ListenersTest, OnceIsOnceAlsoWhenItsHandlerCausesTheEventAgain) {
  socket->once("x", [this](const Args&, const Ack& ack) {
    log.emplace_back("once");
    client->send(R"(2["x"])");
    ack("first");
  });
  socket->on("x", note("always"));
  client->send(R"(27["x"])");
  EXPECT_THAT(take_log(), ElementsAre("once", "always", "always"));
  EXPECT_THAT(client->take(), ElementsAre(R"(37["first"])"));
}

TEST_F(ListenersTest, HandlersMayChangeTheListWhileTheyAreCalled) {
  ListenerId second{};
  socket->on("x", [&](const Args&) {
    socket->off(second);
    socket->on("x", note("late"));
    log.emplace_back("first");
  });
  second = socket->on("x", note("second"));
  client->send(R"(2["x"])");
  EXPECT_THAT(take_log(), ElementsAre("first"));
  client->send(R"(2["x"])");
  EXPECT_THAT(take_log(), ElementsAre("first", "late"));
}

// --- the end ---

TEST_F(ListenersTest, WhoIsDisconnectingIsStillInItsRooms) {
  TestClient other(bench);
  Socket* leaving = socket;
  other.connect();
  leaving->join("r");
  leaving->on_disconnecting([&](DisconnectReason reason) {
    EXPECT_TRUE(leaving->connected());
    EXPECT_THAT(leaving->rooms(), ElementsAre(id, "r"));
    bench.root().except("r").emit("leaving", std::string(to_string(reason)));
    leaving->emit("nothing reaches it");
    bench.root().to("r").emit("nor this");
    leaving->join("s");
    leaving->disconnect();
    leaving->emit_with_ack("q", make_args(),
                           [this](const AckResult& result) { log.emplace_back(result ? "answer" : "no answer"); });
  });
  leaving->on_disconnect([&](DisconnectReason) {
    EXPECT_FALSE(leaving->connected());
    EXPECT_THAT(leaving->rooms(), ElementsAre(id));
    log.emplace_back("gone");
  });
  client->send("1");
  EXPECT_THAT(log, ElementsAre("no answer", "gone"));
  EXPECT_THAT(other.take(), ElementsAre(R"(2["leaving","client namespace disconnect"])"));
  EXPECT_THAT(client->take(), IsEmpty());
  client->hang_up();
  other.hang_up();
  bench.expect_empty();
}

TEST_F(ListenersTest, ItsConnectionMayBeClosedWhileItIsDisconnecting) {
  socket->on_disconnecting([this](DisconnectReason) { socket->disconnect(true); });
  client->send("1");
  EXPECT_FALSE(client->open());
  bench.expect_empty();
}

TEST_F(ListenersTest, ThereMayBeSeveralHandlersOfTheEnd) {
  for (const char* mark : {"one", "two"}) {
    socket->on_disconnecting([this, mark](DisconnectReason) { log.emplace_back(mark); });
    socket->on_disconnect([this, mark](DisconnectReason) { log.emplace_back(mark); });
  }
  client->hang_up();
  EXPECT_THAT(log, ElementsAre("one", "two", "one", "two"));
}

// --- flags of a call ---

TEST_F(ListenersTest, FlagsAreForOneCall) {
  client->peer.backlog = 1;
  socket->volatile_().emit("dropped");
  EXPECT_THAT(client->take(), IsEmpty());
  client->peer.backlog = 0;
  socket->volatile_().emit("x", 1);
  socket->emit("y");
  EXPECT_THAT(client->take(), ElementsAre(R"(2["x",1])", R"(2["y"])"));
  socket->timeout(Milliseconds(100)).emit_with_ack("q", make_args(), [this](const AckResult& result) {
    log.emplace_back(!result && result.error() == AckError::timeout ? "timeout" : "?");
  });
  bench.advance(Milliseconds(150));
  EXPECT_THAT(log, ElementsAre("timeout"));
}

TEST_F(ListenersTest, FlagsGoOnToBroadcasts) {
  socket->volatile_().compress(false).timeout(Milliseconds(7)).local().to("r").except("s").emit("x");
  const Broadcast& message = *bench.node.broadcasts.back();
  EXPECT_TRUE(message.flags.is_volatile);
  EXPECT_FALSE(message.flags.compress);
  EXPECT_TRUE(message.flags.local);
  EXPECT_EQ(message.flags.timeout, Milliseconds(7));
  EXPECT_THAT(message.rooms, ElementsAre("r"));
  EXPECT_THAT(message.except, ElementsAre(id, "s"));
}

TEST_F(ListenersTest, TheDefaultTimeoutOfAcknowledgementsIsAnOption) {
  bench.options.ack_timeout = Milliseconds(500);
  const auto ask = [this](std::optional<Milliseconds> timeout) {
    socket->emit_with_ack("q", make_args(), [this](const AckResult&) { log.emplace_back("over"); }, timeout);
  };
  ask(std::nullopt);
  ask(Milliseconds(0));  // none
  bench.advance(Milliseconds(480));
  EXPECT_THAT(log, IsEmpty());
  bench.advance(Milliseconds(5'000));
  EXPECT_THAT(log, SizeIs(1));
}

// --- the transport ---

TEST_F(ListenersTest, SaysHowTheClientIsConnectedAndWhenThatChanges) {
  EXPECT_EQ(socket->transport(), "websocket");
  engineio::EngineBench& engine = bench.engine();
  const std::string sid = engine.open_polling();
  engine.post(sid, "40");
  engine.poll(sid);
  Socket& upgrading = *socket;
  EXPECT_EQ(upgrading.transport(), "polling");
  upgrading.on_upgrade([&](std::string_view transport) { log.emplace_back(transport); });
  engine.upgrade(sid);
  EXPECT_THAT(log, ElementsAre("websocket"));
}

}  // namespace
}  // namespace carillon::socketio
