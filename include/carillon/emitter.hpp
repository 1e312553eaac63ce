// Publishes into a cluster from a process that holds no sockets.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <carillon/broadcast_operator.hpp>

namespace carillon {

struct EmitterOptions {
  std::string key = "socket.io";                   // prefix of the channels, as configured in the adapter
  std::size_t queue_bytes_max = 16 * 1024 * 1024;  // waiting for Redis; beyond it the newest is refused and counted
};

// Has a thread and a Redis connection of its own. Any thread may emit; messages of one thread keep their order.
// While Redis is away messages wait in the queue. The destructor waits up to two seconds for the queue to empty.
class Emitter {
 public:
  // Throws std::invalid_argument for a malformed URL. Does not wait for Redis.
  explicit Emitter(std::string_view redis_url, EmitterOptions options = {});
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

  // Waits until everything emitted so far has been answered by Redis. False when it was not, in time.
  bool flush(std::chrono::milliseconds timeout);
  std::size_t dropped() const;  // messages refused or lost with a connection, since the start

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carillon
