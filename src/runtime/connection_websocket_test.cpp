// A connection with Engine.IO on it: WebSocket frames, slow and broken clients, pipelined polls.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "runtime/connection.hpp"
#include "runtime/testing_shard.hpp"
#include "runtime/testing_socketio.hpp"

namespace carillon::runtime {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using websocket::Opcode;
using Kind = websocket::Event::Kind;

constexpr std::string_view websocket_target = "/engine.io/?EIO=4&transport=websocket";
constexpr std::string_view polling_target = "/engine.io/?EIO=4&transport=polling";

// A client over WebSocket whose open packet has been read.
WebSocketClient connect(TinyServer& server, int receive_buffer = 0) {
  WebSocketClient client(server.address, websocket_target, {}, receive_buffer);
  EXPECT_THAT(client.text(), StartsWith("0{"));
  EXPECT_THAT(server.echo().events.next().value_or(""), StartsWith("open "));
  return client;
}

std::string closed_event(TinyServer& server) {
  const std::string event = server.echo().events.next().value_or("nothing");
  return event.starts_with("close ") ? event.substr(event.rfind(' ') + 1) : event;
}

TEST(ConnectionWebSocketTest, EchoesText) {
  TinyServer server;
  WebSocketClient client = connect(server);
  client.send("4hello");
  EXPECT_EQ(client.text(), "4hello");
}

TEST(ConnectionWebSocketTest, FramesSentAlongWithTheHandshakeAreRead) {
  TinyServer server;
  WebSocketClient client(server.address, websocket_target,
                         WebSocketClient::frame("4one") + WebSocketClient::frame("4two"));
  EXPECT_THAT(client.text(), StartsWith("0{"));
  EXPECT_EQ(client.text(), "4one");
  EXPECT_EQ(client.text(), "4two");
}

TEST(ConnectionWebSocketTest, HandshakeAndFrameMayComeByteByByte) {
  TinyServer server;
  BlockingClient client(server.address);
  for (const char byte : WebSocketClient::handshake(websocket_target) + WebSocketClient::frame("4hi"))
    client.send(std::string_view(&byte, 1));
  EXPECT_THAT(client.receive_until("4hi"), StartsWith("HTTP/1.1 101 "));
}

TEST(ConnectionWebSocketTest, HandshakeMayFollowRequestsOnTheSameConnection) {
  TinyServer server;
  HttpClient client(server.address);
  EXPECT_EQ(client.get("/nothing").status, 404);
  client.send(HttpClient::request("GET", "/nothing") + WebSocketClient::handshake(websocket_target) +
              WebSocketClient::frame("4hi"));
  EXPECT_EQ(client.answer().status, 404);
  EXPECT_THAT(client.receive_until("4hi"), StartsWith("HTTP/1.1 101 "));
}

TEST(ConnectionWebSocketTest, ImproperHandshakeIsRefused) {
  TinyServer server;
  HttpClient client(server.address);
  client.send("GET " + std::string(websocket_target) +
              " HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  const Answer answer = client.answer();
  EXPECT_EQ(answer.status, 426);
  EXPECT_THAT(answer.head, HasSubstr("Sec-WebSocket-Version: 13"));
  EXPECT_TRUE(client.closed());
}

TEST(ConnectionWebSocketTest, PingIsAnsweredAndCloseIsEchoed) {
  TinyServer server;
  WebSocketClient client = connect(server);
  client.send("beat", Opcode::ping);
  const auto pong = client.next();
  ASSERT_TRUE(pong);
  EXPECT_EQ(pong->kind, Kind::pong);
  EXPECT_EQ(pong->payload, "beat");
  client.send("\x03\xe8", Opcode::close);
  const auto close = client.next();
  ASSERT_TRUE(close);
  EXPECT_EQ(close->kind, Kind::close);
  EXPECT_EQ(close->code, 1000);
  EXPECT_TRUE(client.socket().closed());
  EXPECT_EQ(closed_event(server), "transport_close");
}

TEST(ConnectionWebSocketTest, ViolationIsClosedWithItsCode) {
  TinyServer server;
  WebSocketClient client = connect(server);
  std::string unmasked;
  websocket::append_frame(unmasked, Opcode::text, "4hello");
  client.socket().send(unmasked);
  const auto close = client.next();
  ASSERT_TRUE(close);
  EXPECT_EQ(close->code, websocket::close_code::protocol_error);
  EXPECT_TRUE(client.socket().closed());
  EXPECT_EQ(closed_event(server), "transport_error");
}

TEST(ConnectionWebSocketTest, PingsAndFragmentsCountAgainstTheRate) {
  TinyServer::Settings settings;
  settings.engine.packets = {1, 10};
  TinyServer server(settings);
  for (const Opcode opcode : {Opcode::ping, Opcode::pong, Opcode::continuation}) {
    WebSocketClient client = connect(server);
    std::string frames;
    for (int i = 0; i < 11; ++i) websocket::append_masked_frame(frames, opcode, "x", {1, 2, 3, 4});
    if (opcode == Opcode::continuation) {
      for (std::size_t at = 0; at < frames.size(); at += 7) frames[at] = at == 0 ? '\x01' : '\0';  // not the last one
    }
    client.socket().send(frames);
    auto event = client.next();
    while (event && event->kind == Kind::pong) event = client.next();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->kind, Kind::close);
    EXPECT_EQ(event->code, websocket::close_code::policy);
    EXPECT_EQ(event->payload, "rate_limited");
    EXPECT_EQ(closed_event(server), "rate_limited");
  }
}

TEST(ConnectionWebSocketTest, ServerClosesWithAFrameAndWaitsForTheClients) {
  TinyServer server;
  WebSocketClient client = connect(server);
  client.send("4close");
  const auto close = client.next();
  ASSERT_TRUE(close);
  EXPECT_EQ(close->kind, Kind::close);
  EXPECT_EQ(closed_event(server), "forced_close");
  server.run([] {});
  EXPECT_FALSE(client.socket().has_input());
  client.send("", Opcode::close);
  EXPECT_TRUE(client.socket().closed());
}

TEST(ConnectionWebSocketTest, ClientThatNeverAnswersTheCloseFrameIsGivenUp) {
  ServiceLimits limits;
  limits.close_timeout = Milliseconds(50);
  TinyServer server({.limits = limits});
  WebSocketClient client = connect(server);
  client.send("4close");
  EXPECT_TRUE(client.socket().closed());
}

TEST(ConnectionWebSocketTest, EndOfStreamAndResetEndTheSession) {
  TinyServer server;
  WebSocketClient leaving = connect(server);
  leaving.socket().end_writing();
  EXPECT_EQ(closed_event(server), "transport_close");
  EXPECT_TRUE(leaving.socket().closed());
  WebSocketClient crashing = connect(server);
  crashing.socket().reset();
  EXPECT_EQ(closed_event(server), "transport_error");
  EXPECT_TRUE(server.has_connections(0));
}

TEST(ConnectionWebSocketTest, SlowConsumerIsCutWhileOthersGetEverything) {
  TinyServer::Settings settings;
  settings.engine.send_queue_bytes_max = 512 * 1024;
  TinyServer server(settings);
  WebSocketClient slow = connect(server, 4096);
  WebSocketClient healthy = connect(server);
  int sent = 0;
  int after = 0;
  while (after < 5 && sent < 10'000) {  // a few more when the slow one has gone
    const std::string payload = std::to_string(sent++) + ":" + std::string(32 * 1024, 'x');
    server.run([&] { server.echo().broadcast(engineio::make_text_frames("4" + payload)); });
    ASSERT_EQ(healthy.text(), "4" + payload);
    if (after > 0 || server.echo().events.size() > 0) ++after;
  }
  EXPECT_EQ(closed_event(server), "slow_consumer");
  EXPECT_TRUE(slow.socket().closed());
  EXPECT_TRUE(server.has_connections(1));
}

// What is queued within one turn has not been refused by anybody yet.
TEST(ConnectionWebSocketTest, BurstBeyondTheLimitReachesAClientThatTakesIt) {
  TinyServer::Settings settings;
  settings.engine.send_queue_bytes_max = 64 * 1024;
  TinyServer server(settings);
  WebSocketClient client = connect(server);
  const auto frames = engineio::make_text_frames("4" + std::string(1'000, 'x'));
  server.run([&] {
    for (int i = 0; i < 200; ++i) server.echo().broadcast(frames);
  });
  for (int i = 0; i < 200; ++i) ASSERT_EQ(client.text().size(), 1'001U);
  EXPECT_EQ(server.echo().events.size(), 0U);
}

// A write that fails at once, in the middle of a broadcast: the handlers hear of it when the broadcast is over.
TEST(ConnectionWebSocketTest, BrokenConnectionDoesNotCallBackIntoABroadcast) {
  TinyServer server;
  WebSocketClient broken = connect(server);
  WebSocketClient healthy = connect(server);
  {
    const Pause pause(server.shard());
    broken.socket().reset();
    server.shard().post([&] {
      server.echo().calls_forbidden = true;
      for (int i = 0; i < 20; ++i) server.echo().broadcast(engineio::make_text_frames("4" + std::string(100'000, 'x')));
      server.echo().calls_forbidden = false;
    });
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(healthy.text().size(), 100'001U);
  EXPECT_THAT(closed_event(server), ::testing::AnyOf("transport_error", "slow_consumer"));
  EXPECT_TRUE(server.has_connections(1));
}

// It has sent its close frame, or a violation, and does not read: neither our answer nor its end would ever come.
TEST(ConnectionWebSocketTest, ClientThatSaysGoodbyeAndNeverReadsIsGivenUp) {
  TinyServer::Settings settings;
  settings.engine.send_queue_bytes_max = 64 * 1024 * 1024;
  settings.limits.close_timeout = Milliseconds(50);
  TinyServer server(settings);
  for (const Opcode last : {Opcode::close, Opcode{5}}) {
    WebSocketClient client = connect(server, 4096);
    server.run([&] { server.echo().broadcast(engineio::make_text_frames("4" + std::string(Desk::big_bytes, 'x'))); });
    client.send("", last);
    EXPECT_EQ(closed_event(server), last == Opcode::close ? "transport_close" : "transport_error");
    EXPECT_TRUE(server.has_connections(0));
  }
}

TEST(ConnectionWebSocketTest, SlowClientThatReadsOnGetsAllInOrder) {
  TinyServer::Settings settings;
  settings.engine.send_queue_bytes_max = 64 * 1024 * 1024;
  TinyServer server(settings);
  WebSocketClient client = connect(server, 4096);
  constexpr int count = 20'000;
  server.run([&] {
    for (int i = 0; i < count; ++i)
      server.echo().broadcast(engineio::make_text_frames("4" + std::to_string(i) + std::string(500, ' ')));
  });
  for (int i = 0; i < count; ++i) ASSERT_EQ(std::atoi(client.text().c_str() + 1), i);
}

std::string open_polling(TinyServer& server, HttpClient& client) {
  const std::string sid = sid_in(client.get(polling_target).body);
  EXPECT_EQ(server.echo().events.next(), "open " + sid);
  return std::string(polling_target) + "&sid=" + sid;
}

TEST(ConnectionWebSocketTest, PollAndPostShareAConnection) {
  TinyServer server;
  HttpClient client(server.address);
  const std::string target = open_polling(server, client);
  EXPECT_EQ(client.post(target, "4hello").body, "ok");
  EXPECT_EQ(client.get(target).body, "4hello");
}

// The next poll is read when the first has been answered, not from within the end of its session.
TEST(ConnectionWebSocketTest, PollPipelinedBehindTheLastOneOfASessionIsAnswered) {
  TinyServer server;
  HttpClient client(server.address);
  const std::string target = open_polling(server, client);
  client.send(HttpClient::request("GET", target) + HttpClient::request("GET", target));
  ASSERT_TRUE(eventually([&] { return std::as_const(server.shard()).stats().http_requests.value() == 2; }));
  server.run([&] { server.echo().sessions.front()->close(engineio::CloseReason::forced_close); });
  EXPECT_EQ(client.answer().body, "1");
  const Answer second = client.answer();
  EXPECT_EQ(second.status, 400);
  EXPECT_THAT(second.body, HasSubstr("Session ID unknown"));
  EXPECT_EQ(closed_event(server), "forced_close");
}

TEST(ConnectionWebSocketTest, BodyOverTheLimitLeavesItsSessionAlone) {
  TinyServer::Settings settings;
  settings.engine.max_payload_bytes = 1'000;
  TinyServer server(settings);
  HttpClient client(server.address);
  const std::string target = open_polling(server, client);
  EXPECT_EQ(HttpClient(server.address).post(target, std::string(2'000, '4')).status, 413);
  EXPECT_EQ(client.post(target, "4hello").body, "ok");
  EXPECT_EQ(client.get(target).body, "4hello");
}

TEST(ConnectionWebSocketTest, AbortedPollEndsItsSession) {
  TinyServer server;
  HttpClient client(server.address);
  const std::string target = open_polling(server, client);
  client.send(HttpClient::request("GET", target));
  server.run([] {});
  client.close();
  EXPECT_EQ(closed_event(server), "transport_error");
}

}  // namespace
}  // namespace carillon::runtime
