// A namespace of the server: its middleware, its connection handlers, its sockets.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <carillon/broadcast_operator.hpp>
#include <carillon/cluster_answers.hpp>
#include <carillon/remote_socket.hpp>
#include <carillon/socket.hpp>

namespace carillon {

namespace socketio {
class AllowTarget;
class NextTarget;
struct NamespaceHandlers;
}  // namespace socketio

// Refuses a connection: the client gets connect_error with this message and, unless null, `data`.
struct ConnectError {
  std::string message;
  Value data;
};

// Goes on to the next middleware, or refuses. Copyable; any thread; the first call counts, and calls after the client,
// or the server, has gone do nothing. A middleware that never calls it leaves the client to its connect timeout. Text
// that is no UTF-8: std::invalid_argument.
class Next {
 public:
  explicit Next(std::shared_ptr<socketio::NextTarget> target) : target_(std::move(target)) {}
  void operator()() const { resume(std::nullopt); }
  void operator()(ConnectError error) const { resume(std::move(error)); }

 private:
  void resume(std::optional<ConnectError> error) const;
  std::shared_ptr<socketio::NextTarget> target_;
};

using Middleware = std::function<void(Socket&, Next)>;
// Decides whether a namespace is to exist. Copyable; any thread; the first call counts. A client that is never answered
// waits.
class NamespaceAllow {
 public:
  explicit NamespaceAllow(std::shared_ptr<socketio::AllowTarget> target) : target_(std::move(target)) {}
  void operator()(bool allowed) const;

 private:
  std::shared_ptr<socketio::AllowTarget> target_;
};
// Asked on the shard of the client, when nobody is in a namespace of that name: it decides whether there is one, the
// middleware who may come in. `auth` is the client's; both are valid until the last copy of `allow` is gone.
using NamespacePredicate = std::function<void(const std::string& name, const Value& auth, NamespaceAllow allow)>;

using ConnectionHandler = std::function<void(Socket&)>;

// A parent (Server::of() with a pattern or a function) stands for its children: they have its middleware and handlers,
// and what is broadcast to it reaches those that exist on this node. Its own name is nobody's.
//
// Handlers are registered before Server::run() and called on the shard of the socket concerned, on several shards at
// the same time. The broadcasting methods may be called from any thread.
//
// An exception that escapes a handler is logged and counted (carillon_handler_exceptions_total). It ends that handler
// alone; a middleware that throws has refused the connection, unless it had called next before.
class Namespace {
 public:
  Namespace(socketio::BroadcastPort& port, std::shared_ptr<socketio::NamespaceHandlers> handlers, std::string name);

  const std::string& name() const { return name_; }

  void use(Middleware middleware);
  void on_connection(ConnectionHandler handler);

  // The servers of the cluster. Handlers of answers are called as BroadcastOperator::emit_with_ack's.
  // An event for the other servers' on_server_event handlers; with a handler, they may answer.
  void server_side_emit(std::string_view event, const Args& args) const;
  void server_side_emit_with_ack(std::string_view event, const Args& args, ServerAnswersHandler handler) const;
  // Registered before Server::run(), called on one of this server's shards. The second kind hears of all events.
  void on_server_event(std::string_view event, ServerEventHandler handler);
  void on_any_server_event(AnyServerEventHandler handler);
  void all_rooms(RoomsHandler handler) const;
  void server_count(ServerCountHandler handler) const;

  BroadcastOperator everyone() const { return BroadcastOperator(*port_, name_); }
  BroadcastOperator to(std::string_view room) const { return everyone().to(room); }
  BroadcastOperator to(const std::vector<std::string>& rooms) const { return everyone().to(rooms); }
  BroadcastOperator in(std::string_view room) const { return everyone().to(room); }
  BroadcastOperator in(const std::vector<std::string>& rooms) const { return everyone().to(rooms); }
  BroadcastOperator except(std::string_view room) const { return everyone().except(room); }
  BroadcastOperator except(const std::vector<std::string>& rooms) const { return everyone().except(rooms); }
  BroadcastOperator local() const { return everyone().local(); }
  BroadcastOperator volatile_() const { return everyone().volatile_(); }
  BroadcastOperator compress(bool on) const { return everyone().compress(on); }
  BroadcastOperator timeout(std::chrono::milliseconds timeout) const { return everyone().timeout(timeout); }
  template <class... T>
    requires EventValues<T...>
  void emit(std::string_view event, T&&... values) const {
    everyone().emit(event, std::forward<T>(values)...);
  }
  void emit(std::string_view event, const Args& args) const { everyone().emit(event, args); }
  void emit_with_ack(std::string_view event, const Args& args, BroadcastAckHandler handler) const {
    everyone().emit_with_ack(event, args, std::move(handler));
  }
  void fetch_sockets(FetchHandler handler) const { everyone().fetch_sockets(std::move(handler)); }
  void sockets_join(const std::vector<std::string>& rooms, SocketsHandler done = nullptr) const {
    everyone().sockets_join(rooms, std::move(done));
  }
  void sockets_join(std::string_view room, SocketsHandler done = nullptr) const {
    everyone().sockets_join(room, std::move(done));
  }
  void sockets_leave(const std::vector<std::string>& rooms, SocketsHandler done = nullptr) const {
    everyone().sockets_leave(rooms, std::move(done));
  }
  void sockets_leave(std::string_view room, SocketsHandler done = nullptr) const {
    everyone().sockets_leave(room, std::move(done));
  }
  void disconnect_sockets(bool close = false, SocketsHandler done = nullptr) const {
    everyone().disconnect_sockets(close, std::move(done));
  }

 private:
  socketio::BroadcastPort* port_;
  std::shared_ptr<socketio::NamespaceHandlers> handlers_;
  std::string name_;
};

}  // namespace carillon
