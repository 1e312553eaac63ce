#include "sim/connection.hpp"

#include <algorithm>
#include <utility>

namespace carillon::sim {

void Connection::send(End from, Message message) {
  Side& to = side(other(from));
  if (side(from).closed) return;
  to.last_arrival = std::max({to.last_arrival, to.held_until, world_.scheduler.now() + world_.delay()});
  to.on_the_way.push_back(std::move(message));
  world_.scheduler.at(to.last_arrival, [this, end = other(from)] { arrive(end); });
}

// One of those on the way: always the first of them.
void Connection::arrive(End to) {
  Side& end = side(to);
  if (end.held_until > world_.scheduler.now()) return world_.scheduler.at(end.held_until, [this, to] { arrive(to); });
  const Message message = std::move(end.on_the_way.front());
  end.on_the_way.pop_front();
  if (end.closed || end.deaf) return;
  if (message.kind == Message::Kind::bye) return lose(to);
  if (end.hears) end.hears(message);
}

void Connection::close(End from) {
  if (side(from).closed) return;
  send(from, {.kind = Message::Kind::bye});
  side(from).closed = true;
}

void Connection::tear() {
  for (const End end : {End::client, End::server}) {
    side(end).deaf = true;
    world_.scheduler.after(world_.prng.between(Milliseconds(0), Milliseconds(3'000)), [this, end] { lose(end); });
  }
}

void Connection::hold(TimePoint until) {
  for (Side& end : sides_)
    if (end.held_until <= world_.scheduler.now()) end.held_until = until;
}

void Connection::lose(End end) {
  if (std::exchange(side(end).closed, true)) return;
  if (side(end).loses) side(end).loses();
}

}  // namespace carillon::sim
