// One shard of a node's process: its timers, its delivery core, and the sockets that it serves.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/timer_wheel.hpp"
#include "inbox/deliverer.hpp"
#include "sim/store_port.hpp"
#include "sim/world.hpp"

namespace carillon::sim {

class Node;
class ServerSocket;

class Shard final : private inbox::UserWatcher {
 public:
  Shard(World& world, StoreHost& host, Node& node);
  ~Shard() override;
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Runs it as this shard's thread does: now, or when the shard goes on; not at all once the process is dead.
  void run(Task task);
  bool is_alive() const;
  void doom();  // the process dies before the next step
  void stall(TimePoint until) { stalled_until_ = until; }

  void add_socket(std::shared_ptr<ServerSocket> socket) { sockets_.push_back(std::move(socket)); }
  const std::vector<std::shared_ptr<ServerSocket>>& sockets() const { return sockets_; }
  void forget_closed();

  Node& node() { return node_; }
  inbox::Deliverer& deliverer() { return *deliverer_; }
  StorePort& store() { return port_; }
  UnixMs unix_now() const;

 private:
  void on_user(const std::string& user, bool present) override;
  void go_on();
  void step(Task task);
  void set_time();
  void arm();

  World& world_;
  Node& node_;
  TimerWheel timers_;
  StorePort port_;
  inbox::DeliveryOptions options_;
  std::unique_ptr<inbox::Deliverer> deliverer_;
  std::vector<std::shared_ptr<ServerSocket>> sockets_;
  TimePoint stalled_until_{};
  std::deque<Task> backlog_;
  TimePoint wake_ = never;
};

}  // namespace carillon::sim
