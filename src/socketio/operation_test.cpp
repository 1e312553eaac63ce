// fetch_sockets, sockets_join, sockets_leave, disconnect_sockets, and what a RemoteSocket can do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class OperationTest : public ::testing::Test {
 protected:
  // Makes three clients: a, b and c.
  void connect() {
    bench.root().on_connection([this](Socket& socket) {
      sockets.push_back(&socket);
      socket.on_disconnect([this](DisconnectReason reason) { log.emplace_back(to_string(reason)); });
    });
    for (int i = 0; i < 3; ++i) {
      clients.push_back(std::make_unique<TestClient>(bench));
      ids.push_back(clients.back()->connect("/", R"({"n":)" + std::to_string(i) + "}"));
    }
  }
  std::vector<RemoteSocket> fetch(const BroadcastOperator& from) {
    std::optional<std::vector<RemoteSocket>> result;
    from.fetch_sockets([&](const FetchedSockets& found) { result = found.sockets; });
    EXPECT_FALSE(result) << "not inside the call";
    bench.turn();
    EXPECT_TRUE(result);
    return result.value_or(std::vector<RemoteSocket>());
  }
  static std::vector<std::string> ids_of(const std::vector<RemoteSocket>& found) {
    std::vector<std::string> result;
    for (const RemoteSocket& socket : found) result.push_back(socket.id());
    return result;
  }
  SocketsHandler count() {
    return [this](std::size_t sockets_concerned) { counted = sockets_concerned; };
  }

  Bench bench;
  std::vector<std::unique_ptr<TestClient>> clients;
  std::vector<std::string> ids;
  std::vector<Socket*> sockets;
  std::vector<std::string> log;
  std::optional<std::size_t> counted;
};

TEST_F(OperationTest, FetchGivesWhatIsKnownOfEachSocket) {
  connect();
  sockets[1]->join("r");
  sockets[1]->data() = Object{{"name", "b"}};
  const auto found = fetch(bench.root().to("r"));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].id(), ids[1]);
  EXPECT_THAT(found[0].rooms(), ElementsAre(ids[1], "r"));
  EXPECT_EQ(found[0].data(), Value(Object{{"name", "b"}}));
  EXPECT_EQ(found[0].handshake().auth("n"), "1");
  EXPECT_EQ(found[0].handshake().address(), sockets[1]->handshake().address());
  sockets[1]->data() = "changed";
  EXPECT_EQ(found[0].data(), Value(Object{{"name", "b"}})) << "a copy";
}

TEST_F(OperationTest, DataIsAnEmptyObjectAtFirst) {
  connect();
  EXPECT_EQ(sockets[0]->data(), Value(Object{}));
}

TEST_F(OperationTest, FetchKeepsToTheSelection) {
  connect();
  sockets[0]->join("r");
  sockets[1]->join("r");
  EXPECT_THAT(ids_of(fetch(bench.root().everyone())), UnorderedElementsAre(ids[0], ids[1], ids[2]));
  EXPECT_THAT(ids_of(fetch(bench.root().to("r").except(ids[0]))), ElementsAre(ids[1]));
  EXPECT_THAT(ids_of(fetch(sockets[0]->to("r"))), ElementsAre(ids[1]));
  EXPECT_THAT(fetch(bench.root().to("nobody")), IsEmpty());
  clients[1]->hang_up();
  EXPECT_THAT(ids_of(fetch(bench.root().to("r"))), ElementsAre(ids[0]));
}

TEST_F(OperationTest, SocketsThatAreStillInMiddlewareAreNotMeant) {
  std::optional<Next> held;
  bench.root().use([&](Socket& socket, Next next) {
    socket.join("r");
    held = std::move(next);
  });
  TestClient client(bench);
  client.send("0");
  EXPECT_THAT(fetch(bench.root().to("r")), IsEmpty());
  (*held)();
  EXPECT_THAT(fetch(bench.root().to("r")), SizeIs(1));
}

TEST_F(OperationTest, JoinAndLeaveMoveAllThatMatch) {
  connect();
  bench.root().except(ids[2]).sockets_join(std::vector<std::string>{"r", "s"}, count());
  EXPECT_FALSE(counted);
  bench.turn();
  EXPECT_EQ(counted, 2U);
  EXPECT_THAT(sockets[0]->rooms(), ElementsAre(ids[0], "r", "s"));
  EXPECT_THAT(sockets[2]->rooms(), ElementsAre(ids[2]));
  bench.root().to("r").sockets_leave("r", count());
  bench.root().to(ids[0]).sockets_leave(std::vector<std::string>{"s", "none"});
  bench.turn();
  EXPECT_EQ(counted, 2U);
  EXPECT_THAT(sockets[0]->rooms(), ElementsAre(ids[0]));
  EXPECT_THAT(sockets[1]->rooms(), ElementsAre(ids[1], "s"));
}

