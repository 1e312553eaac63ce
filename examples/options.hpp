// The command line that the examples share.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>

#include <CLI/CLI.hpp>
#include <carillon/packet_parser.hpp>
#include <carillon/tls_options.hpp>

struct Options {
  std::uint16_t port = 0;
  std::string redis;  // empty: a single node
  bool allow_eio3 = false;
  carillon::PacketParser parser = carillon::PacketParser::json;
  bool recovery = false;
  std::string address;  // empty: the port on 127.0.0.1
  carillon::TlsOptions tls;

  std::string listen() const {
    if (!address.empty()) return address;
    return (tls.certificate_file.empty() ? "" : "https://") + ("127.0.0.1:" + std::to_string(port));
  }
};

// Ends the program with a message where the command line is wrong. `more` adds flags that only one example has.
inline Options parse_options(int argc, char** argv, const std::function<void(CLI::App&)>& more = nullptr) {
  Options options;
  bool msgpack = false;
  CLI::App app("An example server of Carillon, on 127.0.0.1");
  app.add_option("--port", options.port, "Port; 0 picks a free one")->type_name("N");
  app.add_option("--redis", options.redis, "Redis that connects several of these servers")->type_name("URL");
  app.add_flag("--allow-eio3", options.allow_eio3, "Lets Socket.IO v2 clients in, which speak Engine.IO 3");
  app.add_flag("--msgpack", msgpack, "Packets in MessagePack, for clients with the parser of socket.io-msgpack-parser");
  app.add_flag("--recovery", options.recovery, "Clients whose connection broke get back what they missed");
  app.add_option("--listen", options.address, "Another address than 127.0.0.1 and --port")->type_name("ADDRESS");
  app.add_option("--tls-cert", options.tls.certificate_file, "Listens with TLS, with this certificate")
      ->type_name("FILE");
  app.add_option("--tls-key", options.tls.key_file, "and this private key")->type_name("FILE");
  if (more) more(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  if (msgpack) options.parser = carillon::PacketParser::msgpack;
  return options;
}

// Says why the program cannot go on; gives its exit status: 2 for a wrong argument, 1 for anything else.
inline int complain(const std::exception& error) {
  std::cerr << error.what() << '\n';
  return dynamic_cast<const std::invalid_argument*>(&error) != nullptr ? 2 : 1;
}
