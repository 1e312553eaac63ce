// What the benchmarks drive: broadcasts to everyone and to rooms, and an echo.
#include <iostream>

#include <carillon/carillon.hpp>

#include "options.hpp"

int main(int argc, char** argv) try {
  std::size_t send_queue_bytes_max = carillon::LimitOptions().send_queue_bytes_max;
  const Options options = parse_options(argc, argv, [&](CLI::App& app) {
    app.add_option("--send-queue-bytes-max", send_queue_bytes_max, "What may wait for one client")->type_name("BYTES");
  });
  carillon::Server io({
      .listen = options.listen(),
      .tls = options.tls,
      .parser = options.parser,
      .allow_eio3 = options.allow_eio3,
      .cors_origins = {"*"},
      .limits = {.packets_per_second_max = 0,  // one client may be the load of all
                 .send_queue_bytes_max = send_queue_bytes_max},
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
