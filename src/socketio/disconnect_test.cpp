// Every way for a socket to go, with its reason; and that nothing of it stays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DisconnectTest : public ::testing::Test {
 protected:
  DisconnectTest() {
    bench.engine_options.send_queue_bytes_max = 10'000;
    for (const char* name : {"/", "/a"})
      bench.of(name).on_connection([this](Socket& socket) {
        sockets[socket.name_space()] = &socket;
        socket.join("room");
        socket.on_disconnect([this, &socket](DisconnectReason reason) {
          EXPECT_FALSE(socket.connected());
          EXPECT_THAT(socket.rooms(), ElementsAre(socket.id()));
          reasons.push_back(socket.name_space() + " " + std::string(to_string(reason)));
        });
      });
    client = std::make_unique<TestClient>(bench);
    client->connect();
  }

  Bench bench;
  std::unique_ptr<TestClient> client;
  std::map<std::string, Socket*> sockets;
  std::vector<std::string> reasons;
};

TEST_F(DisconnectTest, ByTheClient) {
  client->connect("/a");
  client->send("1");
  EXPECT_THAT(reasons, ElementsAre("/ client namespace disconnect"));
  EXPECT_THAT(client->take(), IsEmpty());
  client->send("1/a,");
  EXPECT_TRUE(client->open());
  EXPECT_THAT(reasons, ElementsAre("/ client namespace disconnect", "/a client namespace disconnect"));
}

TEST_F(DisconnectTest, ByTheServer) {
  client->connect("/a");
  sockets["/a"]->disconnect();
  EXPECT_THAT(client->take(), ElementsAre("1/a,"));
  EXPECT_THAT(reasons, ElementsAre("/a server namespace disconnect"));
  EXPECT_TRUE(client->open());
  client->connect("/a");
}

TEST_F(DisconnectTest, OfTheWholeConnectionByTheServer) {
  client->connect("/a");
  sockets["/"]->disconnect(true);
  bench.turn();
  EXPECT_THAT(client->take(), ::testing::UnorderedElementsAre("1", "1/a,"));
  EXPECT_EQ(client->peer.closed_with, 1005);
  EXPECT_THAT(reasons,
              ::testing::UnorderedElementsAre("/ server namespace disconnect", "/a server namespace disconnect"));
  bench.expect_empty();
}

TEST_F(DisconnectTest, ByTheEndOfTheConnection) {
  client->connect("/a");
  client->hang_up(true);
  EXPECT_THAT(reasons, ElementsAre("/ transport close", "/a transport close"));
  bench.expect_empty();
}

TEST_F(DisconnectTest, ByABrokenConnection) {
  client->hang_up(false);
  EXPECT_THAT(reasons, ElementsAre("/ transport error"));
}

