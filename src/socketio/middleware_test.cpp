// Between the client's CONNECT and the server's: middleware, then the cluster.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class MiddlewareTest : public ::testing::Test {
 protected:
  // A middleware that waits until the test calls `next`.
  void wait_in_middleware() {
    bench.root().use([this](Socket&, Next to_call) { next = std::move(to_call); });
  }
  Bench bench;
  std::optional<Next> next;
};

TEST_F(MiddlewareTest, RunsInOrderBeforeTheConnection) {
  std::vector<std::string> order;
  bench.root().use([&](Socket& socket, const Next& go_on) {
    EXPECT_FALSE(socket.connected());
    order.push_back("first " + socket.handshake().auth("userId").value_or("-"));
    go_on();
  });
  bench.root().use([&](Socket&, const Next& go_on) {
    order.emplace_back("second");
    go_on();
  });
  bench.root().on_connection([&](Socket&) { order.emplace_back("connection"); });
  TestClient(bench).connect("/", R"({"userId":"bob"})");
  EXPECT_THAT(order, ElementsAre("first bob", "second", "connection"));
}

TEST_F(MiddlewareTest, ARefusalIsToldWithItsDataAndAnotherAttemptIsFine) {
  bool allow = false;
  bench.root().use([&](Socket&, const Next& go_on) {
    if (allow) return go_on();
    go_on(ConnectError{"not authorized", Object{{"code", 7}}});
  });
  bench.root().use([&](Socket&, const Next& go_on) {
    EXPECT_TRUE(allow);
    go_on();
  });
  TestClient client(bench);
  client.send("0");
  EXPECT_THAT(client.take(), ElementsAre(R"(4{"message":"not authorized","data":{"code":7}})"));
  EXPECT_TRUE(client.open());
  allow = true;
  client.connect();
}

TEST_F(MiddlewareTest, MayAnswerLaterAndFromAnotherThread) {
  wait_in_middleware();
  TestClient client(bench);
  client.send("0");
  EXPECT_THAT(client.take(), IsEmpty());
  std::thread([this] { (*next)(); }).join();
  EXPECT_THAT(client.take(), IsEmpty()) << "only the shard touches the socket";
  bench.turn();
  EXPECT_THAT(client.take(), ElementsAre(StartsWith("0{")));
}

TEST_F(MiddlewareTest, OnlyTheFirstAnswerCounts) {
  wait_in_middleware();
  TestClient client(bench);
  client.send("0");
  const Next copy = *next;
  (*next)();
  (*next)();
  copy(ConnectError{"too late", nullptr});
  bench.turn();
  EXPECT_THAT(client.take(), ElementsAre(StartsWith("0{")));
}

TEST_F(MiddlewareTest, AnAnswerForAClientThatHasGoneIsVoid) {
  wait_in_middleware();
  bench.root().on_connection([](Socket&) { FAIL(); });
  TestClient client(bench);
  client.send("0");
  client.hang_up();
  (*next)();
  bench.turn();
  bench.expect_empty();
}

TEST_F(MiddlewareTest, PacketsForANamespaceThatIsStillWaitingCloseTheConnection) {
  wait_in_middleware();
  for (const char* packet : {"2[\"x\"]", "1", "0", "31[]"}) {
    TestClient client(bench);
    client.send("0");
    client.send(packet);
    EXPECT_EQ(client.peer.closed_with, 1005) << packet;
    EXPECT_THAT(client.take(), IsEmpty()) << packet;
    (*next)();
  }
  bench.expect_empty();
}

TEST_F(MiddlewareTest, RoomsJoinedThereAreLeftWhenItRefuses) {
  bench.clustered = true;
  bench.root().use([](Socket& socket, const Next& go_on) {
    socket.join("vip");
    go_on(ConnectError{"no", nullptr});
  });
  TestClient client(bench);
  client.send("0");
  EXPECT_TRUE(bench.cluster.rooms.empty());
  bench.root().to("vip").emit("x");
  bench.turn();
  EXPECT_THAT(client.take(), ElementsAre(R"(4{"message":"no"})"));
  client.hang_up();
  bench.expect_empty();
}

TEST_F(MiddlewareTest, ASocketThatIsNotConnectedGetsNoBroadcast) {
  wait_in_middleware();
  std::string id;
  bench.root().use([&](Socket& socket, const Next& go_on) {
    socket.join("room");
    id = socket.id();
    bench.root().emit("all");
    bench.root().to("room").to(id).emit("room");
    go_on();
  });
  TestClient client(bench);
  client.send("0");
  bench.root().emit("early");
  (*next)();
  bench.root().to("room").emit("now");
  bench.turn();
  EXPECT_THAT(client.take(), ElementsAre(StartsWith("0{"), R"(2["now"])"));
}

// A middleware that disconnects has refused: the client must not wait for an answer that never comes.
TEST_F(MiddlewareTest, DisconnectingThereRefusesTheConnection) {
  bench.root().use([](Socket& socket, const Next& go_on) {
    socket.disconnect();
    go_on();
  });
  bench.root().on_connection([](Socket&) { FAIL(); });
  TestClient client(bench);
  client.send("0");
  EXPECT_THAT(client.take(), ElementsAre(R"(4{"message":"Disconnected by the server"})"));
  EXPECT_TRUE(client.open());
  client.hang_up();
  bench.expect_empty();
}

