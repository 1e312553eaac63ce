// Everything that a Socket.IO server can do, driven by its clients: the server of the client matrix (tests/matrix). Each
// handler shows one feature; README.md lists them.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <carillon/carillon.hpp>

#include "options.hpp"

namespace {

using carillon::Ack;
using carillon::AckError;
using carillon::AckResult;
using carillon::Args;
using carillon::Array;
using carillon::Object;
using carillon::Socket;
using carillon::Value;
using std::chrono::milliseconds;

std::vector<std::string> strings(const Value* list) {
  std::vector<std::string> result;
  const Array* array = list == nullptr ? nullptr : list->as_array();
  if (array == nullptr) return result;
  for (const Value& value : *array)
    if (const std::string* text = value.as_string()) result.push_back(*text);
  return result;
}

Array values(std::vector<std::string> strings) { return {strings.begin(), strings.end()}; }

std::vector<std::string> sorted(std::vector<std::string> strings) {
  std::sort(strings.begin(), strings.end());
  return strings;
}

Args args_of(const Value* list) {
  const Array* array = list == nullptr ? nullptr : list->as_array();
  return Args(array == nullptr ? Array() : *array);
}

bool is(const Value* flag) { return flag != nullptr && flag->as_bool() != nullptr && *flag->as_bool(); }

// A choice of sockets as a client puts it: {"from":"socket","rooms":[..],"except":[..],"flags":{..}}
carillon::BroadcastOperator chosen(carillon::Server& io, Socket& socket, const Value& choice) {
  const Value* from = choice.find("from");
  const bool without_itself = from != nullptr && *from == Value("socket");
  auto chosen = without_itself ? socket.broadcast() : io.everyone_in(socket.name_space());
  chosen = chosen.to(strings(choice.find("rooms"))).except(strings(choice.find("except")));
  const Value* flags = choice.find("flags");
  if (flags == nullptr) return chosen;
  if (is(flags->find("volatile"))) chosen = chosen.volatile_();
  if (is(flags->find("local"))) chosen = chosen.local();
  if (flags->find("compress") != nullptr) chosen = chosen.compress(is(flags->find("compress")));
  if (const Value* timeout = flags->find("timeout")) chosen = chosen.timeout(milliseconds(timeout->as_int64()));
  return chosen;
}

std::string event_of(const Value& broadcast) {
  const Value* event = broadcast.find("event");
  return event == nullptr || event->as_string() == nullptr ? "" : *event->as_string();
}

// Tells what happens here to the clients in /watch. `label` is in the query of the client concerned.
class Teller {
 public:
  Teller(carillon::Server& io, Socket& socket)
      : io_(io), label_(socket.handshake().query("label").value_or("")), namespace_(socket.name_space()) {}

  const std::string& label() const { return label_; }
  void operator()(std::string_view event, Object details) const {
    details.set("label", label_);
    details.set("namespace", namespace_);
    io_.of("/watch").emit(event, std::move(details));
  }