TEST_F(DisconnectTest, ByAPingTimeout) {
  bench.advance(Milliseconds(45'000));
  EXPECT_THAT(reasons, ElementsAre("/ ping timeout"));
  bench.expect_empty();
}

TEST_F(DisconnectTest, ByWhatCannotBeRead) {
  client->send("2[");
  EXPECT_THAT(reasons, ElementsAre("/ forced close")) << "a Socket.IO packet";
  TestClient other(bench);
  other.connect();
  bench.engine().message(other.peer, "x");
  EXPECT_THAT(reasons, ElementsAre("/ forced close", "/ parse error")) << "an Engine.IO packet";
  EXPECT_THAT(client->take(), IsEmpty()) << "no DISCONNECT packet";
}

TEST_F(DisconnectTest, BySlowness) {
  client->peer.stalled = true;
  sockets["/"]->emit("waits");
  sockets["/"]->emit("x", std::string(20'000, 'x'));
  EXPECT_THAT(reasons, IsEmpty());
  bench.turn();
  EXPECT_THAT(reasons, ElementsAre("/ transport error"));
  EXPECT_TRUE(client->peer.was_cut);
  bench.expect_empty();
}

TEST_F(DisconnectTest, ByTheEndOfTheServer) {
  bench.engine().engine.close_all(engineio::CloseReason::shutting_down);
  EXPECT_THAT(reasons, ElementsAre("/ server shutting down"));
  bench.turn();
  bench.expect_empty();
}

TEST_F(DisconnectTest, OverPollingTheLastWordsWaitForThePoll) {
  engineio::EngineBench& engine = bench.engine();
  const std::string sid = engine.open_polling();
  engine.post(sid, "40");
  engine.poll(sid);
  sockets["/"]->disconnect(true);
  bench.turn();
  EXPECT_THAT(reasons, ElementsAre("/ server namespace disconnect"));
  EXPECT_EQ(engine.poll(sid).answer().body, "41");
  EXPECT_EQ(engine.poll(sid).answer().body, engineio::payload_of({"6", "1"}));
  client->hang_up();
  bench.expect_empty();
}

TEST_F(DisconnectTest, LeavesTheRooms) {
  client->send("1");
  bench.root().emit("x");
  bench.root().to("room").emit("x");
  EXPECT_THAT(client->take(), IsEmpty());
  EXPECT_EQ(bench.core().stats().rooms.value(), 0);
}

TEST_F(DisconnectTest, EachReasonHasTheWordsOfTheDocumentation) {
  const std::vector<std::string_view> words = {"client namespace disconnect",
                                               "server namespace disconnect",
                                               "forced close",
                                               "transport close",
                                               "transport error",
                                               "ping timeout",
                                               "parse error",
                                               "server shutting down"};
  for (std::size_t i = 0; i < words.size(); ++i) EXPECT_EQ(to_string(static_cast<DisconnectReason>(i)), words[i]);
}

// Clients that do anything at any time, over both transports, with a cluster that confirms late.
TEST(SocketIoLife, LeavesNothingBehind) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
    Bench bench;
    bench.clustered = true;
    std::map<std::string, Socket*> sockets;
    for (const char* name : {"/", "/a", "/b"}) {
      bench.of(name).use([&](Socket& socket, const Next& next) {
        if (below(4) == 0) socket.join("early");
        if (below(8) == 0) return next(ConnectError{"no", nullptr});
        next();
      });
      bench.of(name).on_connection([&](Socket& socket) {
        const std::string key = socket.name_space() + socket.id();
        sockets[key] = &socket;
        socket.on_disconnect([&, key](DisconnectReason) { sockets.erase(key); });
        if (below(10) == 0) socket.disconnect(below(2) == 0);
      });
    }
    std::vector<std::unique_ptr<TestClient>> clients;
    std::vector<std::string> polling;
    for (int step = 0; step < 2'000; ++step) {
      bench.cluster.slow = below(2) == 0;
      bench.engine().one_turn = below(4) == 0;
      TestClient* client = clients.empty() ? nullptr : clients[below(clients.size())].get();
      if (client != nullptr && !client->open()) client = nullptr;
      Socket* socket =
          sockets.empty() ? nullptr : std::next(sockets.begin(), static_cast<long>(below(sockets.size())))->second;
      const std::string name = std::vector<std::string>{"", "/a,", "/b,", "/c,"}[below(4)];
      const std::string room = "room" + std::to_string(below(6));
      switch (below(16)) {
        case 0:
          if (bench.engine().one_turn) break;
          clients.push_back(std::make_unique<TestClient>(bench));
          break;
        case 1:
          if (!bench.engine().one_turn) polling.push_back(bench.engine().open_polling());
          break;
        case 2:
        case 3:
        case 4:
          if (client != nullptr) client->send("0" + name);
          break;
        case 5:
          if (!polling.empty()) bench.engine().post(polling[below(polling.size())], "40" + name);
          break;
        case 6:
          if (!polling.empty() && !bench.engine().one_turn) bench.engine().poll(polling[below(polling.size())]);
          break;
        case 7:
          if (client != nullptr) client->send(below(2) == 0 ? "2" + name + "[\"x\"]" : "1" + name);
          break;
        case 8:
          if (client != nullptr && below(4) == 0) client->hang_up(below(2) == 0), client->peer.was_cut = true;
          break;
        case 9:
        case 10:
          if (socket != nullptr) socket->join(room, [] {});
          break;
        case 11:
          if (socket != nullptr) socket->leave(room);
          break;
        case 12:
          if (socket != nullptr) socket->emit_with_ack("q", make_args(), [](const AckResult&) {}, Milliseconds(500));
          break;
        case 13:
          if (socket != nullptr && below(4) == 0) socket->disconnect(below(2) == 0);
          break;
        case 14:
          bench.root().to(room).emit("x");
          break;
        case 15:
          if (below(2) == 0) bench.cluster.confirm();
          bench.advance(Milliseconds(below(3'000)));
          break;
      }
      bench.engine().end_turn();
    }
    bench.engine().engine.close_all(engineio::CloseReason::shutting_down);
    bench.cluster.confirm();
    bench.advance(Milliseconds(60'000));
    bench.expect_empty();
    EXPECT_TRUE(sockets.empty()) << "each one that connected was told of its end";
    EXPECT_GT(bench.core().stats().connects.value(), 50U) << "or nothing was tried";
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace carillon::socketio
