#include "sim/server_socket.hpp"

#include <utility>

namespace carillon::sim {

ServerSocket::ServerSocket(World& world, Shard& shard, Connection& connection, DeviceKey key, bool acknowledges)
    : world_(world),
      shard_(shard),
      connection_(connection),
      key_(std::move(key)),
      acknowledges_(acknowledges),
      window_(world, acknowledges) {}

void ServerSocket::start() {
  connection_.on_message(Connection::End::server, [weak = weak_from_this()](const Message& message) {
    const auto self = weak.lock();
    if (!self) return;
    self->shard_.run([self, message] { self->on_message(message); });
  });
  connection_.on_lost(Connection::End::server, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self) self->shard_.run([self] { self->leave(); });
  });
  // Sometimes a heartbeat is out before the inbox knows of the socket: its pong proves nothing.
  if (world_.prng.chance(100)) send_ping();
  transmit({.kind = Message::Kind::welcome});
  const std::string id = "s" + std::to_string(connection_.number());
  recipient_ = shard_.deliverer().add({key_.user, key_.device, id, acknowledges_}, *this);
  heartbeat_later();
}

// --- from the delivery core ---

void ServerSocket::send(const inbox::Notification& notification, const inbox::Position& position) {
  if (closed_ || !shard_.is_alive()) return;
  world_.trace.line("{}/{} is sent {} at {} by {}", key_.user, key_.device, notification.id, inbox::to_string(position),
                    connection_.number());
  world_.history.on_sent(key_, notification);
  window_.on_sent(position.number, notification.bytes());
  Message message{.kind = Message::Kind::event, .id = notification.id, .position = position};
  if (world_.has_bug(Canary::order) && !held_back_ && world_.prng.chance(200)) {
    held_back_ = std::move(message);
    return;
  }
  transmit(std::move(message));
  if (held_back_) transmit(*std::exchange(held_back_, std::nullopt));
}

void ServerSocket::ping() {
  if (closed_ || ping_out_ || !shard_.is_alive()) return;
  send_ping();
  if (!acknowledges_) window_.on_pinged();
  recipient_->on_ping_sent();
  if (world_.has_bug(Canary::proof)) recipient_->on_pong();
}

void ServerSocket::send_ping() {
  ping_out_ = true;
  transmit({.kind = Message::Kind::ping});
  world_.scheduler.after(world_.plan.ping_timeout, [weak = weak_from_this(), number = ++pings_] {
    const auto self = weak.lock();
    if (!self) return;
    self->shard_.run([self, number] {
      if (self->ping_out_ && self->pings_ == number) self->close();
    });
  });
}

void ServerSocket::tell_gap(const inbox::Gap& gap) {
  if (closed_ || !shard_.is_alive()) return;
  world_.trace.line("{}/{} is sent a gap by {}: {} to {}", key_.user, key_.device, connection_.number(), gap.from,
                    gap.to);
  if (gap.reason == inbox::Gap::Reason::epoch) window_.on_new_epoch();
  transmit({.kind = Message::Kind::gap, .gap = gap});
}

// --- from the client ---

void ServerSocket::on_message(const Message& message) {
  if (closed_) return;
  if (message.kind == Message::Kind::pong) {
    on_pong();
  } else if (message.kind == Message::Kind::acknowledgement) {
    world_.trace.line("{}/{} acknowledges {}", key_.user, key_.device, inbox::to_string(message.position));
    window_.on_acknowledged(message.position.number);
    recipient_->on_acknowledged(message.position);
  }
}

void ServerSocket::on_pong() {
  ping_out_ = false;
  ++pongs_;
  window_.on_ponged();
  recipient_->on_pong();
  heartbeat_later();
}

void ServerSocket::heartbeat_later() {
  world_.scheduler.after(world_.plan.ping_interval, [weak = weak_from_this(), pongs = pongs_] {
    const auto self = weak.lock();
    if (!self) return;
    self->shard_.run([self, pongs] {
      if (self->pongs_ == pongs) self->ping();
    });
  });
}

// --- its end ---

void ServerSocket::close() {
  if (closed_) return;
  connection_.close(Connection::End::server);
  leave();
}

void ServerSocket::leave() {
  if (std::exchange(closed_, true)) return;
  world_.trace.line("{}/{}: {} is closed", key_.user, key_.device, connection_.number());
  shard_.deliverer().remove(*recipient_);
}

void ServerSocket::die(bool client_hears) {
  if (std::exchange(closed_, true)) return;
  if (client_hears) {
    connection_.close(Connection::End::server);
  } else {
    connection_.deafen(Connection::End::server);
    connection_.deafen(Connection::End::client);
  }
}

}  // namespace carillon::sim
