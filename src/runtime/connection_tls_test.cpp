// Connections over TLS: the same as without, under the conditions that TLS adds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "runtime/connection.hpp"
#include "runtime/testing_shard.hpp"

namespace carillon::runtime {
namespace {

using namespace testing;

constexpr std::string_view websocket = "/engine.io/?EIO=4&transport=websocket";

class ConnectionTlsTest : public ::testing::Test {
 protected:
  ConnectionTlsTest() {
    engineio::Options engine;
    engine.path = "/engine.io/";
    server_ = std::make_unique<TinyServer>(TinyServer::Settings{.engine = engine, .entrance = {false, &credentials_}});
    http_ = "https://" + server_->http_address;
    sessions_ = "https://" + server_->address;
  }

  const Stats& stats() { return std::as_const(server_->shard()).stats(); }

  io::testing::TestCertificate certificate_;
  io::TlsCredentials credentials_{certificate_.options()};
  std::unique_ptr<TinyServer> server_;
  std::string http_;
  std::string sessions_;
};

TEST_F(ConnectionTlsTest, RequestsAreAnswered) {
  HttpClient client(http_);
  EXPECT_EQ(client.get("/one").body, "GET /one");
  EXPECT_EQ(client.post("/echo", "body").body, "body");
  EXPECT_EQ(stats().tls_handshakes.value(), 1U);
}

TEST_F(ConnectionTlsTest, LargeAnswersReachAClientThatReadsLate) {
  HttpClient client(io::testing::address_of(http_), 4096);
  client.start_tls();
  client.send(HttpClient::request("GET", "/big") + HttpClient::request("GET", "/next"));
  EXPECT_EQ(server_->desk.seen.next(), "GET /big");
  server_->run([] {});
  EXPECT_EQ(client.answer().body.size(), Desk::big_bytes);
  EXPECT_EQ(client.answer().body, "GET /next");
}

TEST_F(ConnectionTlsTest, LargeBodiesAreRead) {
  HttpClient client(http_);
  const std::string body(900'000, 'x');
  EXPECT_EQ(client.post("/echo", body).body, body);
}

TEST_F(ConnectionTlsTest, WebSocketMessagesGoBothWays) {
  WebSocketClient client(sessions_, websocket);
  EXPECT_THAT(client.text(), ::testing::StartsWith("0{"));
  for (const std::size_t size : {1U, 1'000U, 100'000U}) {
    const std::string text(size, 'x');
    client.send("4" + text);
    EXPECT_EQ(client.text(), "4" + text);
  }
}

TEST_F(ConnectionTlsTest, ManyFramesOfOneTurnArriveInOrder) {
  WebSocketClient client(sessions_, websocket);
  client.text();
  server_->run([&] {
    for (int i = 0; i < 3'000; ++i)
      server_->echo().broadcast(
          engineio::make_text_frames("4" + std::to_string(i) + std::string(static_cast<std::size_t>(i) % 200, 'x')));
  });
  for (int i = 0; i < 3'000; ++i)
    ASSERT_EQ(client.text(), "4" + std::to_string(i) + std::string(static_cast<std::size_t>(i) % 200, 'x'));
}

TEST_F(ConnectionTlsTest, SlowConsumersAreClosed) {
  WebSocketClient client(sessions_, websocket, {}, 4096);
  client.text();
  const auto frames = engineio::make_text_frames("4" + std::string(1'000'000, 'x'));
  const std::string opened = *server_->echo().events.next();
  for (int i = 0; i < 30; ++i) server_->run([&] { server_->echo().broadcast(frames); });
  EXPECT_EQ(server_->echo().events.next(), "close " + opened.substr(5) + " slow_consumer");
}

// The client says that it is done, and keeps the socket open.
TEST_F(ConnectionTlsTest, EndOfTlsIsTheEndOfTheConnection) {
  WebSocketClient client(sessions_, websocket);
  client.text();
  SSL_shutdown(client.socket().tls().raw());
  EXPECT_TRUE(server_->has_connections(0));
  HttpClient idle(http_);
  idle.send(HttpClient::request("GET", "/one"));
  SSL_shutdown(idle.tls().raw());
  EXPECT_TRUE(server_->has_connections(0));
}

TEST_F(ConnectionTlsTest, BytesThatAreNoTlsEndTheConnection) {
  WebSocketClient client(sessions_, websocket);
  client.text();
  const std::string rubbish(100, 'x');
  EXPECT_EQ(::send(client.socket().fd(), rubbish.data(), rubbish.size(), MSG_NOSIGNAL), 100);
  EXPECT_TRUE(server_->has_connections(0));
}

TEST_F(ConnectionTlsTest, TheServersEndIsAnnounced) {
  HttpClient client(http_);
  client.send("GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.answer().status, 200);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(SSL_get_shutdown(client.tls().raw()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
}

TEST_F(ConnectionTlsTest, KeysMayBeUpdatedInBetween) {
  HttpClient client(http_);
  for (int i = 0; i < 5; ++i) {
    SSL_key_update(client.tls().raw(), SSL_KEY_UPDATE_REQUESTED);
    EXPECT_EQ(client.get("/one").body, "GET /one");
  }
}

TEST_F(ConnectionTlsTest, ResumptionsAreCounted) {
  HttpClient first(http_);
  EXPECT_EQ(first.get("/one").status, 200);
  SSL_SESSION* session = SSL_get1_session(first.tls().raw());
  HttpClient second(io::testing::address_of(http_));
  second.start_tls({.resume = session});
  EXPECT_EQ(second.get("/one").status, 200);
  EXPECT_EQ(stats().tls_handshakes.value(), 2U);
  EXPECT_EQ(stats().tls_resumptions.value(), 1U);
  SSL_SESSION_free(session);
}

}  // namespace
}  // namespace carillon::runtime
