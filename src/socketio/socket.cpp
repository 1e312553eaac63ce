// carillon::Socket: the public face of SocketCore.
#include <carillon/socket.hpp>

#include "socketio/namespace_core.hpp"
#include "socketio/server_core.hpp"
#include "socketio/socket_core.hpp"
#include "socketio/socket_extras.hpp"

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
bool Socket::connected() const {
  using State = socketio::SocketCore::State;
  return core_.state() == State::connected || core_.state() == State::disconnecting;
}
std::string Socket::name_space() const { return core_.name_space().name(); }

bool Socket::recovered() const { return core_.recovered(); }
void Socket::set_identity(std::string identity) { core_.set_identity(std::move(identity)); }
Value& Socket::data() { return core_.data(); }

bool Socket::join(std::string_view room) { return core_.join(room, nullptr); }
bool Socket::join(std::string_view room, std::function<void()> done) { return core_.join(room, std::move(done)); }
void Socket::leave(std::string_view room) { core_.leave(room); }
std::vector<std::string> Socket::rooms() const { return core_.rooms(); }

void Socket::send(std::string_view event, const Args& args) { core_.emit(event, args, {}); }
void Socket::emit_volatile(std::string_view event, const Args& args) { core_.emit(event, args, {.is_volatile = true}); }
void Socket::emit_with_ack(std::string_view event, const Args& args, AckHandler handler,
                           std::optional<std::chrono::milliseconds> timeout) {
  core_.emit_with_ack(event, args, std::move(handler),
                      timeout.value_or(core_.name_space().server().options().ack_timeout));
}

BroadcastOperator Socket::broadcast() const {
  const auto& surroundings = core_.name_space().server().surroundings();
  return BroadcastOperator(surroundings.broadcasts, core_.name_space().name()).except(core_.id());
}

SocketOperator Socket::volatile_() { return SocketOperator(*this).volatile_(); }
SocketOperator Socket::compress(bool on) { return SocketOperator(*this).compress(on); }
SocketOperator Socket::timeout(std::chrono::milliseconds timeout) { return SocketOperator(*this).timeout(timeout); }
SocketOperator Socket::local() { return SocketOperator(*this).local(); }

// --- handlers ---

namespace {

Socket::EventHandler without_ack(std::function<void(const Args&)> handler) {
  return [handler = std::move(handler)](const Args& args, const Ack&) { handler(args); };
}

}  // namespace

ListenerId Socket::on(std::string_view event, EventHandler handler) {
  return core_.listeners().add(event, std::move(handler), false);
}
ListenerId Socket::on(std::string_view event, std::function<void(const Args&)> handler) {
  return core_.listeners().add(event, without_ack(std::move(handler)), false);
}
ListenerId Socket::once(std::string_view event, EventHandler handler) {
  return core_.listeners().add(event, std::move(handler), true);
}
ListenerId Socket::once(std::string_view event, std::function<void(const Args&)> handler) {
  return core_.listeners().add(event, without_ack(std::move(handler)), true);
}
void Socket::off(std::string_view event) { core_.listeners().remove(event); }
void Socket::off(ListenerId listener) { core_.listeners().remove(listener); }

ListenerId Socket::on_any(AnyHandler handler) { return core_.extras().incoming.append(std::move(handler)); }
ListenerId Socket::prepend_any(AnyHandler handler) { return core_.extras().incoming.prepend(std::move(handler)); }
void Socket::off_any() { core_.extras().incoming.clear(); }
void Socket::off_any(ListenerId listener) { core_.extras().incoming.remove(listener); }

ListenerId Socket::on_any_outgoing(AnyHandler handler) {
  ListenerId id{};
  core_.change_outgoing([&](socketio::CatchAll& all) { id = all.append(std::move(handler)); });
  return id;
}
ListenerId Socket::prepend_any_outgoing(AnyHandler handler) {
  ListenerId id{};
  core_.change_outgoing([&](socketio::CatchAll& all) { id = all.prepend(std::move(handler)); });
  return id;
}
void Socket::off_any_outgoing() {
  core_.change_outgoing([](socketio::CatchAll& all) { all.clear(); });
}
void Socket::off_any_outgoing(ListenerId listener) {
  core_.change_outgoing([&](socketio::CatchAll& all) { all.remove(listener); });
}

void Socket::use(EventMiddleware middleware) {
  core_.extras().middlewares.push_back(std::make_shared<EventMiddleware>(std::move(middleware)));
}
void Socket::on_error(std::function<void(const EventError&)> handler) {
  core_.extras().error_handlers.push_back(std::move(handler));
}
void Socket::on_disconnecting(std::function<void(DisconnectReason)> handler) {
  core_.extras().disconnecting_handlers.push_back(std::move(handler));
}
void Socket::on_disconnect(std::function<void(DisconnectReason)> handler) { core_.on_disconnect(std::move(handler)); }
std::string_view Socket::transport() const { return core_.transport(); }
void Socket::on_upgrade(std::function<void(std::string_view)> handler) {
  core_.extras().upgrade_handlers.push_back(std::move(handler));
}

void Socket::disconnect(bool close) { core_.disconnect(close); }

// --- SocketOperator ---

SocketOperator SocketOperator::volatile_() const {
  SocketOperator result = *this;
  result.flags_.is_volatile = true;
  return result;
}

SocketOperator SocketOperator::compress(bool on) const {
  SocketOperator result = *this;
  result.flags_.compress = on;
  return result;
}

SocketOperator SocketOperator::timeout(std::chrono::milliseconds timeout) const {
  SocketOperator result = *this;
  result.timeout_ = timeout;
  return result;
}

SocketOperator SocketOperator::local() const {
  SocketOperator result = *this;
  result.flags_.local = true;
  return result;
}

void SocketOperator::emit(std::string_view event, const Args& args) const { socket_->core_.emit(event, args, flags_); }

void SocketOperator::emit_with_ack(std::string_view event, const Args& args, AckHandler handler) const {
  socket_->emit_with_ack(event, args, std::move(handler), timeout_);
}

BroadcastOperator SocketOperator::broadcast() const {
  BroadcastOperator result = socket_->broadcast().compress(flags_.compress);
  if (flags_.is_volatile) result = result.volatile_();
  if (flags_.local) result = result.local();
  return timeout_ ? result.timeout(*timeout_) : result;
}

}  // namespace carillon
