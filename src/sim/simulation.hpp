// One run from one seed: first faults and safety, then no more faults, and everything must arrive.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/client.hpp"
#include "sim/node.hpp"
#include "sim/producer.hpp"
#include "sim/store_host.hpp"
#include "sim/world.hpp"

namespace carillon::sim {

struct Outcome {
  std::map<std::string, std::string, std::less<>> violations;  // checker -> what it has found
  std::uint64_t hash = 0;                                      // of the trace
  std::uint64_t steps = 0;
  std::size_t accepted = 0;
  std::size_t received = 0;
  std::size_t repeats = 0;  // of those received
  std::size_t gaps = 0;     // told
};

class Simulation final : public NodeKeeper {
 public:
  Simulation(std::uint64_t seed, Canary canary, bool print);
  ~Simulation() override;

  Outcome run();
  std::string plan() const { return world_.plan.to_string(); }

 private:
  struct Place {
    Machine machine;
    Node* node = nullptr;  // the process that runs there
    int lives = 0;
  };

  void on_doomed(Node& node) override;

  void make_clients();
  Connection& dial(const Client& client);
  Node* any_node();
  bool is_over() const;
  void run_until(TimePoint end);
  void heal();

  void plan_faults();
  void again_and_again(Milliseconds every, std::function<void()> fault);
  void start_node(Place& place);
  void crash_node(Place& place);
  void stop_node(Place& place);
  void start_later(Place& place);
  void stall_shard();
  void jump_clock();
  void crash_store();
  void trouble_disk();
  void trouble_link();
  void trouble_client();
  Place& any_place() { return *places_[world_.prng.below(places_.size())]; }

  World world_;
  StoreHost host_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Place>> places_;
  std::vector<std::unique_ptr<Node>> nodes_;  // the dead, too: what is on its way refers to them
  std::vector<std::unique_ptr<Client>> clients_;
  Producer producer_;
};

}  // namespace carillon::sim
