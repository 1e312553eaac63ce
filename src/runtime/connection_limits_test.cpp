// What connections may cost: time, numbers, bytes that wait. Sizes of requests: connection_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "runtime/testing_shard.hpp"

namespace carillon::runtime {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr Milliseconds short_time{300};
constexpr std::string_view polling_target = "/engine.io/?EIO=4&transport=polling";
constexpr std::string_view websocket_target = "/engine.io/?EIO=4&transport=websocket";

class ConnectionLimitsTest : public ::testing::Test {
 protected:
  ConnectionLimitsTest() { configure_log(LogLevel::off, LogFormat::text); }
};

// Sends `piece` again and again, as long as the server takes it; at most as long as a test may take.
void drip(HttpClient& client, std::string_view piece) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!client.has_input() && std::chrono::steady_clock::now() < end && client.send(piece))
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the pace of the attack
}

TinyServer::Settings impatient() {
  TinyServer::Settings settings;
  settings.limits.head_timeout = settings.limits.body_timeout = short_time;
  return settings;
}

// --- time ---

TEST_F(ConnectionLimitsTest, AHeaderHasItsTimeForAllOfIt) {
  TinyServer server(impatient());
  HttpClient client(server.http_address);
  client.send("GET / HTTP/1.1\r\nHost: t\r\nX: ");
  drip(client, "x");
  EXPECT_EQ(client.answer().status, 408);
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(server.has_refused(Refusal::header_timeout, 1));
  EXPECT_EQ(server.desk.seen.size(), 0U);
}

TEST_F(ConnectionLimitsTest, ABodyHasItsTimeForAllOfIt) {
  TinyServer server(impatient());
  HttpClient client(server.http_address);
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n");
  drip(client, "x");
  EXPECT_EQ(client.answer().status, 408);
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(server.has_refused(Refusal::body_timeout, 1));
}

TEST_F(ConnectionLimitsTest, EmptyLinesBeforeARequestBuyNoTime) {
  TinyServer server(impatient());
  HttpClient client(server.http_address);
  drip(client, "\r\n");
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(server.has_refused(Refusal::idle, 1));
}

// --- reasons ---

