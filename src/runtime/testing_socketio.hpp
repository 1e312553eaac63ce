// A Socket.IO client for tests of runtime/, over WebSocket, polling, or from one to the other.
#pragma once

#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/testing.hpp"

namespace carillon::runtime::testing {

// Engine.IO packets, one way or another. Pings are answered, noops left out.
class EngineClient {
 public:
  virtual ~EngineClient() = default;
  virtual void send(std::string_view packet) = 0;
  // "" when the session has ended.
  std::string next() {
    for (;;) {
      std::string packet = receive();
      if (packet == "2") {
        send("3");
      } else if (packet != "6") {
        return packet == "1" ? "" : packet;
      }
    }
  }

 protected:
  virtual std::string receive() = 0;
};

inline std::string sid_in(std::string_view text) {
  const std::size_t begin = text.find("\"sid\":\"");
  if (begin == std::string_view::npos) throw std::runtime_error("no session: " + std::string(text));
  return std::string(text.substr(begin + 7, text.find('"', begin + 7) - begin - 7));
}

class WebSocketEngine final : public EngineClient {
 public:
  explicit WebSocketEngine(const std::string& server) : socket_(server, "/socket.io/?EIO=4&transport=websocket") {
    sid_in(socket_.text());
  }
  explicit WebSocketEngine(WebSocketClient upgraded) : socket_(std::move(upgraded)) {}
  void send(std::string_view packet) override { socket_.send(packet); }
  WebSocketClient& socket() { return socket_; }

 protected:
  std::string receive() override { return socket_.text(); }

 private:
  WebSocketClient socket_;
};

// A new connection for each request, so that most of them come to a shard that does not own the session.
class PollingEngine final : public EngineClient {
 public:
  explicit PollingEngine(std::string server) : server_(std::move(server)) {
    sid_ = sid_in(HttpClient(server_).get("/socket.io/?EIO=4&transport=polling").body);
  }
  const std::string& sid() const { return sid_; }
  std::string target(std::string_view transport = "polling") const {
    return "/socket.io/?EIO=4&transport=" + std::string(transport) + "&sid=" + sid_;
  }

  void send(std::string_view packet) override {
    const Answer answer = HttpClient(server_).post(target(), packet);
    if (answer.body != "ok") throw std::runtime_error("refused: " + answer.head + answer.body);
  }
  std::string poll() { return HttpClient(server_).get(target()).body; }

  // As official clients do: probe, wait for the pending poll, switch. `behind` follows in the same breath as the probe.
  std::unique_ptr<WebSocketEngine> upgrade() {
    WebSocketClient socket(server_, target("websocket"), WebSocketClient::frame("2probe"));
    if (socket.text() != "3probe") throw std::runtime_error("no answer to the probe");
    take(poll());
    socket.send("5");
    auto upgraded = std::make_unique<WebSocketEngine>(std::move(socket));
    return upgraded;
  }
  // What came by polling before the upgrade.
  std::deque<std::string> take_packets() { return std::exchange(packets_, {}); }

 protected:
  std::string receive() override {
    if (packets_.empty()) take(poll());
    if (packets_.empty()) return "1";
    std::string packet = std::move(packets_.front());
    packets_.pop_front();
    return packet;
  }

 private:
  void take(std::string_view payload) {
    if (payload.starts_with('{')) return;  // an error: the session has ended
    while (!payload.empty()) {
      const std::size_t end = std::min(payload.find('\x1e'), payload.size());
      packets_.emplace_back(payload.substr(0, end));
      payload.remove_prefix(std::min(end + 1, payload.size()));
    }
  }

  std::string server_;
  std::string sid_;
  std::deque<std::string> packets_;
};

// One namespace.
class SocketIoClient {
 public:
  SocketIoClient(std::unique_ptr<EngineClient> engine, std::string_view auth = "") : engine_(std::move(engine)) {
    engine_->send("40" + std::string(auth));
    id_ = sid_in(engine_->next());
  }
  static SocketIoClient over_websocket(const std::string& server) {
    return SocketIoClient(std::make_unique<WebSocketEngine>(server));
  }
  static SocketIoClient over_polling(const std::string& server) {
    return SocketIoClient(std::make_unique<PollingEngine>(server));
  }

  const std::string& id() const { return id_; }
  // `event`: JSON, ["name",1]
  void emit(std::string_view event) { engine_->send("42" + std::string(event)); }
  // The next event as JSON, or the next acknowledgement as id and JSON; "" when the connection has ended.
  std::string next() {
    while (!early_.empty()) {
      std::string packet = std::move(early_.front());
      early_.pop_front();
      if (packet.starts_with("42") || packet.starts_with("43")) return packet.substr(2);
    }
    const std::string packet = engine_->next();
    return packet.starts_with("42") || packet.starts_with("43") ? packet.substr(2) : "";
  }
  // Emits and waits for the acknowledgement; only while nothing else can arrive.
  std::string ask(std::string_view event) {
    engine_->send("427" + std::string(event));
    const std::string answer = next();
    return answer.starts_with('7') ? answer.substr(1) : "unexpected: " + answer;
  }
  EngineClient& engine() { return *engine_; }

  // Only for a client that started with polling.
  void upgrade() {
    auto& polling = dynamic_cast<PollingEngine&>(*engine_);
    auto upgraded = polling.upgrade();
    early_ = polling.take_packets();
    engine_ = std::move(upgraded);
  }

 private:
  std::unique_ptr<EngineClient> engine_;
  std::deque<std::string> early_;  // came before the upgrade, not asked for yet
  std::string id_;
};

}  // namespace carillon::runtime::testing
