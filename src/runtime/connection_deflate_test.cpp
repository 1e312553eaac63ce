// permessage-deflate on connections: what is agreed on, that a broadcast is compressed once, and what is kept.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/testing_shard.hpp"
#include "websocket/deflater.hpp"
#include "websocket/message_inflater.hpp"

namespace carillon::runtime {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view target = "/engine.io/?EIO=4&transport=websocket";
constexpr std::string_view offer = "permessage-deflate; client_max_window_bits";

TinyServer::Settings compressing(bool client_no_context_takeover = true, std::size_t window_bytes_max = 1 << 20) {
  TinyServer::Settings settings;
  settings.engine.per_message_deflate = {.enabled = true,
                                         .threshold_bytes = 500,
                                         .client_no_context_takeover = client_no_context_takeover,
                                         .window_bytes_max = window_bytes_max};
  settings.engine.max_payload_bytes = 10'000;
  return settings;
}

// A client that knows the extension; what it sends is compressed by the caller.
class Client {
 public:
  Client(TinyServer& server, std::string_view extensions) : socket_(server.address) {
    std::string headers;
    if (!extensions.empty()) headers = "Sec-WebSocket-Extensions: " + std::string(extensions) + "\r\n";
    socket_.send(websocket::client_request("test", target, "dGhlIHNhbXBsZSBub25jZQ==", headers));
    head = socket_.receive_until("\r\n\r\n");
    decoder_.read_compressed(std::make_unique<websocket::MessageInflater>(inflater_, 0));
    if (!head.starts_with("HTTP/1.1 101")) return;
    EXPECT_THAT(next(), StartsWith("text:0{"));
  }

  // "text:...", "close:1007", or "end".
  std::string next() {
    for (;;) {
      if (const auto event = decoder_.next()) {
        using Kind = websocket::Event::Kind;
        if (event->kind == Kind::close) return "close:" + std::to_string(event->code);
        return (event->kind == Kind::text ? "text:" : "other:") + std::string(event->payload);
      }
      bytes_ = socket_.receive();
      received += bytes_.size();
      if (bytes_.empty()) return "end";
      decoder_.feed(bytes_);
    }
  }

  void send(std::string_view payload, bool compressed) {
    std::string frame = WebSocketClient::frame(payload);
    if (compressed) frame[0] = static_cast<char>(0xc1);
    socket_.send(frame);
  }
  std::string compressed(std::string_view message) {
    std::string payload;
    deflater_.compress(message, payload);
    return payload;
  }

  std::string head;
  std::size_t received = 0;  // bytes after the handshake

