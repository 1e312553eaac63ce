// A member of a cluster, driven by its clients: broadcasts, acknowledgements, and operations on sockets and servers that
// take in all others on the same Redis. docs/example-cluster.md says what there is to try.
#include <unistd.h>

#include <cstddef>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <carillon/carillon.hpp>

#include "options.hpp"
#include "requests.hpp"

namespace {

using carillon::Ack;
using carillon::Args;
using carillon::Array;
using carillon::Object;
using carillon::Socket;
using carillon::Value;
using requests::chosen;
using requests::flag;
using requests::strings;
using requests::text;

// ---- What they are answered -----------------------------------------------------------------------------------------

Array values(const std::vector<std::string>& strings) { return {strings.begin(), strings.end()}; }

// Null if nobody is missing.
Value error_of(std::size_t missing_clients, std::size_t missing_servers) {
  if (missing_servers != 0) return "no answer from " + std::to_string(missing_servers) + " servers";
  if (missing_clients != 0) return "no answer from " + std::to_string(missing_clients) + " clients";
  return nullptr;
}

Array described(const carillon::FetchedSockets& fetched) {
  Array result;
  for (const carillon::RemoteSocket& socket : fetched.sockets)
    result.emplace_back(Object{{"id", socket.id()}, {"rooms", values(socket.rooms())}, {"data", socket.data()}});
  return result;
}

using Handler = void (*)(carillon::Namespace&, Socket&, const Args&, const Ack&);

// A handler that refuses its arguments has answered with the reason.
Socket::EventHandler answering(carillon::Namespace& name_space, Socket& socket, Handler handler) {
  return [&name_space, &socket, handler](const Args& args, const Ack& ack) {
    try {
      handler(name_space, socket, args, ack);
    } catch (const std::exception& error) {
      ack(Object{{"error", error.what()}});
    }
  };
}

// ---- The events -----------------------------------------------------------------------------------------------------

void join(carillon::Namespace&, Socket& socket, const Args& args, const Ack& ack) {
  socket.join(text(&args[0], "the room"), [ack] { ack(); });
}

void leave(carillon::Namespace&, Socket& socket, const Args& args, const Ack& ack) {
  socket.leave(text(&args[0], "the room"));
  ack();
}

void rooms(carillon::Namespace&, Socket& socket, const Args&, const Ack& ack) { ack(values(socket.rooms())); }

void set_data(carillon::Namespace&, Socket& socket, const Args& args, const Ack& ack) {
  socket.data() = args[0];
  ack();
}

void emit(carillon::Namespace& name_space, Socket&, const Args& args, const Ack& ack) {
  chosen(name_space.everyone(), args[0]).emit(text(args[0].find("event"), "event"), requests::args(args[0]));
  ack();
}

void socket_emit(carillon::Namespace&, Socket& socket, const Args& args, const Ack& ack) {
  chosen(socket.broadcast(), args[0]).emit(text(args[0].find("event"), "event"), requests::args(args[0]));
  ack();
}

void broadcast_ack(carillon::Namespace& name_space, Socket&, const Args& args, const Ack& ack) {
  const auto answered = [ack](const carillon::BroadcastAcks& acks) {
    Array responses;
    for (const Args& response : acks.responses) responses.push_back(response[0]);
    ack(Object{{"responses", std::move(responses)}, {"error", error_of(acks.missing, acks.missing_servers)}});
  };
  chosen(name_space.everyone(), args[0])
      .emit_with_ack(text(args[0].find("event"), "event"), requests::args(args[0]), answered);
}

// Of those who answer in time: a server that does not costs its own sockets, not the answer.
void fetch_sockets(carillon::Namespace& name_space, Socket&, const Args& args, const Ack& ack) {
  chosen(name_space.everyone(), args[0]).fetch_sockets([ack](const carillon::FetchedSockets& fetched) {
    ack(described(fetched));
  });
}

void sockets_join(carillon::Namespace& name_space, Socket&, const Args& args, const Ack& ack) {
  chosen(name_space.everyone(), args[0]).sockets_join(strings(args[0].find("target")), [ack](std::size_t) { ack(); });
}

void sockets_leave(carillon::Namespace& name_space, Socket&, const Args& args, const Ack& ack) {
  chosen(name_space.everyone(), args[0]).sockets_leave(strings(args[0].find("target")), [ack](std::size_t) { ack(); });
}

void disconnect_sockets(carillon::Namespace& name_space, Socket&, const Args& args, const Ack& ack) {
  chosen(name_space.everyone(), args[0]).disconnect_sockets(flag(args[0].find("close")), [ack](std::size_t) { ack(); });
}

void server_side_emit(carillon::Namespace& name_space, Socket&, const Args& args, const Ack& ack) {
  name_space.server_side_emit(text(args[0].find("event"), "event"), requests::args(args[0]));
  ack();
}

void server_side_emit_ack(carillon::Namespace& name_space, Socket&, const Args& args, const Ack& ack) {
  const auto answered = [ack](const carillon::ServerAnswers& answers) {
    ack(Object{{"responses", answers.responses}, {"error", error_of(0, answers.missing_servers)}});
  };
  name_space.server_side_emit_with_ack(text(args[0].find("event"), "event"), requests::args(args[0]), answered);
}

void all_rooms(carillon::Namespace& name_space, Socket&, const Args&, const Ack& ack) {
  name_space.all_rooms([ack](const carillon::FoundRooms& found) { ack(values(found.rooms)); });
}

void server_count(carillon::Namespace& name_space, Socket&, const Args&, const Ack& ack) {
  name_space.server_count([ack](std::size_t servers) { ack(servers); });
}

const std::map<std::string_view, Handler> handlers = {
    {"join", join},
    {"leave", leave},
    {"rooms", rooms},
    {"set_data", set_data},
    {"emit", emit},
    {"socket_emit", socket_emit},
    {"broadcast_ack", broadcast_ack},
    {"fetch_sockets", fetch_sockets},
    {"sockets_join", sockets_join},
    {"sockets_leave", sockets_leave},
    {"disconnect_sockets", disconnect_sockets},
    {"server_side_emit", server_side_emit},
    {"server_side_emit_ack", server_side_emit_ack},
    {"all_rooms", all_rooms},
    {"server_count", server_count},
};

// The latest of what other servers have sent. They are heard on one shard, clients ask on any.
class ServerLog {
 public:
  void add(std::string_view event, const Args& args) {
    const std::lock_guard lock(mutex_);
    if (entries_.size() == entries_max) entries_.erase(entries_.begin());
    entries_.emplace_back(Object{{"event", event}, {"args", args.values()}});
  }
  Array entries() const {
    const std::lock_guard lock(mutex_);
    return entries_;
  }

