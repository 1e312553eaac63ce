// One shard with a tiny application and a tiny HTTP service on loopback, for tests of connections.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engineio/engine.hpp"
#include "runtime/shard.hpp"
#include "runtime/testing.hpp"

namespace carillon::runtime::testing {

// Sends back each message of a session; remembers the sessions and tells what happens to them.
class Echo final : public ShardApplication, public engineio::SessionHandler {
 public:
  engineio::SessionHandler& session_handler() override { return *this; }
  void on_open(engineio::Session& session) override {
    sessions.push_back(&session);
    events.add("open " + session.id());
  }
  void on_message(engineio::Session& session, bool, std::string_view data) override {
    if (data == "close") return session.close(engineio::CloseReason::forced_close);
    session.send(engineio::make_text_frames("4" + std::string(data)));
  }
  void on_close(engineio::Session& session, engineio::CloseReason reason) override {
    if (calls_forbidden) ADD_FAILURE() << "called back in the middle of a broadcast";
    std::erase(sessions, &session);
    events.add("close " + session.id() + " " + std::string(engineio::to_string(reason)));
  }
  void broadcast(const engineio::FramesPtr& frames) const {
    for (engineio::Session* session : sessions) session->send(frames);
  }

  std::vector<engineio::Session*> sessions;  // the shard's
  bool calls_forbidden = false;
  Log<std::string> events;
};

// Answers by path, and keeps "/later" until it is told to.
class Desk final : public http::Handler {
 public:
  bool on_request(http::Exchange& exchange, const http::Request& request) override {
    seen.add(request.method + " " + request.target);
    if (request.path() == "/origin") {
      exchange.respond({200, {}, request.address + (request.secure ? " secure" : "")});
      return false;
    }
    const std::string_view path = request.path();
    if (path == "/echo") return true;
    if (path == "/later") {
      waiting.push_back(&exchange);
    } else if (path == "/release") {
      release("released");
      exchange.respond({200, {}, "ok"});
    } else if (path == "/big") {
      exchange.respond({200, {}, std::string(big_bytes, 'x')});
    } else if (path == "/refuse") {
      exchange.respond({403, {}, "no"});
    } else {
      exchange.respond({200, {}, request.method + " " + request.target});
    }
    return false;
  }
  void on_body(http::Exchange& exchange, std::string_view body) override {
    exchange.respond({200, {}, std::string(body)});
  }
  void on_closed(http::Exchange& exchange) override {
    std::erase(waiting, &exchange);
    seen.add("closed");
  }
  void on_body_refused(http::Exchange&) override { seen.add("body refused"); }

  void release(const std::string& body) {
    for (http::Exchange* exchange : std::exchange(waiting, {})) exchange->respond({200, {}, body});
  }

  static constexpr std::size_t big_bytes = 16 * 1024 * 1024;  // more than a socket takes at once
  Log<std::string> seen;
  std::vector<http::Exchange*> waiting;  // the shard's
};

struct TinyServerSettings {
  engineio::Options engine{};
  ServiceLimits limits{};  // of both services; the Engine.IO service has its own for sizes
  Milliseconds drain_timeout{200};
  Entrance entrance{};  // of both listeners
  http::TrustedProxies proxies{};
  LedgerLimits ledger{};
  std::size_t send_queue_bytes_total_max = 0;
  std::size_t receive_buffer_bytes_total_max = 0;
};

class TinyServer {
 public:
  using Settings = TinyServerSettings;
  explicit TinyServer(Settings settings = {})
      : engine_(std::move(settings.engine)),
        proxies_(std::move(settings.proxies)),
        entrance_(settings.entrance),
        ledger_(std::move(settings.ledger), *make_system_random()) {
    const Shard::Settings shard_settings{0,
                                         "test",
                                         &engine_,
                                         settings.drain_timeout,
                                         &proxies_,
                                         &ledger_,
                                         settings.send_queue_bytes_total_max,
                                         settings.receive_buffer_bytes_total_max};
    shard_ = std::make_unique<Shard>(shard_settings, [this](Shard&) {
      auto application = std::make_unique<Echo>();
      echo_ = application.get();
      return application;
    });
    service_.handler = &desk;
    service_.limits = settings.limits;
    service_.error_response = [](int status) { return http::Response{status, {}, "error\n", true}; };
    ServiceLimits& limits = shard_->client_service().limits;
    limits.head_timeout = settings.limits.head_timeout;
    limits.body_timeout = settings.limits.body_timeout;
    limits.idle_timeout = settings.limits.idle_timeout;
    limits.close_timeout = settings.limits.close_timeout;
    limits.handshake_timeout = settings.limits.handshake_timeout;
    http_address = listen(service_);
    address = listen(shard_->client_service());
    shard_->start();
  }
  ~TinyServer() { shard_.reset(); }

  // Runs the task on the shard and waits for its end.
  void run(Task task) {
    Gate done;
    shard_->post([&] {
      task();
      done.open();
    });
    if (!done.wait()) throw std::runtime_error("the shard does not run");
  }
  Shard& shard() { return *shard_; }
  Echo& echo() { return *echo_; }
  bool has_refused(Refusal refusal, std::uint64_t count) {
    const Counter& refused = std::as_const(*shard_).stats().refused[static_cast<std::size_t>(refusal)];
    return eventually([&] { return refused.value() == count; });
  }
  bool has_connections(std::int64_t count) {
    return eventually([&] { return std::as_const(*shard_).stats().connections.value() == count; });
  }

  std::string http_address;
  std::string address;  // of Engine.IO
  Desk desk;

 private:
  std::string listen(Service& service) {
    auto listener = std::make_unique<io::Listener>(io::testing::loopback(), false);
    std::string bound = listener->address().to_string();
    shard_->listen(std::move(listener), service, entrance_);
    return bound;
  }

  engineio::Options engine_;
  http::TrustedProxies proxies_;
  Entrance entrance_;
  ClientLedger ledger_;
  Service service_;
  Echo* echo_ = nullptr;
  std::unique_ptr<Shard> shard_;
};

// Holds up a shard: what arrives meanwhile is found by one and the same turn.
class Pause {
 public:
  explicit Pause(Shard& shard) {
    shard.post([this] {
      reached_.open();
      go_on_.wait();
      left_.open();
    });
    reached_.wait();
  }
  ~Pause() {
    go_on_.open();
    left_.wait();
  }
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;

 private:
  Gate reached_;
  Gate go_on_;
  Gate left_;
};

}  // namespace carillon::runtime::testing
