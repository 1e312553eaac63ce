// A client connected to a namespace, seen from the server.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <carillon/ack.hpp>
#include <carillon/args.hpp>
#include <carillon/broadcast_operator.hpp>
#include <carillon/handshake.hpp>

namespace carillon {

namespace socketio {
class EventTarget;
class SocketCore;
}  // namespace socketio

// Why a socket went away; to_string() gives the words of the Socket.IO documentation.
enum class DisconnectReason {
  client_namespace_disconnect,  // "client namespace disconnect": the client left this namespace
  server_namespace_disconnect,  // "server namespace disconnect": disconnect() was called
  forced_close,                 // "forced close"
  transport_close,              // "transport close": the connection ended
  transport_error,              // "transport error": a broken connection, or a limit was exceeded
  ping_timeout,                 // "ping timeout"
  parse_error,                  // "parse error": the client sent something malformed
  server_shutting_down,         // "server shutting down"
};
std::string_view to_string(DisconnectReason reason);

// Why a middleware of events refused one, or why a packet could not be read: for Socket::on_error().
struct EventError {
  std::string message;
  Value data;
};

// Lets an event go on to the next middleware and then to its handlers, or refuses it. Copyable; any thread; the first
// call counts, and calls after the client, or the server, has gone do nothing. An event whose middleware never calls it
// is lost.
class EventNext {
 public:
  explicit EventNext(std::shared_ptr<socketio::EventTarget> target) : target_(std::move(target)) {}
  void operator()() const { resume(std::nullopt); }
  void operator()(EventError error) const { resume(std::move(error)); }

 private:
  void resume(std::optional<EventError> error) const;
  std::shared_ptr<socketio::EventTarget> target_;
};
// The name and the arguments are valid until the last copy of `next` is gone.
using EventMiddleware = std::function<void(std::string_view event, const Args& args, EventNext next)>;

// Names a handler that was registered with a socket, in order to remove it.
enum class ListenerId : std::uint64_t {};

class SocketOperator;

// Owned by the server; a reference is valid until the disconnect handler has returned.
// Belongs to one shard: every method is called on it, that is inside its handlers. From other threads
// address the socket by its id: io.to(id).emit(...).
//
// An exception that escapes a handler is logged, counted (carillon_handler_exceptions_total) and ends that handler
// alone.
class Socket {
 public:
  using EventHandler = std::function<void(const Args&, const Ack&)>;
  using AnyHandler = std::function<void(std::string_view event, const Args&)>;

  explicit Socket(socketio::SocketCore& core) : core_(core) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  const std::string& id() const;  // 20 characters of A-Za-z0-9-_
  const Handshake& handshake() const;
  bool connected() const;
  std::string name_space() const;
  // Whether it came back after a broken connection, with its id, its rooms and what it missed; see RecoveryOptions. In
  // middleware: whether it asks for that, and may get it.
  bool recovered() const;
  // Says whose socket this is, in middleware: a session is recovered only by a client of the same identity.
  void set_identity(std::string identity);

  // For the application; an empty object at first. Part of what fetch_sockets() gives, and of what comes back when a
  // client is recovered; members that the middleware has set meanwhile stay.
  Value& data();

  // Rooms. On this node a join takes effect at once; `done` is called on this shard when it is effective in the whole
  // cluster (at once without a cluster adapter, or while Redis is away).
  // False: it is in as many rooms as LimitOptions::rooms_per_socket_max allows; `done` is not called then.
  bool join(std::string_view room);
  bool join(std::string_view room, std::function<void()> done);
  void leave(std::string_view room);
  std::vector<std::string> rooms() const;  // own id first

  // To this client. Reserved event names, and text that is no UTF-8: std::invalid_argument.
  template <class... T>
    requires EventValues<T...>
  void emit(std::string_view event, T&&... values) {
    send(event, make_args(std::forward<T>(values)...));
  }
  void emit(std::string_view event, const Args& args) { send(event, args); }
  // Dropped when the connection cannot take it at once.
  void emit_volatile(std::string_view event, const Args& args);
  // `handler` is called exactly once: with the answer, or with an AckError. The default timeout is
  // ServerOptions::ack_timeout_ms; zero means none: then it waits until the socket is gone.
  void emit_with_ack(std::string_view event, const Args& args, AckHandler handler,
                     std::optional<std::chrono::milliseconds> timeout = std::nullopt);

