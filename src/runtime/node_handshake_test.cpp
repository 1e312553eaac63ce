// The options of a server that are calls of the application, over real connections.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <carillon/server.hpp>

#include "runtime/node.hpp"
#include "runtime/testing_socketio.hpp"

namespace carillon {
namespace {

using namespace runtime::testing;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view polling_target = "/socket.io/?EIO=4&transport=polling";
constexpr std::string_view websocket_target = "/socket.io/?EIO=4&transport=websocket";

ServerOptions options() {
  ServerOptions settings;
  settings.listen = "127.0.0.1:0";
  settings.shards = 2;
  settings.drain_timeout_ms = 300;
  return settings;
}

// Keeps what it is asked until the test answers.
class Desk {
 public:
  AllowRequest allow_request() {
    return [this](const HandshakeRequest& request, const Admission& admission) {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(admission);
      asked.add(request.query("who").value_or("nobody"));
    };
  }
  Admission take() {
    const std::lock_guard lock(mutex_);
    Admission first = waiting_.front();
    waiting_.erase(waiting_.begin());
    return first;
  }
  Log<std::string> asked;

 private:
  std::mutex mutex_;
  std::vector<Admission> waiting_;
};

TEST(NodeHandshakeTest, TheAnswerMayComeFromAnyThreadLater) {
  Desk desk;
  ServerOptions settings = options();
  settings.allow_request = desk.allow_request();
  Server server(std::move(settings));
  server.start();
  HttpClient polling(server.address());
  polling.send(HttpClient::request("GET", std::string(polling_target) + "&who=alice"));
  EXPECT_EQ(desk.asked.next(), "alice");
  std::thread([admission = desk.take()] { admission.allow(); }).join();
  EXPECT_THAT(polling.answer().body, StartsWith("0{"));
}

TEST(NodeHandshakeTest, FramesThatCameWhileTheApplicationThoughtAreReadInOrder) {
  Desk desk;
  ServerOptions settings = options();
  settings.allow_request = desk.allow_request();
  Server server(std::move(settings));
  server.on_connection(
      [](Socket& socket) { socket.on("count", [&socket](const Args& args) { socket.emit("counted", args); }); });
  server.start();
  BlockingClient client(server.address());
  client.send(WebSocketClient::handshake(websocket_target) + WebSocketClient::frame("40"));
  EXPECT_TRUE(desk.asked.next());
  client.send(WebSocketClient::frame("42[\"count\",1]"));
  const Admission admission = desk.take();
  admission.allow();
  client.send(WebSocketClient::frame("42[\"count\",2]"));
  EXPECT_THAT(client.receive_until("[\"counted\",2]"), HasSubstr("[\"counted\",1]"));
}

TEST(NodeHandshakeTest, OnlyTheFirstAnswerCounts) {
  Desk desk;
  ServerOptions settings = options();
  settings.allow_request = desk.allow_request();
  Server server(std::move(settings));
  server.start();
  HttpClient client(server.address());
  client.send(HttpClient::request("GET", polling_target));
  EXPECT_TRUE(desk.asked.next());
  const Admission admission = desk.take();
  admission.refuse("no");
  admission.allow();
  const Answer answer = client.answer();
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.body, R"({"code":4,"message":"no"})");
}

TEST(NodeHandshakeTest, AnApplicationThatNeverAnswersCostsOnlyItsClient) {
  Desk desk;
  ServerOptions settings = options();
  settings.allow_request = desk.allow_request();
  settings.allow_request_timeout_ms = 100;
  Server server(std::move(settings));
  server.start();
  HttpClient client(server.address());
  EXPECT_EQ(client.get(polling_target).status, 403);
}

TEST(NodeHandshakeTest, AnExceptionRefuses) {
  ServerOptions settings = options();
  settings.allow_request = [](const HandshakeRequest&, const Admission&) { throw std::runtime_error("oops"); };
  Server server(std::move(settings));
  server.start();
  EXPECT_EQ(HttpClient(server.address()).get(polling_target).status, 403);
}

TEST(NodeHandshakeTest, AnAnswerMayComeWhenTheServerHasGone) {
  Desk desk;
  ServerOptions settings = options();
  settings.allow_request = desk.allow_request();
  auto server = std::make_unique<Server>(std::move(settings));
  server->start();
  HttpClient client(server->address());
  client.send(HttpClient::request("GET", polling_target));
  EXPECT_TRUE(desk.asked.next());
  server.reset();
  desk.take().allow();
  EXPECT_EQ(client.answer().status, 503);
}

TEST(NodeHandshakeTest, HeadersAreAdded) {
  ServerOptions settings = options();
  settings.initial_headers = [](Headers& headers, const HandshakeRequest& request) {
    headers.emplace_back("x-first", request.query("who").value_or("nobody"));
  };
  settings.headers = [](Headers& headers, const HandshakeRequest& request) {
    headers.emplace_back("x-each", request.header("x-mine").value_or("nothing"));
  };
  settings.cookie = CookieOptions{.name = "sticky"};
  Server server(std::move(settings));
  server.start();
  HttpClient client(server.address());
  client.send(HttpClient::request("GET", std::string(polling_target) + "&who=bob", {}, "X-Mine: yes\r\n"));
  const Answer handshake = client.answer();
  EXPECT_THAT(handshake.head, HasSubstr("x-first: bob\r\n"));
  EXPECT_THAT(handshake.head, HasSubstr("x-each: yes\r\n"));
  EXPECT_THAT(handshake.head, HasSubstr("Set-Cookie: sticky=" + sid_in(handshake.body) + "; Path=/; HttpOnly"));
  BlockingClient websocket(server.address());
  websocket.send(WebSocketClient::handshake(websocket_target));
  EXPECT_THAT(websocket.receive_until("\r\n\r\n"), HasSubstr("x-first: nobody\r\nx-each: nothing\r\n"));
}

TEST(NodeHandshakeTest, AHeaderHookThatThrowsCostsNothingButItsHeaders) {
  ServerOptions settings = options();
  settings.headers = [](Headers&, const HandshakeRequest&) { throw std::runtime_error("oops"); };
  Server server(std::move(settings));
  server.start();
  EXPECT_EQ(HttpClient(server.address()).get(polling_target).status, 200);
}

TEST(NodeHandshakeTest, OptionsThatMakeNoSenseAreRefused) {
  const auto refused = [](auto change) {
    ServerOptions settings = options();
    change(settings);
    EXPECT_THROW(Server server(std::move(settings)), std::invalid_argument);
  };
  refused([](ServerOptions& settings) { settings.cookie = CookieOptions{.name = "a;b"}; });
  refused([](ServerOptions& settings) { settings.per_message_deflate.level = 0; });
  refused([](ServerOptions& settings) { settings.per_message_deflate.server_max_window_bits = 8; });
  refused([](ServerOptions& settings) { settings.per_message_deflate.client_max_window_bits = 16; });
  refused([](ServerOptions& settings) { settings.http_compression.level = 10; });
}

TEST(NodeHandshakeTest, TheClientsScriptsAreServedOrExplained) {
  Server without(options());
  without.start();
  HttpClient client(without.address());
  EXPECT_THAT(client.get("/socket.io/socket.io.js").body, HasSubstr("set client_files_dir"));
  ServerOptions settings = options();
  settings.serve_client = false;
  Server never(std::move(settings));
  never.start();
  EXPECT_THAT(HttpClient(never.address()).get("/socket.io/socket.io.js").body, HasSubstr("Transport unknown"));
}

}  // namespace
}  // namespace carillon
