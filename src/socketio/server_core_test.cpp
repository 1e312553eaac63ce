// Joining a namespace: CONNECT, auth, unknown namespaces, the connect timeout.
#include "socketio/server_core.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConnectTest : public ::testing::Test {
 protected:
  void expect_closed(const TestClient& client, const char* why) {
    EXPECT_EQ(client.peer.closed_with, 1005) << why;
    EXPECT_TRUE(client.peer.messages.empty()) << why << ": " << client.peer.messages.front();
  }
  Bench bench;
};

TEST_F(ConnectTest, IsAnsweredWithTheSocketsId) {
  std::vector<std::string> connected;
  bench.root().on_connection([&](Socket& socket) {
    EXPECT_TRUE(socket.connected());
    EXPECT_EQ(socket.name_space(), "/");
    EXPECT_THAT(socket.rooms(), ElementsAre(socket.id()));
    connected.push_back(socket.id());
    socket.emit("hello");
  });
  TestClient client(bench);
  const std::string id = client.connect();
  EXPECT_EQ(id.size(), 20U);
  EXPECT_THAT(connected, ElementsAre(id));
  EXPECT_THAT(client.take(), ElementsAre(R"(2["hello"])"));
  EXPECT_EQ(bench.core().stats().sockets.value(), 1);
}

TEST_F(ConnectTest, EveryConnectionHandlerIsCalledInOrder) {
  std::vector<int> calls;
  bench.root().on_connection([&](Socket&) { calls.push_back(1); });
  bench.root().on_connection([&](Socket&) { calls.push_back(2); });
  TestClient(bench).connect();
  EXPECT_THAT(calls, ElementsAre(1, 2));
}

TEST_F(ConnectTest, TheHandshakeIsThere) {
  std::vector<std::string> seen;
  bench.root().on_connection([&](Socket& socket) {
    const Handshake& handshake = socket.handshake();
    for (const char* key : {"userId", "n", "flag", "list", "none"}) seen.push_back(handshake.auth(key).value_or("-"));
    seen.push_back(handshake.query("transport").value_or("-"));
    seen.push_back(handshake.query("none").value_or("-"));
    seen.push_back(handshake.header("UPGRADE").value_or("-"));
    seen.push_back(handshake.address());
  });
  TestClient client(bench);
  client.connect("/", R"({"userId":"alice","n":42,"flag":true,"list":[1]})");
  EXPECT_THAT(seen, ElementsAre("alice", "42", "true", "-", "-", "websocket", "-", "websocket", "192.0.2.1"));
}

TEST_F(ConnectTest, AuthIsAnObjectOrAbsent) {
  for (const char* packet : {"0", "0{}", "0/,", "0/,{\"a\":[null]}", "0 {}"}) {
    TestClient client(bench);
    client.send(packet);
    EXPECT_EQ(client.take().size(), 1U) << packet;
    EXPECT_TRUE(client.open()) << packet;
  }
  for (const char* packet : {"0null", "0[]", "0\"abc\"", "0true", "0{", "0{\"a\":}", "0{}x", "0abc"}) {
    TestClient client(bench);
    client.send(packet);
    expect_closed(client, packet);
  }
}

TEST_F(ConnectTest, NamespacesOfOneConnectionAreApart) {
  std::vector<std::string> auths;
  for (const char* name : {"/", "/a", "/b"})
    bench.of(name).on_connection(
        [&](Socket& socket) { auths.push_back(socket.name_space() + socket.handshake().auth("token").value_or("-")); });
  TestClient client(bench);
  const std::string first = client.connect("/a", R"({"token":"1"})");
  const std::string second = client.connect("/b");
  const std::string third = client.connect("/", R"({"token":"3"})");
  EXPECT_NE(first, second);
  EXPECT_NE(second, third);
  EXPECT_THAT(auths, ElementsAre("/a1", "/b-", "/3"));
  EXPECT_EQ(bench.core().stats().sockets.value(), 3);
}

