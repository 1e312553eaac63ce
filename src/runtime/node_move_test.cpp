// Requests that come to a shard which does not own their session: the connection moves, with its unread bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "runtime/node.hpp"
#include "runtime/testing_socketio.hpp"

namespace carillon {
namespace {

using namespace runtime::testing;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// With four shards three of four new connections come to the wrong one: a few dozen are enough to meet it.
constexpr int rounds = 40;

enum class Over { tcp, tls, unix_socket };

class NodeMoveTest : public ::testing::TestWithParam<Over> {
 protected:
  NodeMoveTest() : server_(options()) {
    server_.on_connection(
        [](Socket& socket) { socket.on("echo", [](const Args& args, const Ack& ack) { ack(args); }); });
    server_.start();
    address_ = (GetParam() == Over::tls ? "https://" : "") + server_.address();
  }
  void TearDown() override {
    std::uint64_t moved = 0;
    for (const auto& shard : server_.node().shards()) moved += std::as_const(*shard).stats().connections_moved.value();
    EXPECT_GT(moved, 0U);
  }
  ServerOptions options() const {
    ServerOptions settings;
    switch (GetParam()) {
      case Over::tcp:
        settings.listen = "127.0.0.1:0";
        break;
      case Over::tls:
        settings.listen = "https://127.0.0.1:0";
        settings.tls = certificate_.options();
        break;
      case Over::unix_socket:
        settings.listen = "unix:/tmp/carillon-move-test-" + std::to_string(::getpid());
        break;
    }
    settings.shards = 4;
    settings.drain_timeout_ms = 300;  // these clients do not answer close frames
    return settings;
  }

  // A polling client that has joined the namespace.
  PollingEngine joined() {
    PollingEngine engine(address_);
    engine.send("40");
    EXPECT_THAT(engine.poll(), StartsWith("40{"));
    return engine;
  }