 private:
  carillon::Server& io_;
  std::string label_;
  std::string namespace_;
};

Object outcome_of(const AckResult& result) {
  if (result) return {{"answer", result->values()}};
  return {{"error", result.error() == AckError::timeout ? "timeout" : "disconnected"}};
}

void serve_events(Socket& socket, const Teller& tell) {
  socket.on("echo", [&socket](const Args& args, const Ack& ack) {
    if (ack) {
      ack(args);
    } else {
      socket.emit("echo", args);
    }
  });

  socket.on("handshake", [&socket, tell](const Args&, const Ack& ack) {
    const carillon::Handshake& handshake = socket.handshake();
    const auto header = handshake.header("x-matrix");
    ack(Object{{"label", tell.label()},
               {"secure", handshake.secure()},
               {"xdomain", handshake.cross_domain()},
               {"url", handshake.url().substr(0, handshake.url().find('?'))},
               {"header", header ? Value(*header) : Value()}});
  });

  // Asks the client: ask(event, args, timeout in ms).
  socket.on("ask", [&socket, tell](const Args& args, const Ack& ack) {
    const std::string* event = args[0].as_string();
    if (event == nullptr) return;
    const auto answered = [tell, ack](const AckResult& result) {
      const Object outcome = outcome_of(result);
      tell("asked", outcome);
      ack(outcome);
    };
    socket.emit_with_ack(*event, args_of(&args[1]), answered, milliseconds(args[2].as_int64()));
  });

  socket.on("volatile", [&socket](const Args& args, const Ack& ack) {
    if (const std::string* event = args[0].as_string()) socket.emit_volatile(*event, args_of(&args[1]));
    ack();
  });

  socket.on("uncompressed", [&socket](const Args& args) {
    if (const std::string* event = args[0].as_string()) socket.compress(false).emit(*event, args_of(&args[1]));
  });

  // What the server keeps with the socket, for fetch_sockets and for recovery.
  socket.on("set_data", [&socket](const Args& args, const Ack& ack) {
    socket.data() = args[0];
    ack();
  });

  socket.use([](std::string_view event, const Args&, const carillon::EventNext& next) {
    if (event == "forbidden") return next({"not allowed", {}});
    next();
  });
  socket.on_error([&socket](const carillon::EventError& error) { socket.emit("packet_refused", error.message); });
  socket.on("forbidden",
            [&socket](const Args&) { socket.emit("packet_refused", "the middleware has let it through"); });

  socket.on("leave_me", [&socket](const Args& args) { socket.disconnect(is(&args[0])); });
}

// Keeps what passes, both ways, from "catch_all" on; "caught" tells.
void serve_catch_all(Socket& socket) {
  struct Caught {
    Array in;
    Array out;
  };
  const auto keep = [](Array& list, std::string_view event, const Args& args) {
    Array entry{event};
    entry.insert(entry.end(), args.values().begin(), args.values().end());
    list.emplace_back(std::move(entry));
  };
  auto caught = std::make_shared<Caught>();

  socket.on("catch_all", [&socket, caught, keep](const Args&, const Ack& ack) {
    socket.on_any([caught, keep](std::string_view event, const Args& args) { keep(caught->in, event, args); });
    socket.on_any_outgoing(
        [caught, keep](std::string_view event, const Args& args) { keep(caught->out, event, args); });
    ack();
  });

  socket.on("caught", [caught](const Args&, const Ack& ack) { ack(Object{{"in", caught->in}, {"out", caught->out}}); });
}

void serve_rooms(carillon::Server& io, Socket& socket) {
  socket.on("join", [&socket](const Args& args, const Ack& ack) {
    if (const std::string* room = args[0].as_string()) socket.join(*room);
    for (const std::string& room : strings(&args[0])) socket.join(room);
    ack();
  });

  socket.on("leave", [&socket](const Args& args, const Ack& ack) {
    if (const std::string* room = args[0].as_string()) socket.leave(*room);
    ack();
  });

  socket.on("rooms", [&socket](const Args&, const Ack& ack) { ack(values(sorted(socket.rooms()))); });

  socket.on("publish", [&io, &socket](const Args& args, const Ack& ack) {
    chosen(io, socket, args[0]).emit(event_of(args[0]), args_of(args[0].find("args")));
    ack();
  });

  socket.on("publish_ack", [&io, &socket](const Args& args, const Ack& ack) {
    const auto answered = [ack](const carillon::BroadcastAcks& acks) {
      Array responses;
      for (const Args& response : acks.responses) responses.push_back(response[0]);
      ack(Object{{"responses", std::move(responses)}, {"missing", acks.missing != 0}});
    };
    chosen(io, socket, args[0]).emit_with_ack(event_of(args[0]), args_of(args[0].find("args")), answered);
  });
}

// On all sockets that a choice finds; with "target", the rooms.
void serve_operations(carillon::Server& io, Socket& socket) {
  socket.on("fetch_sockets", [&io, &socket](const Args& args, const Ack& ack) {
    chosen(io, socket, args[0]).fetch_sockets([ack](const carillon::FetchedSockets& fetched) {
      Array found;
      for (const carillon::RemoteSocket& one : fetched.sockets)
        found.emplace_back(Object{{"id", one.id()}, {"rooms", values(sorted(one.rooms()))}, {"data", one.data()}});
      ack(std::move(found));
    });
  });

  socket.on("sockets_join", [&io, &socket](const Args& args, const Ack& ack) {
    chosen(io, socket, args[0]).sockets_join(strings(args[0].find("target")), [ack](std::size_t) { ack(); });
  });

  socket.on("sockets_leave", [&io, &socket](const Args& args, const Ack& ack) {
    chosen(io, socket, args[0]).sockets_leave(strings(args[0].find("target")), [ack](std::size_t) { ack(); });
  });

  socket.on("disconnect_sockets", [&io, &socket](const Args& args, const Ack& ack) {
    chosen(io, socket, args[0]).disconnect_sockets(is(args[0].find("close")), [ack](std::size_t) { ack(); });
  });
}

void serve(carillon::Server& io, carillon::Namespace& name_space) {
  name_space.on_connection([&io](Socket& socket) {
    const Teller tell(io, socket);
    tell("joined", {{"id", socket.id()}});
    socket.on_disconnecting([&socket, tell](carillon::DisconnectReason reason) {
      tell("leaving", {{"reason", carillon::to_string(reason)}, {"rooms", socket.rooms().size()}});
    });
    socket.on_disconnect([tell](carillon::DisconnectReason reason) {
      tell("left", {{"reason", carillon::to_string(reason)}});
      std::cout << "left " << tell.label() << " " << carillon::to_string(reason) << std::endl;
    });
    socket.emit("welcome", Object{{"id", socket.id()},
                                  {"namespace", socket.name_space()},
                                  {"auth", socket.handshake().auth()},
                                  {"recovered", socket.recovered()}});
    serve_events(socket, tell);
    serve_catch_all(socket);
    serve_rooms(io, socket);
    serve_operations(io, socket);
  });
}

void serve_namespaces(carillon::Server& io) {
  for (const char* name : {"/", "/orders"}) serve(io, io.of(name));
  serve(io, io.of(std::regex("^/dynamic-[0-9]+$")));

  // Which names exist, decided at run time, and by what the client says.
  serve(io, io.of([](const std::string& name, const Value& auth, const carillon::NamespaceAllow& allow) {
    const Value* token = auth.find("token");
    allow(name.starts_with("/tenant-") && token != nullptr && *token == Value("secret"));
  }));

  carillon::Namespace& guarded = io.of("/guarded");
  guarded.use([](Socket& socket, const carillon::Next& next) {
    socket.data() = Object{{"admitted", true}};
    const auto token = socket.handshake().auth("token");
    if (token == "secret") return next();
    next({"no entry", Object{{"code", 4711}, {"token", token ? Value(*token) : Value()}}});
  });
  serve(io, guarded);

  io.of("/watch");
}

void allow_request(const carillon::HandshakeRequest& request, const carillon::Admission& admission) {
  if (request.header("x-refuse")) return admission.refuse("refused by the application");
  admission.allow();
}

struct Flags {
  bool compression = false;
  std::string path = "/socket.io/";
  std::string client_files;
};

}  // namespace

