// Speaks all of the Socket.IO protocol to whoever wants to test a client: emits, acknowledges, has a second namespace.
#include <iostream>

#include <carillon/carillon.hpp>

#include "options.hpp"

int main(int argc, char** argv) try {
  const Options options = parse_options(argc, argv);
  carillon::Server io({
      .listen = options.listen(),
      .tls = options.tls,
      .ping_interval_ms = 300,
      .ping_timeout_ms = 200,
      .connect_timeout_ms = 1000,
      .max_payload_bytes = 1'000'000,
      .parser = options.parser,
      .allow_eio3 = options.allow_eio3,
      .cors_origins = {"*"},
      .recovery = {.enabled = options.recovery},
  });
  if (!options.redis.empty()) io.adapter(carillon::redis_adapter(options.redis));

  io.on_connection([](carillon::Socket& socket) {
    socket.emit("auth", socket.handshake().auth());

    socket.on("message", [&socket](const carillon::Args& args) { socket.emit("message-back", args); });

    socket.on("message-with-ack", [](const carillon::Args& args, const carillon::Ack& ack) { ack(args); });
  });

  io.of("/custom").on_connection([](carillon::Socket& socket) { socket.emit("auth", socket.handshake().auth()); });

  io.run([&io] { std::cout << "ready " << io.address() << "\n" << std::flush; });
} catch (const std::exception& error) {
  return complain(error);
}
