// Publishes into a cluster from a process that holds no sockets.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <carillon/adapter_options.hpp>
#include <carillon/broadcast_operator.hpp>

namespace carillon {

// Apart from the queue, all as in the AdapterOptions of the servers.
struct EmitterOptions {
  AdapterOptions::Kind kind = AdapterOptions::Kind::pubsub;
  std::string key = "socket.io";                   // prefix of the channels
  ShardedMode mode = ShardedMode::dynamic;         // sharded
  std::string stream_name = "socket.io";           // streams
  unsigned stream_count = 1;                       // streams
  std::size_t stream_length_max = 10'000;          // streams: entries, approximately
  std::size_t queue_bytes_max = 16 * 1024 * 1024;  // waiting for Redis; beyond it the newest is refused and counted
};

// Has a thread and a Redis connection of its own. Any thread may emit; messages of one thread keep their order.
// While Redis is away messages wait in the queue. The destructor waits up to two seconds for the queue to empty.
class Emitter {
 public:
  // Throws std::invalid_argument for a malformed URL. Does not wait for Redis.
  explicit Emitter(std::string_view redis_url, const EmitterOptions& options = {});
  ~Emitter();
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;

  BroadcastOperator of(std::string_view name_space) const;  // adds the leading "/" if it is missing
  BroadcastOperator to(std::string_view room) const { return of("/").to(room); }
  BroadcastOperator to(const std::vector<std::string>& rooms) const { return of("/").to(rooms); }
  BroadcastOperator in(std::string_view room) const { return of("/").to(room); }
  BroadcastOperator in(const std::vector<std::string>& rooms) const { return of("/").to(rooms); }
  BroadcastOperator except(std::string_view room) const { return of("/").except(room); }
  BroadcastOperator except(const std::vector<std::string>& rooms) const { return of("/").except(rooms); }
  BroadcastOperator volatile_() const { return of("/").volatile_(); }
  template <class... T>
    requires EventValues<T...>
  void emit(std::string_view event, T&&... values) const {
    of("/").emit(event, std::forward<T>(values)...);
  }
  void emit(std::string_view event, const Args& args) const { of("/").emit(event, args); }

  // For all sockets of the namespace "/"; for some of them, or other namespaces: of() and to(). The servers do it; nobody
  // says on how many sockets, so what is passed to sockets_join() and so on is called with 0, on the emitter's thread,
  // when the message is on its way. fetch_sockets() and emit_with_ack() want answers: std::logic_error.
  void sockets_join(const std::vector<std::string>& rooms) const { of("/").sockets_join(rooms); }
  void sockets_leave(const std::vector<std::string>& rooms) const { of("/").sockets_leave(rooms); }
  void disconnect_sockets(bool close = false) const { of("/").disconnect_sockets(close); }
  // For the handlers of Namespace::on_server_event(), on all servers.
  void server_side_emit(std::string_view event, const Args& args, std::string_view name_space = "/") const;

  // Waits until everything emitted so far has been answered by Redis. False when it was not, in time.
  bool flush(std::chrono::milliseconds timeout);
  std::size_t dropped() const;  // messages refused or lost with a connection, since the start

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carillon
