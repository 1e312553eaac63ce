// A client connected to a namespace, seen from the server.
#pragma once

#include <chrono>
#include <functional>
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
class SocketCore;
}

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

// Owned by the server; a reference is valid until the disconnect handler has returned.
// Belongs to one shard: every method is called on it, that is inside its handlers. From other threads
// address the socket by its id: io.to(id).emit(...).
//
// An exception that escapes a handler is logged, counted (carillon_handler_exceptions_total) and ends that handler
// alone.
class Socket {
 public:
  using EventHandler = std::function<void(const Args&, const Ack&)>;

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
  void join(std::string_view room);
  void join(std::string_view room, std::function<void()> done);
  void leave(std::string_view room);
  std::vector<std::string> rooms() const;  // own id first

  // To this client. Reserved event names: std::invalid_argument.
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

  // Handlers; one per event name, a later one replaces it.
  void on(std::string_view event, EventHandler handler);
  void on(std::string_view event, std::function<void(const Args&)> handler);
  void off(std::string_view event);
  void on_disconnect(std::function<void(DisconnectReason)> handler);

  // Leaves the namespace; with `close` the whole connection.
  void disconnect(bool close = false);

 private:
  void send(std::string_view event, const Args& args);
  socketio::SocketCore& core_;
};

}  // namespace carillon