  const io::testing::TestCertificate certificate_;
  Server server_;
  std::string address_;
};

TEST_P(NodeMoveTest, PollAndPostOnNewConnections) {
  for (int i = 0; i < rounds; ++i) {
    SocketIoClient client = SocketIoClient::over_polling(address_);
    EXPECT_EQ(client.ask(R"(["echo",1,"two"])"), R"([1,"two"])");
  }
}

TEST_P(NodeMoveTest, ConnectionServesOneSessionAfterTheOther) {
  HttpClient connection(address_);
  for (int i = 0; i < rounds; ++i) {
    const PollingEngine engine = joined();
    EXPECT_EQ(connection.post(engine.target(), R"(421["echo",5])").body, "ok");
    EXPECT_EQ(connection.get(engine.target()).body, "431[5]");
  }
}

TEST_P(NodeMoveTest, PipelinedRequestsOfDifferentSessions) {
  HttpClient connection(address_);
  for (int i = 0; i < rounds; ++i) {
    const PollingEngine one = joined();
    const PollingEngine two = joined();
    connection.send(HttpClient::request("POST", one.target(), R"(421["echo",1])") +
                    HttpClient::request("POST", two.target(), R"(422["echo",2])") +
                    HttpClient::request("GET", one.target()) + HttpClient::request("GET", two.target()));
    EXPECT_EQ(connection.answer().body, "ok");
    EXPECT_EQ(connection.answer().body, "ok");
    EXPECT_EQ(connection.answer().body, "431[1]");
    EXPECT_EQ(connection.answer().body, "432[2]");
  }
}

TEST_P(NodeMoveTest, BodySplitAroundTheMove) {
  const std::string body = R"(421["echo",")" + std::string(100'000, 'x') + "\"]";
  for (int i = 0; i < rounds; ++i) {
    const PollingEngine engine = joined();
    HttpClient connection(address_);
    // The owner asks for the body: the move is over.
    connection.send(
        HttpClient::request("POST", engine.target(), {},
                            "Expect: 100-continue\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"));
    EXPECT_EQ(connection.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    connection.send(body);
    EXPECT_EQ(connection.answer().body, "ok");
    EXPECT_EQ(connection.get(engine.target()).body.size(), body.size() - 7);
  }
}

TEST_P(NodeMoveTest, BodyThatComesInPiecesDuringTheMove) {
  const std::string body = R"(421["echo","0123456789"])";
  for (int i = 0; i < rounds; ++i) {
    const PollingEngine engine = joined();
    HttpClient connection(address_);
    const std::string request = HttpClient::request("POST", engine.target(), body);
    const std::size_t head = request.size() - body.size();
    // The head in two parts, the end of it with the beginning of the body, then the rest.
    std::size_t from = 0;
    for (const std::size_t to : {head / 2, head + 5, head + 10, request.size()}) {
      connection.send(std::string_view(request).substr(from, to - from));
      from = to;
    }
    EXPECT_EQ(connection.answer().body, "ok");
    EXPECT_EQ(connection.get(engine.target()).body, R"(431["0123456789"])");
  }
}

TEST_P(NodeMoveTest, UpgradeWithFramesRightBehindTheRequest) {
  for (int i = 0; i < rounds; ++i) {
    SocketIoClient client = SocketIoClient::over_polling(address_);
    client.upgrade();  // the probe is sent along with the handshake
    EXPECT_EQ(client.ask(R"(["echo",7])"), "[7]");
  }
}

// A client that does not wait for anything.
TEST_P(NodeMoveTest, UpgradeSwitchAndEventInOneGo) {
  for (int i = 0; i < rounds; ++i) {
    const PollingEngine engine = joined();
    WebSocketClient socket(
        address_, engine.target("websocket"),
        WebSocketClient::frame("2probe") + WebSocketClient::frame("5") + WebSocketClient::frame(R"(421["echo",9])"));
    EXPECT_EQ(socket.text(), "3probe");
    EXPECT_EQ(socket.text(), "431[9]");
  }
}

TEST_P(NodeMoveTest, PollThatMovedIsStillThereForTheNextMessage) {
  for (int i = 0; i < rounds; ++i) {
    const PollingEngine engine = joined();
    HttpClient poll(address_);
    poll.send(HttpClient::request("GET", engine.target()));
    HttpClient post(address_);
    EXPECT_EQ(post.post(engine.target(), R"(421["echo",3])").body, "ok");
    EXPECT_EQ(poll.answer().body, "431[3]");
  }
}

TEST_P(NodeMoveTest, ClientThatVanishesDuringTheMoveLeavesNothing) {
  for (int i = 0; i < rounds; ++i) {
    const PollingEngine engine = joined();
    HttpClient gone(address_);
    gone.send(HttpClient::request("GET", engine.target()));
    gone.reset();
  }
  EXPECT_TRUE(eventually([&] {
    std::int64_t open = 0;
    for (const auto& shard : server_.node().shards()) open += std::as_const(*shard).stats().connections.value();
    return open == 0;
  }));
}

TEST_P(NodeMoveTest, SessionIdsOfNobodyAreUnknown) {
  const PollingEngine engine = joined();
  std::string sid = engine.sid();
  sid.back() = sid.back() == 'x' ? 'y' : 'x';
  for (int i = 0; i < rounds; ++i) {
    for (const std::string& wrong :
         {sid, "0000" + sid.substr(4), std::string("x"), sid.substr(0, 4) + "99" + sid.substr(6)})
      EXPECT_THAT(HttpClient(address_).get("/socket.io/?EIO=4&transport=polling&sid=" + wrong).body,
                  HasSubstr("Session ID unknown"));
  }
}

INSTANTIATE_TEST_SUITE_P(Listeners, NodeMoveTest, ::testing::Values(Over::tcp, Over::tls, Over::unix_socket),
                         [](const auto& test) {
                           switch (test.param) {
                             case Over::tcp:
                               return "tcp";
                             case Over::tls:
                               return "tls";
                             case Over::unix_socket:
                               return "unix";
                           }
                           return "";
                         });

}  // namespace
}  // namespace carillon
