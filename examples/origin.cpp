// Tells each client where it has come from: shows listeners with TLS, behind proxies, and on Unix sockets.
#include <iostream>

#include <carillon/carillon.hpp>

#include "options.hpp"

int main(int argc, char** argv) try {
  std::vector<std::string> also;
  std::vector<std::string> proxies;
  const Options options = parse_options(argc, argv, [&](CLI::App& app) {
    const auto add_repeated = [&app](const char* flag, std::vector<std::string>& values, const char* help) {
      app.add_option(flag, values, help)
          ->expected(1, CLI::detail::expected_max_vector_size)
          ->allow_extra_args(false)
          ->type_name("ADDRESS");
    };
    add_repeated("--also-listen", also, "A further address; repeatable");
    add_repeated("--trusted-proxy", proxies, "A proxy that is believed: address, network or unix; repeatable");
  });
  carillon::Server io({
      .listen = options.listen(),
      .more_listeners = also,
      .tls = options.tls,
      .trusted_proxies = proxies,
  });
  io.on_connection([](carillon::Socket& socket) {
    const carillon::Handshake& handshake = socket.handshake();
    socket.emit("origin", carillon::Object{{"address", handshake.address()}, {"secure", handshake.secure()}});
    socket.on("echo", [](const carillon::Args& args, const carillon::Ack& ack) { ack(args); });
  });
  io.run([&io] { std::cout << "ready " << io.address() << std::endl; });
} catch (const std::exception& error) {
  return complain(error);
}