  // To others: everyone in the namespace but this socket.
  BroadcastOperator broadcast() const;
  BroadcastOperator to(std::string_view room) const { return broadcast().to(room); }
  BroadcastOperator to(const std::vector<std::string>& rooms) const { return broadcast().to(rooms); }
  BroadcastOperator in(std::string_view room) const { return broadcast().to(room); }
  BroadcastOperator in(const std::vector<std::string>& rooms) const { return broadcast().to(rooms); }
  BroadcastOperator except(std::string_view room) const { return broadcast().except(room); }
  BroadcastOperator except(const std::vector<std::string>& rooms) const { return broadcast().except(rooms); }

  // For the next call only: socket.timeout(ms).emit_with_ack(...), socket.volatile_().to("room").emit(...).
  SocketOperator volatile_();
  SocketOperator compress(bool on);
  SocketOperator timeout(std::chrono::milliseconds timeout);
  SocketOperator local();

  // Handlers of an event, called in the order of their registration; an acknowledgement is answered by the first that
  // calls it. Those that are added by a handler wait for the next event. All are forgotten when the socket is gone.
  ListenerId on(std::string_view event, EventHandler handler);
  ListenerId on(std::string_view event, std::function<void(const Args&)> handler);
  ListenerId once(std::string_view event, EventHandler handler);
  ListenerId once(std::string_view event, std::function<void(const Args&)> handler);
  void off(std::string_view event);  // all of them
  void off(ListenerId listener);

  // Sees every event from the client, before its middleware and handlers.
  ListenerId on_any(AnyHandler handler);
  ListenerId prepend_any(AnyHandler handler);
  void off_any();
  void off_any(ListenerId listener);
  // Sees every event to the client, also of broadcasts, before it is sent; not acknowledgements. What it emits to this
  // client itself it sees again.
  ListenerId on_any_outgoing(AnyHandler handler);
  ListenerId prepend_any_outgoing(AnyHandler handler);
  void off_any_outgoing();
  void off_any_outgoing(ListenerId listener);

  // Runs before the handlers of every event, in the order of registration. An exception that escapes it refuses the
  // event, unless it had called `next` before.
  void use(EventMiddleware middleware);
  // Of events that a middleware has refused, and of a packet that could not be read, after which the connection ends.
  void on_error(std::function<void(const EventError&)> handler);

  // The socket is about to leave: it is still in its rooms, and others can be told; nothing reaches it any more.
  void on_disconnecting(std::function<void(DisconnectReason)> handler);
  void on_disconnect(std::function<void(DisconnectReason)> handler);

  // How the client is connected: "polling" or "websocket".
  std::string_view transport() const;
  // Called with the new transport when the client has changed it.
  void on_upgrade(std::function<void(std::string_view transport)> handler);

  // Leaves the namespace; with `close` the whole connection.
  void disconnect(bool close = false);

 private:
  friend class SocketOperator;
  void send(std::string_view event, const Args& args);
  socketio::SocketCore& core_;
};

// A socket with flags for what is sent next. A plain value, valid as long as the socket; on its shard.
class SocketOperator {
 public:
  explicit SocketOperator(Socket& socket) : socket_(&socket) {}

  SocketOperator volatile_() const;
  SocketOperator compress(bool on) const;
  SocketOperator timeout(std::chrono::milliseconds timeout) const;  // of acknowledgements
  SocketOperator local() const;                                     // of broadcasts

  // To the client; see Socket.
  template <class... T>
    requires EventValues<T...>
  void emit(std::string_view event, T&&... values) const {
    emit(event, make_args(std::forward<T>(values)...));
  }
  void emit(std::string_view event, const Args& args) const;
  void emit_with_ack(std::string_view event, const Args& args, AckHandler handler) const;

  // To others.
  BroadcastOperator broadcast() const;
  BroadcastOperator to(std::string_view room) const { return broadcast().to(room); }
  BroadcastOperator to(const std::vector<std::string>& rooms) const { return broadcast().to(rooms); }
  BroadcastOperator in(std::string_view room) const { return broadcast().to(room); }
  BroadcastOperator in(const std::vector<std::string>& rooms) const { return broadcast().to(rooms); }
  BroadcastOperator except(std::string_view room) const { return broadcast().except(room); }
  BroadcastOperator except(const std::vector<std::string>& rooms) const { return broadcast().except(rooms); }

 private:
  Socket* socket_;
  BroadcastFlags flags_;
  std::optional<std::chrono::milliseconds> timeout_;
};

}  // namespace carillon
