#include "sim/client.hpp"

#include <utility>

namespace carillon::sim {
namespace {

using End = Connection::End;
constexpr Milliseconds backoff_min{100};
constexpr Milliseconds backoff_max{5'000};
constexpr Milliseconds answer_max{500};  // of an application that acknowledges

}  // namespace

Client::Client(World& world, DeviceKey key, bool acknowledges, Dial dial)
    : world_(world), key_(std::move(key)), acknowledges_(acknowledges), dial_(std::move(dial)) {}

void Client::connect() {
  if (connection_ != nullptr) return;
  connection_ = &dial_(*this);
  Connection* const mine = connection_;
  mine->on_message(End::client, [this, mine](const Message& message) {
    if (mine == connection_) on_message(message);
  });
  mine->on_lost(End::client, [this, mine] {
    if (mine != connection_) return;
    connection_ = nullptr;
    come_back(world_.prng.between(backoff_min, backoff_max));
  });
  watch();
}

void Client::on_message(const Message& message) {
  switch (message.kind) {
    case Message::Kind::welcome:
    case Message::Kind::ping:
      watch();
      if (message.kind == Message::Kind::ping) connection_->send(End::client, {.kind = Message::Kind::pong});
      return;
    case Message::Kind::event:
      world_.trace.line("{}/{} receives {} at {} by {}", key_.user, key_.device, message.id,
                        inbox::to_string(message.position), connection_->number());
      world_.history.on_received(key_, message.position, message.id);
      if (acknowledges_) acknowledge(message);
      return;
    case Message::Kind::gap:
      world_.trace.line("{}/{} is told of a gap, {} to {}", key_.user, key_.device, message.gap.from, message.gap.to);
      return world_.history.on_gap(key_, message.gap);
    case Message::Kind::hello:
    case Message::Kind::pong:
    case Message::Kind::acknowledgement:
    case Message::Kind::bye:
      return;
  }
}

void Client::acknowledge(const Message& message) {
  if (world_.faults && world_.prng.chance(world_.plan.ack_lost_pm)) return;
  world_.scheduler.after(world_.prng.between(Milliseconds(0), answer_max),
                         [this, mine = connection_, position = message.position] {
                           if (mine != connection_) return;
                           mine->send(End::client, {.kind = Message::Kind::acknowledgement, .position = position});
                         });
}

// As Engine.IO's client does: without a ping for an interval and a timeout it gives the connection up.
void Client::watch() {
  const Milliseconds patience = world_.plan.ping_interval + world_.plan.ping_timeout;
  world_.scheduler.after(patience, [this, mine = connection_, silence = ++watches_] {
    if (mine != connection_ || silence != watches_ || connection_ == nullptr) return;
    world_.trace.line("{}/{} hears nothing any more", key_.user, key_.device);
    drop();
    come_back(world_.prng.between(backoff_min, backoff_max));
  });
}

void Client::drop() {
  connection_->close(End::client);
  connection_ = nullptr;
}

void Client::leave(bool politely, Milliseconds away) {
  if (connection_ == nullptr) return;
  world_.trace.line("{}/{} leaves {}, for {} ms", key_.user, key_.device, politely ? "politely" : "without a word",
                    away.count());
  if (!politely) {
    connection_->deafen(End::server);
    connection_->deafen(End::client);
  }
  drop();
  come_back(away);
}

void Client::come_back(Milliseconds away) {
  world_.scheduler.after(away, [this] { connect(); });
}

}  // namespace carillon::sim
