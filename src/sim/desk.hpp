// A node's part in a store that is shared: what InboxDesk in runtime/ is. It hears the signals of the users whose sockets
// the node holds, and asks for their heads.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "inbox/deliverer.hpp"
#include "inbox/head_checks.hpp"
#include "sim/store_host.hpp"
#include "sim/world.hpp"

namespace carillon::sim {

class Node;
class Shard;

// Runs on the node's first shard.
class Desk final : public Subscriber, private inbox::HeadCheckPort {
 public:
  Desk(World& world, StoreHost& host, Node& node);

  void want(const std::string& user, Shard& shard);
  void unwant(const std::string& user, Shard& shard);
  // The connection to the store broke: what was subscribed is not any more.
  void on_link_lost();
  // The process is dead.
  void end() { host_.drop(*this); }
  // After each step of a shard.
  void arm();

  // Subscriber
  void publish(const inbox::Signal& signal) override;

 private:
  TimePoint now() const override { return world_.scheduler.now(); }
  void on_head(const std::string& user, const inbox::Position& head) override;

  void run(Task task);
  void to_host(Task task);
  void tell(const std::string& user, const std::function<void(inbox::Deliverer&)>& what);
  void subscribe(const std::string& user);
  void reconnect();

  World& world_;
  StoreHost& host_;
  Node& node_;
  inbox::HeadChecks heads_;
  std::map<std::string, std::vector<Shard*>> listeners_;
  bool connected_ = true;
  int link_ = 0;  // tells one connection from the next
  TimePoint last_request_{};
  TimePoint last_signal_{};
  TimePoint wake_ = never;
};

}  // namespace carillon::sim
