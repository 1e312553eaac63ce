// Catch-all handlers, of what comes and of what is sent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/msgpack.hpp"
#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CatchAllTest : public ::testing::Test {
 protected:
  // Two clients: a and b.
  CatchAllTest() {
    bench.root().on_connection([this](Socket& socket) { sockets.push_back(&socket); });
    for (auto& client : clients) {
      client = std::make_unique<TestClient>(bench);
      client->connect();
    }
  }
  Socket::AnyHandler note(const std::string& mark) {
    return [this, mark](std::string_view event, const Args& args) {
      log.push_back(mark + " " + std::string(event) + " " + std::string(args.text()));
    };
  }
  std::vector<std::string> take_log() { return std::exchange(log, {}); }

  Bench bench;
  std::unique_ptr<TestClient> clients[2];
  std::vector<Socket*> sockets;
  std::vector<std::string> log;
};

TEST_F(CatchAllTest, SeesEveryEventBeforeItsHandler) {
  sockets[0]->on("x", [this](const Args&) { log.emplace_back("handler"); });
  sockets[0]->on_any(note("any"));
  sockets[0]->prepend_any(note("first"));
  clients[0]->send(R"(2["x",1])");
  EXPECT_THAT(take_log(), ElementsAre("first x 1", "any x 1", "handler"));
  clients[0]->send(R"(25["unknown"])");
  clients[0]->send(R"(2)");
  clients[1]->send(R"(2["x"])");
  EXPECT_THAT(take_log(), ElementsAre("first unknown ", "any unknown "));
}

TEST_F(CatchAllTest, CanBeRemoved) {
  const ListenerId first = sockets[0]->on_any(note("first"));
  sockets[0]->on_any(note("second"));
  sockets[0]->off_any(first);
  sockets[0]->off_any(first);
  clients[0]->send(R"(2["x"])");
  EXPECT_THAT(take_log(), ElementsAre("second x "));
  sockets[0]->off_any();
  clients[0]->send(R"(2["x"])");
  EXPECT_THAT(take_log(), IsEmpty());
}

TEST_F(CatchAllTest, MayEndTheSocketAndChangeTheList) {
  sockets[0]->on("x", [this](const Args&) { log.emplace_back("handler"); });
  sockets[0]->on_any([this](std::string_view, const Args& args) {
    sockets[0]->on_any(note("late"));
    sockets[0]->off_any();
    sockets[0]->disconnect();
    log.emplace_back(args.text());
  });
  clients[0]->send(R"(2["x","still readable"])");
  EXPECT_THAT(take_log(), ElementsAre(R"("still readable")"));
  EXPECT_THAT(clients[0]->take(), ElementsAre("1"));
}

TEST_F(CatchAllTest, OutgoingSeesWhatIsSentToTheClient) {
  sockets[0]->on_any_outgoing(note("out"));
  sockets[0]->prepend_any_outgoing(note("first"));
  sockets[0]->emit("a", 1);
  sockets[0]->emit_volatile("b", make_args());
  sockets[0]->emit_with_ack("c", make_args(2), nullptr);
  bench.root().emit("d", 3);
  bench.root().emit_with_ack("e", make_args(), [](const BroadcastAcks&) {});
  EXPECT_THAT(take_log(), ElementsAre("first a 1", "out a 1", "first b ", "out b ", "first c 2", "out c 2", "first d 3",
                                      "out d 3", "first e ", "out e "));
  EXPECT_EQ(clients[0]->take().size(), 5U);
  sockets[1]->emit("not mine");
  sockets[0]->broadcast().emit("nor this");
  clients[0]->send("30[]");
  EXPECT_THAT(take_log(), IsEmpty());
}

TEST_F(CatchAllTest, OutgoingIsToldBeforeItIsSent) {
  sockets[0]->on_any_outgoing([this](std::string_view, const Args&) { log = clients[0]->take(); });
  bench.root().emit("x");
  EXPECT_THAT(log, IsEmpty());
  EXPECT_THAT(clients[0]->take(), ElementsAre(R"(2["x"])"));
}

TEST_F(CatchAllTest, OutgoingMayEndSocketsInTheMiddleOfABroadcast) {
  for (Socket* socket : sockets)
    socket->on_any_outgoing([this](std::string_view, const Args&) {
      sockets[0]->off_any_outgoing();
      sockets[1]->disconnect(true);
    });
  bench.root().emit("x");
  EXPECT_THAT(clients[0]->take(), ElementsAre(R"(2["x"])"));
  EXPECT_FALSE(clients[1]->open());
  clients[0]->hang_up();
  bench.turn();
  bench.expect_empty();
}

TEST_F(CatchAllTest, OutgoingCanBeRemoved) {
  const ListenerId first = sockets[0]->on_any_outgoing(note("first"));
  const ListenerId second = sockets[0]->on_any_outgoing(note("second"));
  sockets[0]->off_any_outgoing(first);
  bench.root().emit("x");
  EXPECT_THAT(take_log(), ElementsAre("second x "));
  sockets[0]->off_any_outgoing(second);
  bench.root().emit("x");
  sockets[0]->emit("x");
  EXPECT_THAT(take_log(), IsEmpty());
}

TEST_F(CatchAllTest, OutgoingSeesBroadcastsOfOtherNodes) {
  sockets[0]->on_any_outgoing(note("out"));
  const auto deliver = [&](const PacketFormat& format, const Array& data) {
    std::string bytes;
    append_msgpack(bytes, data);
    Broadcast message;
    ASSERT_TRUE(encode_broadcast_data(format, message, bytes));
    bench.core().deliver(message);
  };
  deliver({}, {"x", 1, Binary{"b"}});
  deliver({.offsets = true}, {"y", 2, "z"});
  deliver({.offsets = true}, {"z"});
  EXPECT_THAT(take_log(), ElementsAre(R"(out x 1,{"_placeholder":true,"num":0})", R"(out y 2,"z")", "out z "));
}

TEST_F(CatchAllTest, AnExceptionEndsThatHandlerAlone) {
  ::testing::internal::CaptureStderr();
  sockets[0]->on_any([](std::string_view, const Args&) { throw std::runtime_error("on purpose"); });
  sockets[0]->on_any(note("next"));
  sockets[0]->on_any_outgoing([](std::string_view, const Args&) { throw std::runtime_error("on purpose"); });
  clients[0]->send(R"(2["x"])");
  bench.root().emit("y");
  EXPECT_THAT(take_log(), ElementsAre("next x "));
  EXPECT_THAT(clients[0]->take(), ElementsAre(R"(2["y"])"));
  EXPECT_EQ(bench.core().stats().handler_exceptions.value(), 2U);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("on purpose"));
}

}  // namespace
}  // namespace carillon::socketio