TEST_F(ConnectTest, ANamespaceNeedsNoComma) {
  bench.of("/custom");
  TestClient client(bench);
  client.send("0/custom");
  EXPECT_THAT(client.take(), ElementsAre(::testing::StartsWith(R"(0/custom,{"sid":")")));
}

TEST_F(ConnectTest, AnUnknownNamespaceIsAnErrorAndTheConnectionStays) {
  bench.of("/custom");
  TestClient client(bench);
  client.send("0/other,");
  client.send("0/custom?token=abc,{}");  // in version 5 the query is part of the name
  client.send("0/CUSTOM");
  EXPECT_THAT(client.take(), ElementsAre(R"(4/other,{"message":"Invalid namespace"})",
                                         R"(4/custom?token=abc,{"message":"Invalid namespace"})",
                                         R"(4/CUSTOM,{"message":"Invalid namespace"})"));
  client.connect();
  EXPECT_TRUE(client.open());
  EXPECT_EQ(bench.core().stats().connect_errors.value(), 3U);
}

TEST_F(ConnectTest, ASecondConnectClosesTheConnection) {
  TestClient client(bench);
  client.connect();
  client.send("0");
  expect_closed(client, "second CONNECT");
  bench.expect_empty();
}

TEST_F(ConnectTest, PacketsForANamespaceThatWasNotJoinedCloseTheConnection) {
  bench.of("/a");
  for (const char* packet :
       {"2[\"x\"]", "21[\"x\"]", "31[]", "1", "2/a,[\"x\"]", "1/a,", "2/unknown,[\"x\"]", "4{}", "2", "3"}) {
    TestClient client(bench);
    client.send(packet);
    expect_closed(client, packet);
  }
  for (const char* packet : {"2/a,[\"x\"]", "1/a,", "3/a,1[]", "4{\"message\":\"x\"}", "4"}) {
    TestClient client(bench);
    client.connect();
    client.send(packet);
    expect_closed(client, packet);
  }
  bench.expect_empty();
}

TEST_F(ConnectTest, AfterLeavingItCanBeJoinedAgain) {
  TestClient client(bench);
  const std::string first = client.connect();
  client.send("1");
  EXPECT_THAT(client.take(), IsEmpty());
  EXPECT_NE(client.connect(), first);
  EXPECT_EQ(bench.core().stats().sockets.value(), 1);
}

// --- the connect timeout ---

TEST_F(ConnectTest, AConnectionThatJoinsNothingIsClosed) {
  TestClient client(bench);
  bench.advance(Milliseconds(24'000));
  client.peer.take();
  bench.engine().message(client.peer, "3");  // alive, but silent above Engine.IO
  bench.advance(Milliseconds(20'992));
  EXPECT_TRUE(client.open());
  bench.advance(Milliseconds(8));
  EXPECT_EQ(client.peer.closed_with, 1005);
  const auto& closed = bench.engine().engine.stats().sessions_closed;
  EXPECT_EQ(closed[static_cast<std::size_t>(engineio::CloseReason::connect_timeout)].value(), 1U);
  bench.expect_empty();
}

TEST_F(ConnectTest, TheFirstNamespaceJoinedEndsTheTimeout) {
  bench.of("/a");
  bench.options.connect_timeout = Milliseconds(1'000);
  TestClient client(bench);
  bench.advance(Milliseconds(800));
  client.connect("/a");
  client.send("1/a,");
  bench.advance(Milliseconds(10'000));
  EXPECT_TRUE(client.open());
}

TEST_F(ConnectTest, ARefusedNamespaceDoesNotEndTheTimeout) {
  bench.options.connect_timeout = Milliseconds(1'000);
  bench.of("/no").use([](Socket&, const Next& next) { next(ConnectError{"no", nullptr}); });
  TestClient client(bench);
  client.send("0/unknown,");
  client.send("0/no,");
  EXPECT_EQ(client.take().size(), 2U);
  bench.advance(Milliseconds(1'000));
  EXPECT_FALSE(client.open());
  bench.expect_empty();
}

TEST_F(ConnectTest, AMiddlewareThatNeverAnswersLeavesTheClientToTheTimeout) {
  bench.options.connect_timeout = Milliseconds(1'000);
  std::optional<Next> kept;
  bench.root().use([&](Socket&, Next next) { kept = std::move(next); });
  bench.root().on_connection([](Socket&) { FAIL(); });
  TestClient client(bench);
  client.send("0");
  bench.advance(Milliseconds(1'000));
  EXPECT_FALSE(client.open());
  bench.expect_empty();
  (*kept)();  // nobody is there any more
  bench.turn();
  EXPECT_THAT(client.take(), IsEmpty());
}

}  // namespace
}  // namespace carillon::socketio
