// Handlers that see every event of a socket, in one direction.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <carillon/socket.hpp>

#include "socketio/stats.hpp"

namespace carillon::socketio {

// Owned by one socket.
class CatchAll {
 public:
  ListenerId append(Socket::AnyHandler handler);
  ListenerId prepend(Socket::AnyHandler handler);
  void remove(ListenerId id);
  void clear() { entries_.clear(); }
  bool empty() const { return entries_.empty(); }

  // Calls those that are there now, also when they change the list or end the socket. `what`: for the log.
  void call(Stats& stats, std::string_view what, std::string_view event, const Args& args) const;

 private:
  struct Entry {
    std::uint64_t id;
    std::shared_ptr<Socket::AnyHandler> handler;
  };
  Entry make(Socket::AnyHandler handler);

  std::vector<Entry> entries_;
  std::uint64_t last_id_ = 0;
};

}  // namespace carillon::socketio
