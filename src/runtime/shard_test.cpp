// The life of a shard: from before its start to after its end.
#include "runtime/shard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "runtime/testing_shard.hpp"
#include "runtime/testing_socketio.hpp"

namespace carillon::runtime {
namespace {

using namespace testing;
using ::testing::StartsWith;

constexpr std::string_view websocket_target = "/engine.io/?EIO=4&transport=websocket";
constexpr std::string_view polling_target = "/engine.io/?EIO=4&transport=polling";

void stop(Shard& shard) {
  shard.begin_stop();
  shard.join();
}

TEST(ShardTest, MayBeDestroyedWithoutHavingBeenStarted) {
  const engineio::Options options;
  Shard shard({0, "test", &options}, [](Shard&) { return std::make_unique<Echo>(); });
  shard.listen(std::make_unique<io::Listener>(io::testing::loopback(), false), shard.client_service());
  shard.post([] { ADD_FAILURE() << "nobody runs this"; });
  shard.begin_stop();
  shard.join();
}

TEST(ShardTest, MayBeStoppedTwiceAndPostedToAfterwards) {
  TinyServer server;
  stop(server.shard());
  stop(server.shard());
  server.shard().post([] { ADD_FAILURE() << "nobody runs this"; });
}

TEST(ShardTest, StopTellsClientsAndHandlers) {
  TinyServer server;
  WebSocketClient socket(server.address, websocket_target);
  EXPECT_THAT(socket.text(), StartsWith("0{"));
  HttpClient poll(server.address);
  const std::string sid = sid_in(poll.get(polling_target).body);
  poll.send(HttpClient::request("GET", std::string(polling_target) + "&sid=" + sid));
  ASSERT_TRUE(eventually([&] { return std::as_const(server.shard()).stats().http_requests.value() == 3; }));

  stop(server.shard());
  EXPECT_EQ(socket.next()->kind, websocket::Event::Kind::close);
  EXPECT_EQ(poll.answer().body, "1");
  int closed = 0;
  while (const auto event = server.echo().events.next(std::chrono::milliseconds(0)))
    if (event->starts_with("close ") && event->ends_with("shutting_down")) ++closed;
  EXPECT_EQ(closed, 2);
}

// Nothing stays open for as long as the object lives.
TEST(ShardTest, StopEndsEveryConnection) {
  TinyServer server;
  HttpClient idle(server.http_address);
  EXPECT_EQ(idle.get("/").status, 200);
  BlockingClient silent(server.http_address);
  HttpClient pending(server.http_address);
  pending.send(HttpClient::request("GET", "/later"));
  WebSocketClient stubborn(server.address, websocket_target);  // does not answer the close frame
  ASSERT_TRUE(server.has_connections(4));

  stop(server.shard());
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(silent.closed());
  EXPECT_TRUE(pending.closed());
  EXPECT_TRUE(stubborn.socket().closed());
  EXPECT_EQ(std::as_const(server.shard()).stats().connections.value(), 0);
  EXPECT_THROW(const BlockingClient late(server.http_address), std::runtime_error);
  EXPECT_EQ(server.desk.seen.next(), "GET /");
  EXPECT_EQ(server.desk.seen.next(), "GET /later");
  EXPECT_EQ(server.desk.seen.next(), "closed");
}

// By a request that was on its way.
TEST(ShardTest, SessionThatOpensDuringTheStopIsClosedToo) {
  TinyServer::Settings settings;
  settings.drain_timeout = patience;
  TinyServer server(settings);
  HttpClient client(server.address);
  const std::string request = HttpClient::request("GET", polling_target);
  client.send(request.substr(0, 10));
  ASSERT_TRUE(eventually([&] { return std::as_const(server.shard()).stats().bytes_received.value() == 10; }));
  server.shard().begin_stop();
  client.send(request.substr(10));
  const std::string sid = sid_in(client.answer().body);
  EXPECT_TRUE(client.closed());
  server.shard().join();
  EXPECT_EQ(server.echo().events.next(std::chrono::milliseconds(0)), "open " + sid);
  EXPECT_EQ(server.echo().events.next(std::chrono::milliseconds(0)), "close " + sid + " shutting_down");
}

// One that is read late, as its answers could not be written earlier.
TEST(ShardTest, ConnectionThatIsIdleAfterItsAnswerEndsWithTheStop) {
  TinyServer::Settings settings;
  settings.drain_timeout = Milliseconds(patience) * 2;
  TinyServer server(settings);
  HttpClient client(server.http_address);
  {
    const Pause pause(server.shard());
    client.send(HttpClient::request("GET", "/big"));
    server.shard().begin_stop();  // in the turn in which the request is answered, and after that
  }
  EXPECT_EQ(client.answer().body.size(), Desk::big_bytes);
  EXPECT_TRUE(client.closed());
  server.shard().join();
}

TEST(ShardTest, MailThatIsLeftAtTheEndIsDestroyedWithTheThread) {
  TinyServer server;
  const auto token = std::make_shared<int>(0);
  stop(server.shard());
  server.shard().post([token] {});
  EXPECT_EQ(token.use_count(), 1);
}

TEST(ShardTest, ManyConnectionsComeAndGo) {
  TinyServer server;
  for (int round = 0; round < 10; ++round) {
    std::vector<WebSocketClient> clients;
    for (int i = 0; i < 30; ++i) clients.emplace_back(server.address, websocket_target);
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (i % 3 == 0) clients[i].socket().reset();
      if (i % 3 == 1) clients[i].send("", websocket::Opcode::close);
    }
    server.run([&] { server.echo().broadcast(engineio::make_text_frames("4all")); });
    for (std::size_t i = 2; i < clients.size(); i += 3) {
      EXPECT_THAT(clients[i].text(), StartsWith("0{"));
      EXPECT_EQ(clients[i].text(), "4all");
    }
  }
  EXPECT_TRUE(server.has_connections(0));
}

}  // namespace
}  // namespace carillon::runtime
