#include "app/websocket_client.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/base64.hpp"
#include "io/address.hpp"
#include "websocket/handshake.hpp"

namespace carillon::app {
namespace {

using Deadline = std::chrono::steady_clock::time_point;

constexpr std::size_t message_bytes_max = 100'000'000;
constexpr std::size_t head_bytes_max = 16 * 1024;
constexpr std::size_t read_bytes = 64 * 1024;
constexpr std::chrono::seconds write_timeout{10};

Failure<std::string> failure(std::string sentence) { return Failure(std::move(sentence)); }

// Whether the socket becomes readable or writable (`events`) in time.
bool await(const io::Socket& socket, short events, Deadline deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<Milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd file{socket.fd(), events, 0};
    const int ready = ::poll(&file, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000)));
    if (ready > 0) return true;
    if (ready == 0 && left <= 3'600'000) return false;
  }
}

Result<io::Socket, std::string> dial(const ServerUrl& url, Deadline deadline) {
  std::string why = "no such host";
  for (const auto& address : io::resolve(url.host, url.port)) {
    auto socket = io::Socket::dial(address);
    int error = socket ? 0 : socket.error();
    if (socket) error = await(*socket, POLLOUT, deadline) ? socket->take_error() : ETIMEDOUT;
    if (error == 0) return std::move(*socket);
    why = std::strerror(error);
  }
  return failure(fmt::format("cannot connect to {}: {}", url.authority(), why));
}

}  // namespace

std::string ServerUrl::authority() const {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<ServerUrl, std::string> parse_server_url(std::string_view text) {
  const auto wrong = failure(fmt::format("expected a URL such as http://127.0.0.1:3000, got \"{}\"", text));
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return wrong;
  const std::string_view scheme = text.substr(0, scheme_end);
  if (scheme == "https" || scheme == "wss") {
    return failure(fmt::format("\"{}\" needs TLS, which this version cannot: use http:// or ws://", text));
  }
  std::string_view authority = text.substr(scheme_end + 3);
  if (authority.ends_with('/')) authority.remove_suffix(1);
  const bool odd = authority.empty() || authority.find_first_of("/?#@ ") != std::string_view::npos;
  if ((scheme != "http" && scheme != "ws") || odd) return wrong;
  const bool has_port = authority.find(':', authority.rfind(']') + 1) != std::string_view::npos;
  const auto address = io::parse_host_port(has_port ? std::string(authority) : std::string(authority) + ":80");
  if (!address || authority.starts_with(':')) return wrong;
  return ServerUrl{address->host, address->port};
}

WebSocketClient::WebSocketClient(io::Socket socket)
    : socket_(std::move(socket)), random_(make_system_random()), decoder_(websocket::Role::client, message_bytes_max) {}

Result<std::unique_ptr<WebSocketClient>, std::string> WebSocketClient::connect(const ServerUrl& url,
                                                                               std::string_view target,
                                                                               Milliseconds timeout) {
  const Deadline deadline = std::chrono::steady_clock::now() + timeout;
  auto socket = dial(url, deadline);
  if (!socket) return failure(std::move(socket.error()));
  std::unique_ptr<WebSocketClient> client(new WebSocketClient(std::move(*socket)));
  if (auto opened = client->open(url, target, deadline); !opened) {
    return failure(fmt::format("{}: {}", url.authority(), opened.error()));
  }
  return client;
}

Result<void, std::string> WebSocketClient::open(const ServerUrl& url, std::string_view target, Deadline deadline) {
  std::array<std::uint8_t, 16> nonce{};
  random_->fill(nonce);
  const std::string key = base64({reinterpret_cast<const char*>(nonce.data()), nonce.size()});
  if (auto sent = write(websocket::client_request(url.authority(), target, key), deadline); !sent) return sent;

  std::string head;
  std::size_t end = std::string::npos;
  while ((end = head.find("\r\n\r\n")) == std::string::npos) {
    if (head.size() > head_bytes_max) return failure("the answer is not that of a Socket.IO server");
    if (auto got = read(deadline); !got) return got;
    head.append(input_.begin(), input_.end());
  }
  if (!websocket::is_accepted(head.substr(0, end + 4), key)) {
    return failure(
        fmt::format("the server does not take WebSocket connections here: {}", head.substr(0, head.find('\r'))));
  }
  input_.assign(head.begin() + static_cast<std::ptrdiff_t>(end) + 4, head.end());
  decoder_.feed(input_);
  return {};
}

Result<void, std::string> WebSocketClient::write(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const auto written = socket_.write(bytes);
    if (written) {
      bytes.remove_prefix(*written);
    } else if (written.error() != EAGAIN) {
      return failure(fmt::format("connection lost: {}", std::strerror(written.error())));
    } else if (!await(socket_, POLLOUT, deadline)) {
      return failure("connection lost: the server does not read");
    }
  }
  return {};
}

Result<void, std::string> WebSocketClient::read(Deadline deadline) {
  if (!await(socket_, POLLIN, deadline)) return failure("connection lost: the server is silent");
  input_.resize(read_bytes);
  const auto got = socket_.read(input_);
  if (!got && got.error() != EAGAIN) return failure(fmt::format("connection lost: {}", std::strerror(got.error())));
  if (got && *got == 0) return failure("the server closed the connection");
  input_.resize(got.value_or(0));
  return {};
}

Result<void, std::string> WebSocketClient::send_frame(websocket::Opcode opcode, std::string_view payload) {
  std::array<std::uint8_t, 4> mask{};
  random_->fill(mask);
  std::string frame;
  websocket::append_masked_frame(frame, opcode, payload, mask);
  return write(frame, std::chrono::steady_clock::now() + write_timeout);
}

Result<void, std::string> WebSocketClient::send(std::string_view text) {
  return send_frame(websocket::Opcode::text, text);
}

Result<WebSocketClient::Message, std::string> WebSocketClient::receive(Milliseconds timeout) {
  const Deadline deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto event = decoder_.next();
    if (!event) {
      if (auto got = read(deadline); !got) return failure(std::move(got.error()));
      decoder_.feed(input_);
      continue;
    }
    switch (event->kind) {
      case websocket::Event::Kind::text:
        return Message{false, event->payload};
      case websocket::Event::Kind::binary:
        return Message{true, event->payload};
      case websocket::Event::Kind::ping:
        if (auto sent = send_frame(websocket::Opcode::pong, event->payload); !sent)
          return failure(std::move(sent.error()));
        break;
      case websocket::Event::Kind::pong:
        break;
      case websocket::Event::Kind::close:
        return failure(fmt::format("the server closed the connection ({})", event->code));
      case websocket::Event::Kind::error:
        return failure(fmt::format("the server broke the WebSocket protocol: {}", event->payload));
    }
  }
}

}  // namespace carillon::app
