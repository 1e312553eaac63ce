// A program as a user of the package writes it: the README's example, started and stopped. Includes everything that is
// public, with the language level that the package asks for, and links.
#include <iostream>

#include <carillon/carillon.hpp>

int main() {
  carillon::Server io({.listen = "127.0.0.1:0", .shards = 2});
  io.on_connection([](carillon::Socket& socket) {
    if (auto user = socket.handshake().auth("userId")) socket.join("user:" + *user);
    socket.on("echo", [](const carillon::Args& args, carillon::Ack ack) { ack(args); });
  });
  io.of("/orders").use([](carillon::Socket&, carillon::Next next) { next({.message = "closed", .data = 1}); });
  io.start();
  io.to("user:42").except("user:43").emit("notification", carillon::Object{{"text", "hello"}});
  std::cout << "carillon " << carillon::version() << " at " << io.address() << '\n';
  io.stop();
  return 0;
}