TEST_F(OperationTest, AJoinIsDoneWhenTheClusterHasConfirmedEachRoom) {
  bench.clustered = true;
  connect();
  bench.cluster.slow = true;
  bench.root().sockets_join(std::vector<std::string>{"r", "s"}, count());
  bench.turn();
  EXPECT_FALSE(counted);
  EXPECT_THAT(sockets[0]->rooms(), ElementsAre(ids[0], "r", "s")) << "here it holds at once";
  EXPECT_THAT(bench.cluster.waiting, SizeIs(2)) << "asked once per room";
  bench.cluster.confirm();
  bench.turn();
  EXPECT_EQ(counted, 3U);
  bench.root().to("nobody").sockets_join("t", count());
  bench.turn();
  EXPECT_EQ(counted, 0U);
  EXPECT_FALSE(bench.cluster.rooms.contains("/#t"));
}

TEST_F(OperationTest, DisconnectEndsTheNamespaceOrTheConnection) {
  connect();
  sockets[0]->join("r");
  sockets[1]->join("r");
  bench.root().to(ids[2]).disconnect_sockets(false, count());
  EXPECT_THAT(clients[2]->take(), ElementsAre("1"));
  EXPECT_TRUE(clients[2]->open());
  bench.turn();
  EXPECT_EQ(counted, 1U);
  bench.root().to("r").disconnect_sockets(true, count());
  bench.turn();
  EXPECT_EQ(counted, 2U);
  EXPECT_FALSE(clients[0]->open());
  EXPECT_FALSE(clients[1]->open());
  EXPECT_THAT(log,
              ElementsAre("server namespace disconnect", "server namespace disconnect", "server namespace disconnect"));
}

TEST_F(OperationTest, ADisconnectHandlerMayEndTheOthers) {
  connect();
  sockets[0]->on_disconnect([this](DisconnectReason) {
    sockets[1]->disconnect();
    clients[2]->hang_up();
  });
  bench.root().disconnect_sockets();
  bench.turn();
  for (const auto& client : clients)
    if (client->open()) client->hang_up();
  bench.expect_empty();
}

TEST_F(OperationTest, ARemoteSocketReachesItsSocket) {
  connect();
  const RemoteSocket remote = fetch(bench.root().to(ids[1])).at(0);
  remote.emit("hello", 1);
  EXPECT_THAT(clients[1]->take(), ElementsAre(R"(2["hello",1])"));
  remote.join("r");
  remote.join(std::vector<std::string>{"s"});
  remote.leave("r");
  EXPECT_THAT(sockets[1]->rooms(), ElementsAre(ids[1], "s"));
  remote.disconnect();
  EXPECT_THAT(clients[1]->take(), ElementsAre("1"));
  remote.emit("nobody hears it");
  EXPECT_THAT(clients[1]->take(), IsEmpty());
  EXPECT_THAT(clients[0]->take(), IsEmpty());
}

TEST_F(OperationTest, ARemoteSocketsAcknowledgementEndsLikeASockets) {
  connect();
  const RemoteSocket remote = fetch(bench.root().to(ids[1])).at(0);
  const auto ask = [&](Milliseconds timeout) {
    remote.emit_with_ack(
        "q", make_args(),
        [this](const AckResult& result) {
          log.push_back(result                                     ? std::string(result->text())
                        : result.error() == AckError::disconnected ? "disconnected"
                                                                   : "timeout");
        },
        timeout);
    const auto packets = clients[1]->take();
    return packets.empty() ? "" : packets[0].substr(1, packets[0].find('[') - 1);
  };
  clients[1]->send("3" + ask(Milliseconds(100)) + "[1,2]");
  bench.turn();
  ask(Milliseconds(100));
  bench.turn();
  bench.advance(Milliseconds(150));
  clients[1]->hang_up();
  ask(Milliseconds(100));
  bench.turn();
  EXPECT_THAT(log, ElementsAre("1,2", "timeout", "transport close", "disconnected"));
}

TEST_F(OperationTest, MayComeFromAnyThread) {
  connect();
  std::thread([this] { bench.root().sockets_join("r", count()); }).join();
  EXPECT_THAT(sockets[0]->rooms(), ElementsAre(ids[0]));
  bench.turn();
  EXPECT_THAT(sockets[0]->rooms(), ElementsAre(ids[0], "r"));
  EXPECT_EQ(counted, 3U);
}

}  // namespace
}  // namespace carillon::socketio
