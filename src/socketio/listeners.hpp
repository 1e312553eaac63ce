// The event handlers of one socket.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/socket.hpp>

namespace carillon::socketio {

// Owned by one socket. In the order of registration; an event may have several. Handlers may add and remove handlers
// while they are called: those that were added wait for the next event, those that were removed are not called.
class Listeners {
 public:
  using HandlerPtr = std::shared_ptr<Socket::EventHandler>;

  ListenerId add(std::string_view event, Socket::EventHandler handler, bool once);
  void remove(std::string_view event);
  void remove(ListenerId id);
  // Handlers may hold what refers to the socket, and run code when they are destroyed.
  void clear();

  // A walk over the handlers of an event: null at its end. One that is called once has been removed.
  class Walk {
   public:
    Walk(Listeners& listeners, std::string_view event)
        : listeners_(listeners), event_(event), last_(listeners.last_id_) {}
    HandlerPtr next();

   private:
    Listeners& listeners_;
    std::string_view event_;
    std::uint64_t at_ = 0;  // the id of the one that was given
    std::uint64_t last_;
  };

 private:
  struct Entry {
    std::uint64_t id;
    bool once;
    std::string event;
    HandlerPtr handler;
  };

  std::vector<Entry> entries_;  // by id
  std::uint64_t last_id_ = 0;
};

}  // namespace carillon::socketio