TEST_F(MiddlewareTest, DisconnectingTheConnectionThereClosesIt) {
  bench.root().use([](Socket& socket, const Next& go_on) {
    socket.disconnect(true);
    go_on();
  });
  TestClient client(bench);
  client.send("0");
  EXPECT_THAT(client.take(), IsEmpty());
  EXPECT_FALSE(client.open());
  bench.expect_empty();
}

TEST_F(MiddlewareTest, APendingAcknowledgementEndsWhenTheConnectionIsRefused) {
  int calls = 0;
  bench.root().use([&](Socket& socket, const Next& go_on) {
    socket.emit_with_ack("question", make_args(), [&](const AckResult& result) {
      ++calls;
      EXPECT_EQ(result.error(), AckError::disconnected);
    });
    go_on(ConnectError{"no", nullptr});
  });
  TestClient client(bench);
  client.send("0");
  EXPECT_EQ(calls, 1);
}

// --- waiting for the cluster ---

class ClusterTest : public MiddlewareTest {
 protected:
  ClusterTest() {
    bench.clustered = true;
    bench.cluster.slow = true;
    bench.root().on_connection([this](Socket& socket) { connected.push_back(socket.id()); });
  }
  std::vector<std::string> connected;
};

TEST_F(ClusterTest, TheClientHearsOfItsConnectionWhenItsRoomIsOpen) {
  TestClient client(bench);
  client.send("0");
  EXPECT_THAT(client.take(), IsEmpty());
  EXPECT_EQ(bench.cluster.rooms.size(), 1U);
  bench.cluster.confirm();
  EXPECT_THAT(client.take(), ElementsAre(StartsWith("0{")));
  EXPECT_EQ(bench.cluster.rooms, std::set<std::string>{"/#" + connected.at(0)});
  client.send("1");
  EXPECT_TRUE(bench.cluster.rooms.empty());
}

TEST_F(ClusterTest, AClientThatGoesWhileWaitingLeavesNothing) {
  TestClient client(bench);
  client.send("0");
  client.hang_up();
  EXPECT_TRUE(bench.cluster.rooms.empty());
  bench.cluster.confirm();
  EXPECT_THAT(connected, IsEmpty());
  bench.expect_empty();
}

TEST_F(ClusterTest, AClientThatIsStillWaitingTimesOut) {
  TestClient client(bench);
  client.send("0");
  bench.advance(Milliseconds(24'000));
  bench.engine().message(client.peer, "3");
  bench.advance(Milliseconds(21'000));
  EXPECT_FALSE(client.open());
  bench.cluster.confirm();
  bench.expect_empty();
}

TEST_F(ClusterTest, EventsBeforeTheConfirmationCloseTheConnection) {
  TestClient client(bench);
  client.send("0");
  client.send("2[\"x\"]");
  EXPECT_FALSE(client.open());
  bench.cluster.confirm();
  bench.expect_empty();
}

TEST_F(ClusterTest, AJoinIsDoneWhenTheRoomIsOpenEverywhere) {
  std::vector<std::string> done;
  bench.cluster.slow = false;
  Socket* socket = nullptr;
  bench.root().on_connection([&](Socket& connecting) { socket = &connecting; });
  TestClient client(bench);
  const std::string id = client.connect();
  bench.cluster.slow = true;
  socket->join("a", [&] { done.emplace_back("a"); });
  socket->join("a", [&] { done.emplace_back("a again"); });
  socket->join(id, [&] { done.emplace_back("own"); });
  EXPECT_THAT(done, ElementsAre("own"));
  bench.root().to("a").emit("here");  // on this node at once
  bench.turn();
  EXPECT_THAT(client.take(), ElementsAre(R"(2["here"])"));
  bench.cluster.confirm();
  EXPECT_THAT(done, ElementsAre("own", "a", "a again"));

  socket->join("b", [&] { done.emplace_back("b"); });
  client.hang_up();
  bench.cluster.confirm();
  EXPECT_EQ(done.size(), 3U) << "nobody is told of a socket that has gone";
  bench.expect_empty();
}

// A room may be called like somebody's id: it stays open as long as there is either of them.
TEST_F(ClusterTest, ARoomNamedLikeASocketIsOpenForBoth) {
  bench.cluster.slow = false;
  std::vector<Socket*> sockets;
  bench.root().on_connection([&](Socket& socket) { sockets.push_back(&socket); });
  TestClient first(bench);
  TestClient second(bench);
  const std::string id = first.connect();
  second.connect();
  const std::string channel = "/#" + id;
  sockets[1]->join(id);
  sockets[1]->leave(id);
  EXPECT_TRUE(bench.cluster.rooms.contains(channel)) << "its owner is still there";
  sockets[1]->join(id);
  first.hang_up();
  EXPECT_TRUE(bench.cluster.rooms.contains(channel)) << "a member is still there";
  bench.root().to(id).emit("x");
  bench.turn();
  EXPECT_THAT(second.take(), ElementsAre(R"(2["x"])"));
  second.hang_up();
  bench.expect_empty();
}

}  // namespace
}  // namespace carillon::socketio
