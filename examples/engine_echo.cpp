// Engine.IO without Socket.IO: sends back each message. It works on the layer below the public API, as a test server
// for the protocol; applications use <carillon/carillon.hpp>.
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>
#include <vector>

#include "engineio/engine.hpp"
#include "io/signals.hpp"
#include "options.hpp"
#include "runtime/reception.hpp"
#include "runtime/shard.hpp"

namespace {

using namespace carillon;

class Echo final : public runtime::ShardApplication, public engineio::SessionHandler {
 public:
  engineio::SessionHandler& session_handler() override { return *this; }

  void on_open(engineio::Session&) override {}
  void on_message(engineio::Session& session, bool binary, std::string_view data) override {
    auto frames = std::make_shared<engineio::Frames>();
    if (binary) {
      frames->append_binary(data);
    } else {
      frames->append_text("4", data);
    }
    session.send(frames);
  }
  void on_close(engineio::Session&, engineio::CloseReason) override {}
};

}  // namespace

int main(int argc, char** argv) try {
  const Options flags = parse_options(argc, argv);

  engineio::Options options;
  options.path = "/engine.io/";
  options.ping_interval = Milliseconds(300);
  options.ping_timeout = Milliseconds(200);
  options.max_payload_bytes = 1'000'000;
  options.allow_eio3 = flags.allow_eio3;
  options.cors.origins = {"*"};

  io::ProcessSignals signals;
  runtime::Reception reception({.listen = flags.listen(), .tls = flags.tls}, std::nullopt);
  std::vector<std::unique_ptr<runtime::Shard>> shards;
  shards.push_back(std::make_unique<runtime::Shard>(runtime::Shard::Settings{0, "echo", &options},
                                                    [](runtime::Shard&) { return std::make_unique<Echo>(); }));
  reception.bind_clients(shards);
  shards.front()->start();
  std::cout << "ready " << reception.client_address() << std::endl;
  while (signals.wait() == SIGHUP) {
  }
  return 0;
} catch (const std::exception& error) {
  return complain(error);
}
