#include "socketio/client.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
#include "socketio/disconnect_reason.hpp"
#include "socketio/namespace_core.hpp"
#include "socketio/namespace_request.hpp"
#include "socketio/server_core.hpp"
#include "socketio/v2.hpp"

namespace carillon::socketio {
namespace {

constexpr std::size_t small_packet_bytes = 64 * 1024;  // passes even where attackers hold all that there is
constexpr std::size_t socket_id_characters = 20;       // 120 bits; sharded adapters of Node.js know private rooms by it

}  // namespace

class Client::ConnectTimer final : public Timer {
 public:
  explicit ConnectTimer(Client& client) : client_(client) {}
  void on_deadline(TimePoint now) override {
    client_.server_.set_time(now);
    client_.session_.close(engineio::CloseReason::connect_timeout);
  }

 private:
  Client& client_;
};

Client::Client(ServerCore& server, engineio::Session& session)
    : server_(server),
      session_(session),
      decoder_(server.options().parser, server.options().attachments_max, server.options().packet_bytes_max),
      is_v2_(v2::is_spoken_by(session)),
      connect_timer_(std::make_unique<ConnectTimer>(*this)) {
  server.surroundings().timers.set(*connect_timer_, server.now() + server.options().connect_timeout);
}

Client::~Client() = default;

void Client::connected() { connect_timer_.reset(); }

// --- packets ---

void Client::on_message(bool binary, std::string_view data) {
  IncomingPacket packet;
  const auto complete = decoder_.decode(binary, data, packet);
  const bool too_much = !count_pending();
  if (complete && !*complete) {
    if (too_much) session_.close(engineio::CloseReason::overloaded);
    return;
  }
  const auto result = complete ? on_packet(packet) : Failure(complete.error());
  if (result) return;
  // One consequence for every kind of malformed packet: the connection ends, as with the reference server.
  server_.stats().parse_errors.add();
  const std::string message(to_string(result.error()));
  log_debug("session " + session_.id() + " closed: " + message);
  end_reason_ = DisconnectReason::forced_close;
  const auto sockets = sockets_;  // handlers may end any of them
  for (const auto& socket : sockets) socket->tell_error({message, nullptr});
  session_.close(engineio::CloseReason::parse_error);
}

// What it has sent of a packet that waits for attachments. False: that is much, and of all clients it is too much.
bool Client::count_pending() {
  const std::size_t before = std::exchange(pending_counted_bytes_, decoder_.pending_bytes());
  Gauge& total = server_.stats().pending_packet_bytes;
  total.add(static_cast<std::int64_t>(pending_counted_bytes_) - static_cast<std::int64_t>(before));
  const std::size_t limit = server_.options().pending_packet_bytes_total_max;
  return limit == 0 || pending_counted_bytes_ <= small_packet_bytes || static_cast<std::size_t>(total.value()) <= limit;
}

Result<void, PacketError> Client::on_packet(IncomingPacket& packet) {
  if (is_v2_) v2::adapt(packet);
  if (packet.type == PacketType::connect) return on_connect(packet);
  const auto socket = find(packet.name_space);
  if (!socket || socket->state() != SocketCore::State::connected) return Failure(PacketError::out_of_place);
  switch (packet.type) {
    case PacketType::event:
      socket->on_event(packet);
      return {};
    case PacketType::ack:
      socket->on_ack(packet);
      return {};
    case PacketType::disconnect:
      forget(*socket);
      socket->end(DisconnectReason::client_namespace_disconnect);
      return {};
    case PacketType::connect:
    case PacketType::connect_error:
    case PacketType::binary_event:
    case PacketType::binary_ack:
      break;  // the decoder gives none of these
  }
  return Failure(PacketError::unknown_type);
}

Result<void, PacketError> Client::on_connect(IncomingPacket& packet) {
  const std::string_view name = packet.name_space;
  if (find(name) || is_asked_for(name)) return Failure(PacketError::out_of_place);
  if (sockets_.size() + requests_.size() >= server_.options().namespaces_per_client_max) {
    server_.stats().namespaces_refused.add();
    refuse(name, "Too many namespaces");
    return {};
  }
  NamespaceCore* name_space = server_.find_namespace(name);
  if (name_space == nullptr) name_space = server_.find_child(name);
  if (name_space != nullptr) {
    add_socket(*name_space, std::move(packet.auth))->start();
  } else if (server_.registry().parents().empty() || name.size() > server_.registry().limits().namespace_bytes_max) {
    refuse(name, "Invalid namespace");
  } else {
    const auto request = std::make_shared<NamespaceRequest>(*this, std::string(name), std::move(packet.auth));
    requests_.push_back(request);
    request->ask(0);
  }
  return {};
}

void Client::refuse(std::string_view name_space, std::string_view reason) {
  server_.stats().connect_errors.add();
  const Value refusal = Object{{"message", reason}};  // the same for all versions
  session_.send(encode_control(server_.format(), PacketType::connect_error, name_space, &refusal));
}

void Client::on_namespace(NamespaceRequest& request, NamespaceCore* name_space, std::string_view reason) {
  const auto keep = request.shared_from_this();
  std::erase(requests_, keep);
  if (name_space == nullptr) return refuse(request.name(), reason);
  add_socket(*name_space, request.auth())->start();
}

bool Client::is_asked_for(std::string_view name_space) const {
  return std::ranges::any_of(requests_, [&](const auto& request) { return request->name() == name_space; });
}

std::shared_ptr<SocketCore> Client::add_socket(NamespaceCore& name_space, Value auth) {
  std::string id = is_v2_ ? v2::socket_id(name_space.name(), session_.id())
                          : random_id(server_.surroundings().random, socket_id_characters);
  return sockets_.emplace_back(std::make_shared<SocketCore>(*this, name_space, std::move(id), std::move(auth)));
}

void Client::connect_unasked() {
  if (NamespaceCore* root = is_v2_ ? server_.find_namespace("/") : nullptr) add_socket(*root, Object{})->start();
}

void Client::send_connect(const SocketCore& socket, std::string_view pid) {
  Value data = Object{{"sid", socket.id()}};
  if (!pid.empty()) std::get<Object>(data.storage()).append("pid", pid);
  session_.send(
      encode_control(server_.format(), PacketType::connect, socket.name_space().name(), is_v2_ ? nullptr : &data));
}

void Client::send_connect_error(std::string_view name_space, const ConnectError& error) {
  Value data = v2::error_data(error);
  if (!is_v2_) {
    data = Object{{"message", error.message}};
    if (!error.data.is_null()) std::get<Object>(data.storage()).append("data", error.data);
  }
  session_.send(encode_control(server_.format(), PacketType::connect_error, name_space, &data));
}

void Client::replace(SocketCore& socket) {
  const auto keep = socket.shared_from_this();
  forget(socket);
  socket.end(DisconnectReason::server_namespace_disconnect);
  add_socket(socket.name_space(), socket.handshake().auth())->run_middleware(0);
}

void Client::close_if_unused() {
  if (sockets_.empty()) session_.close(engineio::CloseReason::taken_over);
}

void Client::on_ping_sent() {
  for (const auto& socket : sockets_) socket->on_ping_sent();
}

void Client::on_pong() {
  for (const auto& socket : sockets_) socket->on_pong();
}

void Client::on_upgraded() {
  const auto sockets = sockets_;
  for (const auto& socket : sockets) socket->on_upgraded();
}

std::shared_ptr<SocketCore> Client::find(std::string_view name_space) const {
  for (const auto& socket : sockets_)
    if (socket->name_space().name() == name_space) return socket;
  return nullptr;
}

void Client::forget(SocketCore& socket) {
  std::erase_if(sockets_, [&](const auto& entry) { return entry.get() == &socket; });
}

// Told by packets, so that the clients do not come back by themselves.
void Client::disconnect() {
  const auto sockets = sockets_;  // handlers may end others of them meanwhile
  for (const auto& socket : sockets)
    if (socket->state() == SocketCore::State::connected) socket->disconnect(false);
  session_.close(engineio::CloseReason::forced_close);
}

void Client::on_close(engineio::CloseReason reason) {
  connect_timer_.reset();
  decoder_.reset();
  count_pending();
  requests_.clear();
  for (const auto& socket : std::exchange(sockets_, {}))
    socket->end(end_reason_.value_or(disconnect_reason_of(reason)));
}

}  // namespace carillon::socketio