 private:
  static constexpr std::size_t entries_max = 10'000;
  mutable std::mutex mutex_;
  Array entries_;
};

void serve(carillon::Namespace& name_space, const std::string& node_name) {
  auto log = std::make_shared<ServerLog>();

  name_space.on_any_server_event(
      [log, node_name](std::string_view event, const Args& args, const carillon::ServerAnswer& answer) {
        log->add(event, args);
        if (answer.is_wanted()) answer(node_name);
      });

  name_space.on_connection([&name_space, log](Socket& socket) {
    for (const auto& [event, handler] : handlers) socket.on(event, answering(name_space, socket, handler));
    socket.on("server_side_log", [log](const Args&, const Ack& ack) { ack(log->entries()); });
  });
}

}  // namespace

int main(int argc, char** argv) try {
  requests::ClusterFlags flags;
  std::string node_name = "node-" + std::to_string(getpid());
  const Options options = parse_options(argc, argv, [&](CLI::App& app) {
    flags.add_to(app);
    app.add_option("--node-name", node_name, "What this server answers to server-side events")->type_name("NAME");
  });
  carillon::Server io({
      .listen = options.listen(),
      .tls = options.tls,
      .node_name = node_name,
      .parser = options.parser,
      .allow_eio3 = options.allow_eio3,
      .cors_origins = {"*"},
      .recovery = {.enabled = options.recovery},
  });
  if (!options.redis.empty()) io.adapter(flags.adapter_of(options.redis));

  for (const char* name : {"/", "/orders"}) serve(io.of(name), node_name);

  io.run([&io] { std::cout << "ready " << io.address() << "\n" << std::flush; });
} catch (const std::exception& error) {
  return complain(error);
}
