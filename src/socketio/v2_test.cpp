// Clients of Socket.IO v2.
#include "socketio/v2.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class V2Test : public ::testing::Test {
 protected:
  V2Test() {
    bench.engine_options.allow_eio3 = true;
    for (const char* name : {"/", "/custom"})
      bench.of(name).on_connection([this](Socket& socket) {
        sockets.push_back(&socket);
        socket.emit("auth", socket.handshake().auth());
        socket.on("echo", [&socket](const Args& args, const Ack& ack) {
          socket.emit("back", args);
          ack(args);
        });
        socket.on_disconnect([this](DisconnectReason reason) { ends.emplace_back(to_string(reason)); });
      });
  }
  // A client whose "/" is not refused; what it has got so far is left for take().
  TestClient connect() {
    bench.engine().query = "EIO=3";
    engineio::FakePeer& peer = bench.engine().websocket_request("/engine.io/?EIO=3&transport=websocket");
    bench.advance(TimerWheel::tick);
    EXPECT_TRUE(peer.messages.front().starts_with("0{"));
    session_id = engineio::EngineBench::sid_in(peer.messages.front());
    peer.messages.erase(peer.messages.begin());
    return TestClient(bench, peer);
  }

  Bench bench;
  std::vector<Socket*> sockets;
  std::vector<std::string> ends;
  std::string session_id;
};

TEST_F(V2Test, JoinsTheMainNamespaceUnasked) {
  TestClient client = connect();
  EXPECT_THAT(client.take(), ElementsAre("0", R"(2["auth",{}])"));
  EXPECT_TRUE(client.open());
}

TEST_F(V2Test, LaterClientsBesideItAskForIt) {
  connect();
  bench.engine().query = "EIO=4";
  TestClient later(bench);
  EXPECT_THAT(later.take(), IsEmpty());
  later.connect();
  EXPECT_THAT(later.take(), ElementsAre(R"(2["auth",{}])"));
}

TEST_F(V2Test, TheQueryOfANamespaceIsItsAuth) {
  TestClient client = connect();
  client.take();
  client.send("0/custom?token=abc&b=%C3%A9+x&token=last&empty");
  EXPECT_THAT(client.take(),
              ElementsAre("0/custom,", "2/custom,[\"auth\",{\"token\":\"last\",\"b\":\"\u00e9 x\",\"empty\":\"\"}]"));
  client.send(R"(2/custom,1["echo",1])");
  EXPECT_THAT(client.take(), ElementsAre(R"(2/custom,["back",1])", "3/custom,1[1]"));
}

TEST_F(V2Test, AuthComesFromTheQueryOnly) {
  TestClient client = connect();
  client.take();
  client.send(R"(0/custom,{"token":"abc"})");
  EXPECT_THAT(client.take(), ElementsAre("0/custom,", R"(2/custom,["auth",{}])"));
}

// The client does not hear its ids: it makes them up.
TEST_F(V2Test, SocketIdsAreThoseThatTheClientKnows) {
  TestClient client = connect();
  client.send("0/custom");
  ASSERT_EQ(sockets.size(), 2U);
  EXPECT_EQ(sockets[0]->id(), session_id);
  EXPECT_EQ(sockets[1]->id(), "/custom#" + session_id);
  client.take();
  bench.root().to(session_id).emit("x");
  bench.of("/custom").to("/custom#" + session_id).emit("y");
  bench.turn();
  EXPECT_THAT(client.take(), ElementsAre(R"(2["x"])", R"(2/custom,["y"])"));
}

TEST_F(V2Test, AnUnknownNamespaceIsAnError) {
  TestClient client = connect();
  client.take();
  client.send("0/unknown?token=abc,");
  EXPECT_THAT(client.take(), ElementsAre(R"(4/unknown,{"message":"Invalid namespace"})"));
  EXPECT_TRUE(client.open());
}

TEST_F(V2Test, BinaryAndAcknowledgementsWork) {
  TestClient client = connect();
  client.take();
  client.send(R"(51-9["echo",{"_placeholder":true,"num":0}])");
  client.attach("\x04\x01\x02");
  EXPECT_THAT(client.take(), ElementsAre(R"(51-["back",{"_placeholder":true,"num":0}])", "b:\x04\x01\x02",
                                         R"(61-9[{"_placeholder":true,"num":0}])", "b:\x04\x01\x02"));
  std::string answer;
  sockets[0]->emit_with_ack("question", make_args(),
                            [&](const AckResult& result) { answer = result ? std::string(result->text()) : "none"; });
  EXPECT_THAT(client.take(), ElementsAre(R"(20["question"])"));
  client.send("30[42]");
  EXPECT_EQ(answer, "42");
}

TEST_F(V2Test, LeavesANamespaceAndComesBack) {
  TestClient client = connect();
  client.send("0/custom");
  client.send("1/custom,");
  EXPECT_THAT(ends, ElementsAre("client namespace disconnect"));
  client.take();
  client.send("0/custom?again=1");
  EXPECT_THAT(client.take(), ElementsAre("0/custom,", R"(2/custom,["auth",{"again":"1"}])"));
  sockets.back()->disconnect(false);
  EXPECT_THAT(client.take(), ElementsAre("1/custom,"));
  sockets.front()->disconnect(true);
  EXPECT_THAT(client.take(), ElementsAre("1"));
  EXPECT_FALSE(client.open());
  bench.turn();
  bench.expect_empty();
}

TEST_F(V2Test, ASecondConnectIsOutOfPlace) {
  TestClient client = connect();
  client.send("0");
  EXPECT_FALSE(client.open());
  EXPECT_THAT(ends, ElementsAre("forced close"));
}

TEST_F(V2Test, ARefusedClientGetsTheErrorAlone) {
  bench.root().use([](Socket&, const Next& next) { next(ConnectError{"Not authorized", nullptr}); });
  bench.of("/custom").use([](Socket&, const Next& next) { next(ConnectError{"no", Object{{"code", 3}}}); });
  TestClient client = connect();
  EXPECT_THAT(client.take(), ElementsAre(R"(4"Not authorized")"));
  client.send("0/custom");
  EXPECT_THAT(client.take(), ElementsAre(R"(4/custom,{"code":3})"));
  EXPECT_TRUE(client.open());
  bench.advance(Milliseconds(45'000));
  EXPECT_FALSE(client.open());
}

TEST(V2ErrorTest, DataThatJavaScriptTakesForFalseIsNone) {
  for (const Value& data : {Value(), Value(false), Value(0), Value(0.0), Value(std::nan("")), Value("")})
    EXPECT_EQ(v2::error_data({"message", data}), Value("message")) << to_json(data);
  for (const Value& data : {Value(true), Value(1), Value("x"), Value(Array{}), Value(Object{})})
    EXPECT_EQ(v2::error_data({"message", data}), data) << to_json(data);
}

}  // namespace
}  // namespace carillon::socketio
