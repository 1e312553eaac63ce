// A WebSocket connection for commands that have nothing else to do: every call waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "io/socket.hpp"
#include "websocket/decoder.hpp"

namespace carillon::app {

struct ServerUrl {
  std::string host;  // without brackets
  std::uint16_t port = 80;

  std::string authority() const;  // "127.0.0.1:3000": for messages and the Host header
};
// "http://127.0.0.1:3000", "ws://[::1]:3000/". The error is a sentence.
Result<ServerUrl, std::string> parse_server_url(std::string_view text);

// Errors are sentences. One thread.
class WebSocketClient {
 public:
  struct Message {
    bool binary = false;
    std::string_view payload;  // valid until the next call
  };

  static Result<std::unique_ptr<WebSocketClient>, std::string> connect(const ServerUrl& url, std::string_view target,
                                                                       Milliseconds timeout);

  Result<void, std::string> send(std::string_view text);
  // The next message; an error when there is none in time, or no connection any more.
  Result<Message, std::string> receive(Milliseconds timeout);

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  explicit WebSocketClient(io::Socket socket);
  Result<void, std::string> open(const ServerUrl& url, std::string_view target, Deadline deadline);
  Result<void, std::string> write(std::string_view bytes, Deadline deadline);
  Result<void, std::string> read(Deadline deadline);  // into input_
  Result<void, std::string> send_frame(websocket::Opcode opcode, std::string_view payload);

  io::Socket socket_;
  std::unique_ptr<Random> random_;
  websocket::Decoder decoder_;
  std::vector<char> input_;
};

}  // namespace carillon::app
