// A client's connection to a node: two streams in order, each of which may end, be late, or lead nowhere.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "inbox/recipient_port.hpp"
#include "sim/world.hpp"

namespace carillon::sim {

struct Message {
  enum class Kind : std::uint8_t { hello, welcome, event, gap, ping, pong, acknowledgement, bye };
  Kind kind = Kind::hello;
  std::string id{};  // of an event
  inbox::Position position{};
  inbox::Gap gap{};
};

// Both ends and the messages on their way refer to it: it lives as long as the run.
class Connection {
 public:
  enum class End : std::uint8_t { client, server };

  Connection(World& world, int number) : world_(world), number_(number) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int number() const { return number_; }
  void on_message(End end, std::function<void(const Message&)> hears) { side(end).hears = std::move(hears); }
  // The other end, or something between, has closed it.
  void on_lost(End end, std::function<void()> loses) { side(end).loses = std::move(loses); }

  // To the other end.
  void send(End from, Message message);
  // This end does not listen any more; the other one hears of it behind all messages, if it can.
  void close(End from);

  // Faults. Nothing more arrives at this end, and nobody is told.
  void deafen(End end) { side(end).deaf = true; }
  // Nothing more arrives; both ends are told, each in its time.
  void tear();
  // Nothing arrives until then; then all of it, in order.
  void hold(TimePoint until);

 private:
  struct Side {
    std::function<void(const Message&)> hears;
    std::function<void()> loses;
    bool closed = false;  // does not listen
    bool deaf = false;
    std::deque<Message> on_the_way;  // to this end
    TimePoint last_arrival{};
    TimePoint held_until{};
  };
  Side& side(End end) { return sides_.at(static_cast<std::size_t>(end)); }
  static End other(End end) { return end == End::client ? End::server : End::client; }
  void arrive(End to);
  void lose(End end);

  World& world_;
  int number_;
  std::array<Side, 2> sides_;
};

}  // namespace carillon::sim