TEST_F(ConnectionLimitsTest, RefusedRequestsAreCountedByTheirReason) {
  TinyServer server;
  const auto ask = [&](const std::string& bytes) {
    HttpClient client(server.http_address);
    client.send(bytes);
    return client.answer().status;
  };
  const std::vector<std::pair<std::string, Refusal>> requests = {
      {"no request\r\n\r\n", Refusal::malformed_request},
      {"GET /" + std::string(9'000, 'x') + " HTTP/1.1\r\n\r\n", Refusal::target_too_long},
      {"GET / HTTP/1.1\r\nX: " + std::string(17'000, 'x') + "\r\n\r\n", Refusal::header_too_large},
      {"POST /echo HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n", Refusal::body_too_large},
      {"POST /echo HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", Refusal::unsupported_encoding},
  };
  for (const auto& [bytes, refusal] : requests) {
    EXPECT_EQ(ask(bytes), http_status(refusal)) << to_string(refusal);
    EXPECT_TRUE(server.has_refused(refusal, 1)) << to_string(refusal);
  }
}

// --- numbers ---

TEST_F(ConnectionLimitsTest, ConnectionsBeyondTheirNumberAreClosedAtOnce) {
  TinyServer::Settings settings;
  settings.ledger.connections_max = 2;
  TinyServer server(settings);
  HttpClient first(server.address);
  HttpClient second(server.address);
  EXPECT_EQ(first.get("/").status, 404);
  EXPECT_EQ(second.get("/").status, 404);
  HttpClient third(server.address);
  EXPECT_TRUE(third.closed());
  EXPECT_TRUE(server.has_refused(Refusal::too_many_connections, 1));
  HttpClient operator_of_the_node(server.http_address);
  EXPECT_EQ(operator_of_the_node.get("/").status, 200) << "another listener";
  first.close();
  EXPECT_TRUE(server.has_connections(2));
  HttpClient fourth(server.address);
  EXPECT_EQ(fourth.get("/").status, 404);
}

TEST_F(ConnectionLimitsTest, ConnectionsOfOneAddressAreClosedAtOnce) {
  TinyServer::Settings settings;
  settings.ledger.per_address_max = 1;
  TinyServer server(settings);
  HttpClient first(server.address);
  EXPECT_EQ(first.get("/").status, 404);
  HttpClient second(server.address);
  EXPECT_TRUE(second.closed());
  EXPECT_TRUE(server.has_refused(Refusal::too_many_from_address, 1));
  EXPECT_EQ(first.get("/").status, 404);
}

TEST_F(ConnectionLimitsTest, BehindAProxyItsHeaderNamesTheAddressThatCounts) {
  TinyServer::Settings settings;
  settings.ledger.per_address_max = 1;
  settings.entrance.proxy_protocol = true;
  settings.proxies = http::TrustedProxies::parse(std::vector<std::string>{"127.0.0.1"}).value();
  TinyServer server(settings);
  const auto from = [](const std::string& address) {
    return "PROXY TCP4 " + address + " 10.0.0.1 1234 443\r\n" + HttpClient::request("GET", "/");
  };
  HttpClient one(server.address);
  one.send(from("192.0.2.1"));
  EXPECT_EQ(one.answer().status, 404);
  HttpClient other(server.address);
  other.send(from("192.0.2.2"));
  EXPECT_EQ(other.answer().status, 404);
  HttpClient again(server.address);
  again.send(from("192.0.2.1"));
  EXPECT_TRUE(again.closed());
  EXPECT_TRUE(server.has_refused(Refusal::too_many_from_address, 1));
}

TEST_F(ConnectionLimitsTest, SessionsOfOneAddressBehindATrustedProxyAreAnsweredWith429) {
  TinyServer::Settings settings;
  settings.ledger.per_address_max = 2;
  settings.proxies = http::TrustedProxies::parse(std::vector<std::string>{"127.0.0.1"}).value();
  TinyServer server(settings);
  HttpClient proxy(server.address);
  const auto handshake = [&](const std::string& address) {
    proxy.send(HttpClient::request("GET", polling_target, {}, "X-Forwarded-For: " + address + "\r\n"));
    return proxy.answer();
  };
  EXPECT_EQ(handshake("192.0.2.1").status, 200);
  EXPECT_EQ(handshake("192.0.2.1").status, 200);
  const Answer refused = handshake("192.0.2.1");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.body, R"({"code":4,"message":"Too many connections"})");
  EXPECT_EQ(handshake("192.0.2.2").status, 200);
  EXPECT_EQ(std::as_const(server.shard()).engine().stats().too_many_sessions.value(), 1U);
  server.run([&] { server.echo().sessions.front()->close(engineio::CloseReason::parse_error); });
  EXPECT_EQ(handshake("192.0.2.1").status, 429) << "it still waits to be told";
  server.run([&] {
    for (engineio::Session* session : std::vector(server.echo().sessions))
      session->close(engineio::CloseReason::parse_error);
  });
}

TEST_F(ConnectionLimitsTest, HandshakesThatComeTooFastAreAnsweredWith429) {
  TinyServer::Settings settings;
  settings.ledger.handshakes = {1, 2};
  TinyServer server(settings);
  HttpClient client(server.address);
  const std::string handshake = HttpClient::request("GET", polling_target);
  client.send(handshake + handshake + handshake + WebSocketClient::handshake(websocket_target));
  for (const int status : {200, 200, 429, 429}) EXPECT_EQ(client.answer().status, status);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(std::as_const(server.shard()).engine().stats().too_many_handshakes.value(), 2U);
}

TEST_F(ConnectionLimitsTest, AConnectionWithTooManyRequestsIsAnsweredAndClosed) {
  TinyServer::Settings settings;
  settings.limits.requests = {1, 20};
  TinyServer server(settings);
  HttpClient client(server.http_address);
  std::string requests;
  for (int i = 0; i < 30; ++i) requests += HttpClient::request("GET", "/");
  client.send(requests);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.answer().status, 200);
  EXPECT_EQ(client.answer().status, 429);
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(server.has_refused(Refusal::too_many_requests, 1));
  EXPECT_EQ(HttpClient(server.http_address).get("/").status, 200) << "another connection";
}

TEST_F(ConnectionLimitsTest, ATrustedProxyMayHaveManyRequestsOnOneConnection) {
  TinyServer::Settings settings;
  settings.limits.requests = {1, 20};
  settings.proxies = http::TrustedProxies::parse(std::vector<std::string>{"127.0.0.1"}).value();
  TinyServer server(settings);
  HttpClient client(server.http_address);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.get("/").status, 200);
}

// --- bytes that wait ---

TEST_F(ConnectionLimitsTest, BeyondTheTotalThoseForWhomMostWaitsAreCut) {
  TinyServer::Settings settings;
  settings.engine.send_queue_bytes_max = 64 * 1024 * 1024;
  settings.send_queue_bytes_total_max = 8 * 1024 * 1024;
  TinyServer server(settings);
  WebSocketClient reading(server.address, websocket_target);
  WebSocketClient slow(server.address, websocket_target, {}, 4096);
  WebSocketClient slower(server.address, websocket_target, {}, 4096);
  const auto opened = [&] { return server.echo().events.next().value_or(""); };
  for (int i = 0; i < 3; ++i) EXPECT_THAT(opened(), StartsWith("open"));
  reading.text(), slow.text(), slower.text();
  const auto send = [&](std::size_t to, std::size_t bytes) {
    server.run([&, to, bytes] {
      server.echo().sessions[to]->send(engineio::make_text_frames("4" + std::string(bytes, 'x')));
    });
  };
  const std::size_t mib = 1024 * 1024;
  send(1, mib);
  for (int i = 0; i < 5; ++i) send(2, mib);
  EXPECT_EQ(server.echo().events.size(), 0U) << "less than the total";
  std::string slower_id;
  server.run([&] { slower_id = server.echo().sessions[2]->id(); });
  for (int i = 0; i < 3; ++i) {
    send(0, mib);
    EXPECT_EQ(reading.text().size(), mib + 1);
  }
  for (int i = 0; i < 4 && server.echo().events.size() == 0; ++i) send(1, mib);
  EXPECT_EQ(server.echo().events.next(), "close " + slower_id + " overloaded");
  EXPECT_TRUE(slower.socket().closed());
  EXPECT_TRUE(server.has_connections(2));
  EXPECT_EQ(server.echo().events.size(), 0U) << "one was enough";
  send(0, 10);
  EXPECT_EQ(reading.text().size(), 11U);
}

TEST_F(ConnectionLimitsTest, QueuesForPollsCountForTheTotalToo) {
  TinyServer::Settings settings;
  settings.send_queue_bytes_total_max = 1024 * 1024;
  TinyServer server(settings);
  HttpClient client(server.address);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.get(polling_target).status, 200);
  const auto frames = engineio::make_text_frames("4" + std::string(300'000, 'x'));
  server.run([&] { server.echo().broadcast(frames); });
  server.run([&] { server.echo().sessions.back()->send(frames); });
  for (int i = 0; i < 3; ++i) EXPECT_THAT(server.echo().events.next().value_or(""), StartsWith("open"));
  EXPECT_THAT(server.echo().events.next().value_or(""), HasSubstr(" overloaded"));
  const std::size_t each = frames->bytes() + engineio::queued_overhead_bytes;
  const Gauge& waiting = std::as_const(server.shard()).engine().stats().outbox_bytes;
  EXPECT_TRUE(eventually([&] { return waiting.value() == static_cast<std::int64_t>(2 * each); }));
}

TEST_F(ConnectionLimitsTest, WhoSendsOnWhileTooMuchHasNoEndIsCutAndSmallMessagesGoThrough) {
  TinyServer::Settings settings;
  settings.receive_buffer_bytes_total_max = 1'000'000;
  TinyServer server(settings);
  WebSocketClient honest(server.address, websocket_target);
  WebSocketClient large(server.address, websocket_target);
  WebSocketClient larger(server.address, websocket_target);
  honest.text(), large.text(), larger.text();
  const std::string frame = WebSocketClient::frame("4" + std::string(900'000, 'x'));
  const Gauge& held = std::as_const(server.shard()).stats().receive_buffer_bytes;
  large.socket().send(std::string_view(frame).substr(0, 800'000));
  ASSERT_TRUE(eventually([&] { return held.value() == 800'000; }));
  larger.socket().send(std::string_view(frame).substr(0, 800'000));
  EXPECT_TRUE(larger.socket().closed());
  const Counter& overloaded = std::as_const(server.shard())
                                  .engine()
                                  .stats()
                                  .sessions_closed[static_cast<std::size_t>(engineio::CloseReason::overloaded)];
  EXPECT_TRUE(eventually([&] { return overloaded.value() == 1; }));
  EXPECT_TRUE(eventually([&] { return held.value() == 800'000; }));
  HttpClient post(server.http_address);
  post.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 900000\r\n\r\n" + std::string(800'000, 'x'));
  EXPECT_TRUE(post.closed());
  EXPECT_TRUE(server.has_refused(Refusal::overloaded, 1));
  honest.send("4hello");
  EXPECT_EQ(honest.text(), "4hello");
  large.socket().send(std::string_view(frame).substr(800'000));
  EXPECT_EQ(large.text().size(), 900'001U);
  EXPECT_TRUE(eventually([&] { return held.value() == 0; }));
}

// The system would keep what the client does not take, and offer it for many minutes.
TEST_F(ConnectionLimitsTest, ASlowClientIsResetSoThatNothingOfItIsKept) {
  TinyServer::Settings settings;
  settings.engine.send_queue_bytes_max = 64 * 1024;
  TinyServer server(settings);
  WebSocketClient slow(server.address, websocket_target, {}, 4096);
  const auto frames = engineio::make_text_frames("4" + std::string(100'000, 'x'));
  for (int i = 0; i < 100 && server.echo().events.size() < 2; ++i) server.run([&] { server.echo().broadcast(frames); });
  EXPECT_TRUE(server.has_connections(0));
  std::vector<char> buffer(1 << 20);
  ssize_t count = 1;
  while (count > 0) count = ::recv(slow.socket().fd(), buffer.data(), buffer.size(), 0);
  EXPECT_EQ(count, -1);
  EXPECT_EQ(errno, ECONNRESET);
}

}  // namespace
}  // namespace carillon::runtime