int main(int argc, char** argv) try {
  Flags flags;
  const Options options = parse_options(argc, argv, [&flags](CLI::App& app) {
    app.add_flag("--compression", flags.compression, "permessage-deflate, and compressed answers to polls");
    app.add_option("--path", flags.path, "Where Socket.IO is")->type_name("PATH");
    app.add_option("--client-files", flags.client_files, "Where the scripts for browsers are")->type_name("DIR");
  });
  carillon::Server io({
      .listen = options.listen(),
      .tls = options.tls,
      .path = flags.path,
      .ping_interval_ms = 800,
      .ping_timeout_ms = 1200,
      .connect_timeout_ms = 2000,
      .parser = options.parser,
      .allow_eio3 = options.allow_eio3,
      .cors_origins = {"https://app.example"},
      .cors_credentials = true,
      .cookie = carillon::CookieOptions{.name = "carillon"},
      .allow_request = allow_request,
      .client_files_dir = flags.client_files,
      .http_compression = {.enabled = flags.compression},
      .per_message_deflate = {.enabled = flags.compression},
      .recovery = {.enabled = options.recovery},
  });
  serve_namespaces(io);
  io.run([&io] { std::cout << "ready " << io.address() << std::endl; });
} catch (const std::exception& error) {
  return complain(error);
}
