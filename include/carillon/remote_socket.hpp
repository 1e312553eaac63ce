// A socket as fetch_sockets() finds it: what was true of it at that moment, and what can be done with it from anywhere.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <carillon/ack.hpp>
#include <carillon/broadcast_operator.hpp>
#include <carillon/handshake.hpp>

namespace carillon {

// A plain value; any thread. The facts are a copy and do not change. What is done goes to the socket by its id, as
// io.to(id) does: nothing happens when it has gone. Must not outlive the Server.
class RemoteSocket {
 public:
  struct Facts {
    std::string id;
    Handshake handshake;
    std::vector<std::string> rooms;  // own id first
    Value data;                      // Socket::data()
  };
  RemoteSocket(socketio::BroadcastPort& port, std::string name_space, Facts facts)
      : itself_(BroadcastOperator(port, std::move(name_space)).to(facts.id)), facts_(std::move(facts)) {}

  const std::string& id() const { return facts_.id; }
  const Handshake& handshake() const { return facts_.handshake; }
  const std::vector<std::string>& rooms() const { return facts_.rooms; }
  const Value& data() const { return facts_.data; }

  template <class... T>
    requires EventValues<T...>
  void emit(std::string_view event, T&&... values) const {
    itself_.emit(event, std::forward<T>(values)...);
  }
  void emit(std::string_view event, const Args& args) const { itself_.emit(event, args); }
  // As BroadcastOperator::emit_with_ack, which says when and where `handler` is called.
  void emit_with_ack(std::string_view event, const Args& args, AckHandler handler,
                     std::chrono::milliseconds timeout = std::chrono::milliseconds::zero()) const;

  void join(const std::vector<std::string>& rooms) const { itself_.sockets_join(rooms); }
  void join(std::string_view room) const { itself_.sockets_join(room); }
  void leave(const std::vector<std::string>& rooms) const { itself_.sockets_leave(rooms); }
  void leave(std::string_view room) const { itself_.sockets_leave(room); }
  void disconnect(bool close = false) const { itself_.disconnect_sockets(close); }

 private:
  BroadcastOperator itself_;
  Facts facts_;
};

}  // namespace carillon
