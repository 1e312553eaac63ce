// A user's device with an unmodified client: it answers pings, notices when they stay away, comes back at any node, and
// keeps nothing but the ids that it has seen.
#pragma once

#include <functional>

#include "sim/connection.hpp"
#include "sim/world.hpp"

namespace carillon::sim {

class Client {
 public:
  // Opens a connection to some node; it may lead nowhere.
  using Dial = std::function<Connection&(const Client&)>;

  Client(World& world, DeviceKey key, bool acknowledges, Dial dial);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const DeviceKey& key() const { return key_; }
  bool acknowledges() const { return acknowledges_; }
  Connection* connection() { return connection_; }

  void connect();
  // Says good-bye, or not: its network has changed, and the old connection leads nowhere.
  void leave(bool politely, Milliseconds away);

 private:
  void on_message(const Message& message);
  void acknowledge(const Message& message);
  void watch();
  void drop();
  void come_back(Milliseconds away);

  World& world_;
  DeviceKey key_;
  bool acknowledges_;
  Dial dial_;
  Connection* connection_ = nullptr;
  std::uint64_t watches_ = 0;  // the last one alone counts
};

}  // namespace carillon::sim
