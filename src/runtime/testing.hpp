// Clients for tests of runtime/: HTTP and WebSocket over a blocking socket, as simple as they can be.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "io/testing.hpp"
#include "websocket/decoder.hpp"
#include "websocket/frame.hpp"
#include "websocket/handshake.hpp"

namespace carillon::runtime::testing {

using io::testing::BlockingClient;
using io::testing::eventually;
using io::testing::Gate;
using io::testing::Log;
using io::testing::patience;

// Status 0: the connection ended, or the time was up, before the answer was complete.
struct Answer {
  int status = 0;
  std::string head;
  std::string body;
};

class HttpClient : public BlockingClient {
 public:
  using BlockingClient::BlockingClient;

  Answer answer() {
    Answer result;
    result.head = receive_until("\r\n\r\n");
    if (!result.head.ends_with("\r\n\r\n") || !result.head.starts_with("HTTP/1.1 ")) return result;
    const std::size_t length = result.head.find("Content-Length: ");
    const std::size_t lower = result.head.find("content-length: ");
    const std::size_t at = std::min(length, lower);
    const std::size_t size = at == std::string::npos ? 0 : std::strtoul(result.head.c_str() + at + 16, nullptr, 10);
    result.body = receive_exactly(size);
    if (result.body.size() == size) result.status = std::atoi(result.head.c_str() + 9);
    return result;
  }

  Answer get(std::string_view target) {
    send(request("GET", target));
    return answer();
  }
  Answer post(std::string_view target, std::string_view body) {
    send(request("POST", target, body));
    return answer();
  }

  static std::string request(std::string_view method, std::string_view target, std::string_view body = {},
                             std::string_view headers = {}) {
    std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n";
    text += headers;
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text + "\r\n" + std::string(body);
  }
};

class WebSocketClient {
 public:
  struct Message {
    websocket::Event::Kind kind;
    std::string payload;
    std::uint16_t code;
  };

  // Sends the handshake, and `more` in the same breath; throws when it is refused.
  WebSocketClient(const std::string& server, std::string_view target, std::string_view more = {},
                  int receive_buffer = 0)
      : client_(server, receive_buffer) {
    client_.send(handshake(target) + std::string(more));
    const std::string head = client_.receive_until("\r\n\r\n");
    if (!websocket::is_accepted(head, key)) throw std::runtime_error("no WebSocket: " + head);
  }

  static std::string handshake(std::string_view target) { return websocket::client_request("test", target, key); }
  static std::string frame(std::string_view payload, websocket::Opcode opcode = websocket::Opcode::text) {
    std::string bytes;
    websocket::append_masked_frame(bytes, opcode, payload, {1, 2, 3, 4});
    return bytes;
  }

  bool send(std::string_view payload, websocket::Opcode opcode = websocket::Opcode::text) {
    return client_.send(frame(payload, opcode));
  }
  // None when the connection has ended.
  std::optional<Message> next() {
    while (messages_.empty()) {
      std::string bytes = client_.receive();
      if (bytes.empty()) return std::nullopt;
      decoder_.feed(bytes);
      while (const auto event = decoder_.next())
        messages_.push_back({event->kind, std::string(event->payload), event->code});
    }
    Message message = std::move(messages_.front());
    messages_.pop_front();
    return message;
  }
  // The next data message; "" when there is none.
  std::string text() {
    while (auto message = next())
      if (message->kind == websocket::Event::Kind::text || message->kind == websocket::Event::Kind::binary)
        return std::move(message->payload);
    return "";
  }
  BlockingClient& socket() { return client_; }

 private:
  static constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
  BlockingClient client_;
  websocket::Decoder decoder_{websocket::Role::client, std::size_t{64} * 1024 * 1024};
  std::deque<Message> messages_;
};

}  // namespace carillon::runtime::testing
