// Publishes into a cluster without being a server of it: each line that it reads is a broadcast, or something to be done
// to sockets, as JSON. It answers each with a line, `ok` or what is wrong.
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <carillon/carillon.hpp>

#include "requests.hpp"

namespace {

using carillon::Args;
using carillon::Value;
using requests::flag;
using requests::strings;
using requests::text;

constexpr std::chrono::seconds patience(10);

// With "binary", texts among the arguments are sent as bytes.
Args args_of(const Value& request) {
  Args texts = requests::args(request);
  if (!flag(request.find("binary"))) return texts;
  carillon::Array args;
  for (const Value& value : texts.values()) {
    const std::string* text = value.as_string();
    args.push_back(text == nullptr ? value : Value(carillon::Binary{*text}));
  }
  return Args(std::move(args));
}

// {"op":"emit","namespace":"/","rooms":[],"except":[],"flags":{"volatile"},"event":"e","args":[]}; README.md has the rest.
void perform(const carillon::Emitter& emitter, const Value& request) {
  const Value* name = request.find("namespace");
  const std::string name_space = name == nullptr ? "/" : text(name, "namespace");
  const std::string& op = text(request.find("op"), "op");
  const auto sockets = requests::chosen(emitter.of(name_space), request);

  if (op == "emit") return sockets.emit(text(request.find("event"), "event"), args_of(request));
  if (op == "sockets_join") return sockets.sockets_join(strings(request.find("target")));
  if (op == "sockets_leave") return sockets.sockets_leave(strings(request.find("target")));
  if (op == "disconnect_sockets") return sockets.disconnect_sockets(flag(request.find("close")));
  if (op == "server_side_emit") {
    return emitter.server_side_emit(text(request.find("event"), "event"), args_of(request), name_space);
  }
  throw std::invalid_argument("op must be emit, sockets_join, sockets_leave, disconnect_sockets or server_side_emit");
}

}  // namespace

int main(int argc, char** argv) try {
  std::string redis = "redis://127.0.0.1:6379";
  requests::ClusterFlags flags;
  CLI::App app("Publishes what it reads, a JSON object in each line, to the servers on one Redis");
  app.add_option("--redis", redis, "Their Redis")->type_name("URL");
  flags.add_to(app);
  CLI11_PARSE(app, argc, argv);

  const carillon::AdapterOptions adapter = flags.adapter_of(redis);
  carillon::Emitter emitter(redis, {.kind = adapter.kind, .mode = adapter.mode});
  for (std::string line; std::getline(std::cin, line);) {
    try {
      perform(emitter, Args::borrow(line)[0]);
      std::cout << (emitter.flush(patience) ? "ok" : "Redis has not answered") << std::endl;
    } catch (const std::exception& error) {
      std::cout << error.what() << std::endl;
    }
  }
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return dynamic_cast<const std::invalid_argument*>(&error) != nullptr ? 2 : 1;
}
