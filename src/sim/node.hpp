// One process of a server, until it dies: what runtime/ is to the delivery core.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "inbox/deliverer.hpp"
#include "sim/connection.hpp"
#include "sim/shard.hpp"
#include "sim/store_host.hpp"
#include "sim/world.hpp"

namespace carillon::sim {

// The machine that it runs on: outlives it.
struct Machine {
  std::string name;
  Milliseconds clock_offset{0};
  StoreLink link{};
};

class Desk;

// Told when a process dies in the middle of something.
class NodeKeeper {
 public:
  virtual ~NodeKeeper() = default;
  virtual void on_doomed(Node& node) = 0;
};

class Node {
 public:
  Node(World& world, StoreHost& host, Machine& machine, NodeKeeper& keeper, int life);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  bool is_alive() const { return alive_; }
  const std::string& name() const { return name_; }
  const StoreLink& store_link() const { return machine_.link; }
  UnixMs unix_now() const { return world_.scheduler.unix_now() + machine_.clock_offset.count(); }
  const std::vector<std::unique_ptr<Shard>>& shards() const { return shards_; }

  // A client's first message has come.
  void connect(Connection& connection, const DeviceKey& key, bool acknowledges);
  // A producer's request: answers with the status and the id.
  using Respond = std::function<void(int status, const std::string& id)>;
  struct Request {
    std::string id;  // that the notification gets if it is new
    std::vector<std::string> users;
    std::string data;
    std::string collapse_key;
    std::string key;  // of idempotency
    std::string fingerprint;
    Milliseconds ttl{0};
  };
  void notify(const Request& request, Respond respond);
  Desk* desk() { return desk_.get(); }  // null: the store is its own
  // A connection of its own broke: the calls are over, and signals may have been missed.
  void on_store_connection_lost();

  // In the middle of what it does: nothing that it does from now on has an effect.
  void doom();
  // Its connections die with it: the clients hear of it, or not, if the whole machine is gone.
  void crash(bool clients_hear);
  // Says good-bye to its sockets first.
  void stop();

 private:
  void on_signals(const std::vector<inbox::Signal>& signals);
  void tick();

  World& world_;
  Machine& machine_;
  NodeKeeper& keeper_;
  std::string name_;
  bool alive_ = true;
  bool doomed_ = false;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<Desk> desk_;
};

}  // namespace carillon::sim