 private:
  BlockingClient socket_;
  websocket::DeflateStats stats_;
  websocket::Deflater deflater_{6, 15, stats_};
  websocket::Inflater inflater_{stats_};
  websocket::Decoder decoder_{websocket::Role::client, 1 << 26};
  std::string bytes_;
};

const Stats& stats(TinyServer& server) { return std::as_const(server.shard()).stats(); }

TEST(ConnectionDeflateTest, IsOffUnlessConfigured) {
  TinyServer server;
  EXPECT_THAT(Client(server, offer).head, Not(HasSubstr("Sec-WebSocket-Extensions")));
  EXPECT_THAT(Client(server, "not an extension; =").head, StartsWith("HTTP/1.1 101")) << "not even looked at";
}

TEST(ConnectionDeflateTest, IsAgreedOnWhereOffered) {
  TinyServer server(compressing());
  EXPECT_THAT(Client(server, "").head, Not(HasSubstr("Sec-WebSocket-Extensions")));
  EXPECT_THAT(Client(server, "permessage-deflate; unknown").head, Not(HasSubstr("Sec-WebSocket-Extensions")));
  EXPECT_THAT(Client(server, offer).head,
              HasSubstr("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                        "client_no_context_takeover\r\n"));
}

TEST(ConnectionDeflateTest, AMalformedOfferFailsTheConnection) {
  TinyServer server(compressing());
  EXPECT_THAT(Client(server, "permessage-deflate; =").head, StartsWith("HTTP/1.1 400 "));
}

TEST(ConnectionDeflateTest, MessagesAreCompressedBothWays) {
  TinyServer server(compressing());
  Client client(server, offer);
  const std::string message = "4" + std::string(5000, 'x');
  client.received = 0;
  client.send(client.compressed(message), true);
  EXPECT_EQ(client.next(), "text:" + message);
  EXPECT_LT(client.received, 200U);
  client.send("4short", false);
  EXPECT_EQ(client.next(), "text:4short");
  EXPECT_EQ(stats(server).deflate.messages_compressed.value(), 1U);
  EXPECT_EQ(stats(server).deflate.inflated_bytes_out.value(), message.size());
}

TEST(ConnectionDeflateTest, ABroadcastIsCompressedOnceForThoseWhoCanReadIt) {
  TinyServer server(compressing());
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(std::make_unique<Client>(server, i == 0 ? "" : offer));
  for (std::size_t i = 0; i < clients.size(); ++i) server.echo().events.next();
  const std::string message = "4" + std::string(3000, 'b');
  const auto frames = engineio::make_text_frames(message);
  server.run([&] { server.echo().broadcast(frames); });
  server.run([&] { server.echo().broadcast(frames); });
  for (const auto& client : clients) {
    client->received = 0;
    EXPECT_EQ(client->next(), "text:" + message);
    EXPECT_EQ(client->next(), "text:" + message);
    const bool is_plain = client == clients.front();
    EXPECT_EQ(client->received > 6000U, is_plain) << client->received;
    EXPECT_EQ(client->received < 200U, !is_plain) << client->received;
  }
  EXPECT_EQ(stats(server).deflate.messages_compressed.value(), 1U);
}

TEST(ConnectionDeflateTest, BadDataAndBombsCloseTheirConnectionOnly) {
  TinyServer server(compressing());
  Client witness(server, offer);
  Client bad(server, offer);
  bad.send("\xff\xff\xff\xff", true);
  EXPECT_EQ(bad.next(), "close:1007");
  Client bomb(server, offer);
  bomb.send(bomb.compressed("4" + std::string(10'000, 'x')), true);
  EXPECT_EQ(bomb.next(), "close:1009");
  Client unasked(server, "");
  unasked.send(unasked.compressed("4hello"), true);
  EXPECT_EQ(unasked.next(), "close:1002");
  witness.send(witness.compressed("4" + std::string(9'999, 'x')), true);
  EXPECT_EQ(witness.next(), "text:4" + std::string(9'999, 'x'));
}

TEST(ConnectionDeflateTest, WindowsAreReservedUpToTheLimitAndGivenBack) {
  TinyServer server(compressing(false, 70'000));
  {
    Client one(server, "permessage-deflate");
    Client two(server, "permessage-deflate; client_max_window_bits=15");
    EXPECT_THAT(one.head, Not(HasSubstr("client_no_context_takeover")));
    EXPECT_THAT(two.head, Not(HasSubstr("client_no_context_takeover")));
    EXPECT_EQ(stats(server).deflate_window_bytes.value(), 65'536);
    Client three(server, "permessage-deflate");
    EXPECT_THAT(three.head, HasSubstr("client_no_context_takeover"));
    EXPECT_EQ(stats(server).deflate_connections.value(), 3);
    EXPECT_EQ(stats(server).deflate_window_bytes.value(), 65'536);
  }
  EXPECT_TRUE(server.has_connections(0));
  EXPECT_EQ(stats(server).deflate_connections.value(), 0);
  EXPECT_EQ(stats(server).deflate_window_bytes.value(), 0);
  EXPECT_THAT(Client(server, "permessage-deflate").head, Not(HasSubstr("client_no_context_takeover")));
}

}  // namespace
}  // namespace carillon::runtime
