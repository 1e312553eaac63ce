// carillon::Socket: the public face of SocketCore.
#include <carillon/socket.hpp>

#include "socketio/namespace_core.hpp"
#include "socketio/server_core.hpp"
#include "socketio/socket_core.hpp"

namespace carillon {

std::string_view to_string(DisconnectReason reason) {
  switch (reason) {
    case DisconnectReason::client_namespace_disconnect:
      return "client namespace disconnect";
    case DisconnectReason::server_namespace_disconnect:
      return "server namespace disconnect";
    case DisconnectReason::forced_close:
      return "forced close";
    case DisconnectReason::transport_close:
      return "transport close";
    case DisconnectReason::transport_error:
      return "transport error";
    case DisconnectReason::ping_timeout:
      return "ping timeout";
    case DisconnectReason::parse_error:
      return "parse error";
    case DisconnectReason::server_shutting_down:
      return "server shutting down";
  }
  return "transport close";
}

const std::string& Socket::id() const { return core_.id(); }
const Handshake& Socket::handshake() const { return core_.handshake(); }
bool Socket::connected() const { return core_.state() == socketio::SocketCore::State::connected; }
std::string Socket::name_space() const { return core_.name_space().name(); }

bool Socket::recovered() const { return core_.recovered(); }
void Socket::set_identity(std::string identity) { core_.set_identity(std::move(identity)); }
Value& Socket::data() { return core_.data(); }

void Socket::join(std::string_view room) { core_.join(room, nullptr); }
void Socket::join(std::string_view room, std::function<void()> done) { core_.join(room, std::move(done)); }
void Socket::leave(std::string_view room) { core_.leave(room); }
std::vector<std::string> Socket::rooms() const { return core_.rooms(); }

void Socket::send(std::string_view event, const Args& args) { core_.emit(event, args, false); }
void Socket::emit_volatile(std::string_view event, const Args& args) { core_.emit(event, args, true); }
void Socket::emit_with_ack(std::string_view event, const Args& args, AckHandler handler,
                           std::optional<std::chrono::milliseconds> timeout) {
  core_.emit_with_ack(event, args, std::move(handler),
                      timeout.value_or(core_.name_space().server().options().ack_timeout));
}

BroadcastOperator Socket::broadcast() const {
  const auto& surroundings = core_.name_space().server().surroundings();
  return BroadcastOperator(surroundings.broadcasts, core_.name_space().name()).except(core_.id());
}

void Socket::on(std::string_view event, EventHandler handler) { core_.on(event, std::move(handler)); }
void Socket::on(std::string_view event, std::function<void(const Args&)> handler) {
  core_.on(event, [handler = std::move(handler)](const Args& args, const Ack&) { handler(args); });
}
void Socket::off(std::string_view event) { core_.off(event); }
void Socket::on_disconnect(std::function<void(DisconnectReason)> handler) { core_.on_disconnect(std::move(handler)); }

void Socket::disconnect(bool close) { core_.disconnect(close); }

}  // namespace carillon
