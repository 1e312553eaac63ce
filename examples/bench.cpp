// What the benchmarks drive: broadcasts to everyone and to rooms, and an echo.
#include <iostream>

#include <carillon/carillon.hpp>

#include "options.hpp"

int main(int argc, char** argv) try {
  const Options options = parse_options(argc, argv);
  carillon::Server io({
      .listen = options.listen(),
      .tls = options.tls,
      .parser = options.parser,
      .allow_eio3 = options.allow_eio3,
      .cors_origins = {"*"},
      .recovery = {.enabled = options.recovery},
  });
  if (!options.redis.empty()) io.adapter(carillon::redis_adapter(options.redis));

  // In a middleware, so that a client hears that it is connected when its room is effective in the whole cluster.
  io.use([](carillon::Socket& socket, const carillon::Next& next) {
    const auto user = socket.handshake().auth("userId");
    if (!user) return next();
    socket.join("user:" + *user, [next] { next(); });
  });

  io.on_connection([&io](carillon::Socket& socket) {
    socket.on("pub", [&io](const carillon::Args& args) { io.emit("n", args); });

    socket.on("to", [&io](const carillon::Args& args) {
      if (const std::string* room = args[0].as_string()) io.to(*room).emit("n", args[1]);
    });

    socket.on("echo", [](const carillon::Args& args, const carillon::Ack& ack) { ack(args); });
  });

  io.run([&io] { std::cout << "ready " << io.address() << "\n" << std::flush; });
} catch (const std::exception& error) {
  return complain(error);
}
