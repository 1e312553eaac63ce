#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>

#include "app/client_session.hpp"
#include "app/commands.hpp"
#include "app/websocket_client.hpp"
#include "base/random.hpp"

namespace carillon::app {
namespace {

constexpr std::string_view target = "/socket.io/?EIO=4&transport=websocket";
constexpr Milliseconds connect_timeout{10'000};
constexpr std::int64_t backoff_min_ms = 200;
constexpr std::int64_t backoff_max_ms = 5'000;

// A line per event on stdout, at once, also when stdout is a pipe; what happens to the connection on stderr.
class Printer final : public ClientPort {
 public:
  Printer(WebSocketClient& client, const TailArguments& arguments) : client_(client), arguments_(arguments) {}

  // A broken connection shows when the next message is read.
  void send(std::string_view packet) override { (void)client_.send(packet); }
  void on_connected(std::string_view socket_id) override {
    connected_ = true;
    complain("tail", fmt::format("connected to {} as {}, socket {}", arguments_.url, arguments_.user, socket_id));
  }
  void on_event(std::string_view event, std::string_view args) override {
    const bool plain = std::none_of(event.begin(), event.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
    fmt::print("{} {}\n", plain && !event.empty() ? std::string(event) : to_json(event), args);
    std::fflush(stdout);
  }
  bool connected() const { return connected_; }

 private:
  WebSocketClient& client_;
  const TailArguments& arguments_;
  bool connected_ = false;
};

struct Attempt {
  bool connected = false;
  ClientSession::End end;
};

Attempt listen(const ServerUrl& url, const TailArguments& arguments) {
  auto client = WebSocketClient::connect(url, target, connect_timeout);
  if (!client) return {false, {false, client.error()}};
  Object auth{{"userId", arguments.user}};
  if (!arguments.token.empty()) auth.set("token", arguments.token);
  Printer printer(**client, arguments);
  ClientSession session(std::move(auth), printer);
  for (;;) {
    const auto message = (*client)->receive(session.silence_max());
    if (!message) return {printer.connected(), {false, message.error()}};
    const auto alive = message->binary ? session.on_binary() : session.on_text(message->payload);
    if (!alive) return {printer.connected(), alive.error()};
  }
}

}  // namespace

int tail(const TailArguments& arguments) {
  // Nothing is left to do when it is told to stop.
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { ::_exit(0); });

  const auto url = parse_server_url(arguments.url);
  if (!url) {
    complain("tail", "--url: " + url.error());
    return 2;
  }
  const auto random = make_system_random();
  for (std::int64_t backoff_ms = backoff_min_ms;; backoff_ms = std::min(2 * backoff_ms, backoff_max_ms)) {
    const Attempt attempt = listen(*url, arguments);
    if (attempt.end.refused) {
      complain("tail", attempt.end.why);
      return 1;
    }
    if (attempt.connected) backoff_ms = backoff_min_ms;
    const auto wait =
        Milliseconds(backoff_min_ms + static_cast<std::int64_t>(random->below(static_cast<std::uint64_t>(backoff_ms))));
    complain("tail", fmt::format("{}; trying again in {} ms", attempt.end.why, wait.count()));
    std::this_thread::sleep_for(wait);
  }
}

}  // namespace carillon::app
