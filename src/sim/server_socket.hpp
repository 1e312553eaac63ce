// A node's end of a connection: what Engine.IO and the inbox's socket in runtime/ do for the delivery core.
#pragma once

#include <memory>
#include <optional>

#include "inbox/recipient.hpp"
#include "sim/connection.hpp"
#include "sim/shard.hpp"
#include "sim/window_checker.hpp"
#include "sim/world.hpp"

namespace carillon::sim {

class ServerSocket final : public inbox::RecipientPort, public std::enable_shared_from_this<ServerSocket> {
 public:
  ServerSocket(World& world, Shard& shard, Connection& connection, DeviceKey key, bool acknowledges);

  const DeviceKey& key() const { return key_; }
  bool is_closed() const { return closed_; }

  void start();
  void close();                 // by the server
  void die(bool client_hears);  // with its process

  // inbox::RecipientPort
  void send(const inbox::Notification& notification, const inbox::Position& position) override;
  void ping() override;
  void tell_gap(const inbox::Gap& gap) override;
  void tell_read(const inbox::ReadEvent&) override {}

 private:
  void on_message(const Message& message);
  void on_pong();
  void send_ping();
  void heartbeat_later();
  void leave();
  void transmit(Message message) { connection_.send(Connection::End::server, std::move(message)); }

  World& world_;
  Shard& shard_;
  Connection& connection_;
  DeviceKey key_;
  bool acknowledges_;
  bool closed_ = false;
  std::shared_ptr<inbox::Recipient> recipient_;
  bool ping_out_ = false;
  std::uint64_t pings_ = 0;  // sent; tells the deadlines of one from those of another
  std::uint64_t pongs_ = 0;
  WindowChecker window_;
  std::optional<Message> held_back_;  // of the canary
};

}  // namespace carillon::sim
