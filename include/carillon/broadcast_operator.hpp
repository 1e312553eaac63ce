// Chooses receivers and emits to them: io.to("room").except(id).emit("event", ...).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <carillon/args.hpp>

namespace carillon {

namespace socketio {
class BroadcastPort;
}

struct BroadcastFlags {
  bool is_volatile = false;              // drop it for a client that cannot take it at once
  bool local = false;                    // this node only
  bool compress = true;                  // allow compression (nothing is compressed unless the server is configured to)
  std::chrono::milliseconds timeout{0};  // for answers; zero: the server's default
};

// What came back from a broadcast with acknowledgement. Complete when `missing` is 0.
struct BroadcastAcks {
  std::vector<Args> responses;           // one per client that answered, in the order of arrival on its shard
  std::size_t missing = 0;               // clients that did not answer in time, or went away before
  std::vector<std::string> missing_ids;  // their sockets' ids, of this node
  std::size_t missing_servers = 0;       // that have not said how many clients they have
};
struct FetchedSockets;  // <carillon/cluster_answers.hpp>
using FetchHandler = std::function<void(const FetchedSockets&)>;
using SocketsHandler = std::function<void(std::size_t sockets)>;  // how many were concerned
using BroadcastAckHandler = std::function<void(const BroadcastAcks&)>;

// A plain value, immutable in use: each call returns a new operator, so one can be kept and reused. Any thread.
// It must not outlive the Server or Emitter that it came from.
class BroadcastOperator {
 public:
  BroadcastOperator(socketio::BroadcastPort& port, std::string name_space)
      : port_(&port), namespace_(std::move(name_space)) {}

  // Adds a room; several rooms form a union. No room at all means every socket of the namespace.
  // A socket's id is a room of its own.
  BroadcastOperator to(std::string_view room) const;
  BroadcastOperator to(const std::vector<std::string>& rooms) const;
  BroadcastOperator in(std::string_view room) const { return to(room); }
  BroadcastOperator in(const std::vector<std::string>& rooms) const { return to(rooms); }
  BroadcastOperator except(std::string_view room) const;
  BroadcastOperator except(const std::vector<std::string>& rooms) const;
  BroadcastOperator local() const;
  BroadcastOperator volatile_() const;  // `volatile` is a keyword
  BroadcastOperator compress(bool on) const;
  // For answers. Zero: ServerOptions::broadcast_ack_timeout_ms.
  BroadcastOperator timeout(std::chrono::milliseconds timeout) const;

  // Sockets on this node get it at once and in order; other nodes through the adapter. The event must not be one of
  // the reserved names (connect, connect_error, disconnect, disconnecting, newListener, removeListener), and it and all
  // text in the arguments must be UTF-8: std::invalid_argument.
  template <class... T>
    requires EventValues<T...>
  void emit(std::string_view event, T&&... values) const {
    send(event, make_args(std::forward<T>(values)...));
  }
  void emit(std::string_view event, const Args& args) const { send(event, args); }

  // Emits and collects what the clients answer: `handler` is called once, when all have answered or gone away, or at
  // the timeout. It runs on the shard of the caller, never before this has returned; a call from another thread is
  // answered on one of the server's shards. A server that stops may destroy the handler without calling it. An Emitter
  // cannot get answers: std::logic_error.
  // Of each answer `responses` holds all arguments; Socket.IO servers on Node.js give the first alone.
  void emit_with_ack(std::string_view event, const Args& args, BroadcastAckHandler handler) const;

  // On the matching sockets of all servers, or with local() of this one. Handlers are called as emit_with_ack's: once, on the
  // caller's shard, after the call.
  // What they are at this moment; <carillon/cluster_answers.hpp>. Copies everything: on many sockets it takes its time.
  // Not for an Emitter: std::logic_error.
  void fetch_sockets(FetchHandler handler) const;
  // `done` is called when the sockets of this server have joined, also in the eyes of the cluster, with their number; the
  // other servers have been told by then.
  void sockets_join(const std::vector<std::string>& rooms, SocketsHandler done = nullptr) const;
  void sockets_join(std::string_view room, SocketsHandler done = nullptr) const {
    sockets_join(std::vector{std::string(room)}, std::move(done));
  }
  void sockets_leave(const std::vector<std::string>& rooms, SocketsHandler done = nullptr) const;
  void sockets_leave(std::string_view room, SocketsHandler done = nullptr) const {
    sockets_leave(std::vector{std::string(room)}, std::move(done));
  }
  // From the namespace, or, with `close`, their whole connections.
  void disconnect_sockets(bool close = false, SocketsHandler done = nullptr) const;

 private:
  void send(std::string_view event, const Args& args) const;

  socketio::BroadcastPort* port_;
  std::string namespace_;
  std::vector<std::string> rooms_;
  std::vector<std::string> except_;
  BroadcastFlags flags_;
};

}  // namespace carillon
