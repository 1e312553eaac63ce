#include "sim/simulation.hpp"

#include <fmt/format.h>

#include <utility>

namespace carillon::sim {

using End = Connection::End;

Simulation::Simulation(std::uint64_t seed, Canary canary, bool print)
    : world_(seed, canary, print), host_(world_), producer_(world_, [this] { return any_node(); }) {}

Simulation::~Simulation() = default;

// --- a run ---

Outcome Simulation::run() {
  for (std::size_t i = 0; i < world_.plan.nodes; ++i) {
    places_.push_back(std::make_unique<Place>(Place{.machine = {.name = "n" + std::to_string(i)}}));
    start_node(*places_.back());
  }
  make_clients();
  producer_.plan_all();
  plan_faults();
  run_until(world_.scheduler.now() + world_.plan.faults_for);
  heal();
  run_until(world_.scheduler.now() + world_.plan.settle_for);
  if (!is_over()) world_.history.finish();

  const History& history = world_.history;
  world_.trace.line("end: {} steps, {} accepted, {} received", world_.scheduler.steps(), history.told(),
                    history.received());
  return {history.violations(), world_.trace.hash(), world_.scheduler.steps(), history.told(), history.received(),
          history.repeats(),    history.gaps()};
}

// A violation is looked at where it happened; of a canary only the one that it was made for.
bool Simulation::is_over() const {
  const auto& violations = world_.history.violations();
  if (world_.canary == Canary::none) return !violations.empty();
  return violations.contains(canary_names.at(static_cast<std::size_t>(world_.canary)));
}

void Simulation::run_until(TimePoint end) {
  while (!is_over() && world_.scheduler.run_one(end)) continue;
}

void Simulation::heal() {
  world_.trace.line("faults stop");
  world_.faults = false;
  host_.restart();
  host_.set_trouble({});
  for (const auto& place : places_) {
    place->machine.link = {};
    start_node(*place);
  }
}

// --- clients and nodes ---

void Simulation::make_clients() {
  for (std::size_t user = 0; user < world_.plan.users; ++user) {
    const std::uint64_t devices = world_.prng.between(std::uint64_t{1}, std::uint64_t{world_.plan.devices});
    for (std::uint64_t device = 0; device < devices; ++device) {
      DeviceKey key{"u" + std::to_string(user), device == 0 ? "" : "d" + std::to_string(device)};
      const bool acknowledges = world_.prng.chance(world_.plan.acknowledging_pm);
      clients_.push_back(std::make_unique<Client>(
          world_, std::move(key), acknowledges, [this](const Client& client) -> Connection& { return dial(client); }));
      world_.scheduler.after(world_.prng.between(Milliseconds(0), world_.plan.faults_for / 2),
                             [client = clients_.back().get()] { client->connect(); });
    }
  }
}

Connection& Simulation::dial(const Client& client) {
  connections_.push_back(std::make_unique<Connection>(world_, static_cast<int>(connections_.size()) + 1));
  Connection& connection = *connections_.back();
  Place& place = any_place();
  world_.scheduler.after(world_.delay(), [&connection, &place, &client] {
    if (place.node == nullptr) return connection.tear();
    place.node->connect(connection, client.key(), client.acknowledges());
  });
  return connection;
}

Node* Simulation::any_node() { return any_place().node; }

void Simulation::start_node(Place& place) {
  if (place.node != nullptr) return;
  if (!world_.plan.shared) host_.restart();
  nodes_.push_back(std::make_unique<Node>(world_, host_, place.machine, *this, ++place.lives));
  place.node = nodes_.back().get();
  world_.trace.line("{}: start", place.node->name());
}

void Simulation::start_later(Place& place) {
  world_.scheduler.after(world_.prng.between(Milliseconds(100), Milliseconds(8'000)),
                         [this, &place] { start_node(place); });
}

void Simulation::on_doomed(Node& node) {
  world_.scheduler.after(Milliseconds(0), [this, &node] {
    for (const auto& place : places_)
      if (place->node == &node) crash_node(*place);
  });
}

// --- faults ---

void Simulation::plan_faults() {
  const Plan& plan = world_.plan;
  again_and_again(plan.node_crash_every, [this] { crash_node(any_place()); });
  again_and_again(plan.node_stop_every, [this] { stop_node(any_place()); });
  again_and_again(plan.shard_stall_every, [this] { stall_shard(); });
  again_and_again(plan.clock_jump_every, [this] { jump_clock(); });
  again_and_again(plan.store_crash_every, [this] { crash_store(); });
  again_and_again(plan.disk_trouble_every, [this] { trouble_disk(); });
  again_and_again(plan.store_link_every, [this] { trouble_link(); });
  again_and_again(plan.client_fault_every, [this] { trouble_client(); });
}

void Simulation::again_and_again(Milliseconds every, std::function<void()> fault) {
  if (every == Milliseconds(0)) return;
  world_.scheduler.after(world_.prng.between(every / 2, every + every / 2), [this, every, fault = std::move(fault)] {
    if (!world_.faults) return;
    fault();
    again_and_again(every, fault);
  });
}

void Simulation::crash_node(Place& place) {
  if (place.node == nullptr) return;
  std::exchange(place.node, nullptr)->crash(world_.prng.chance(500));
  if (!world_.plan.shared) host_.crash();
  start_later(place);
}

void Simulation::stop_node(Place& place) {
  if (place.node == nullptr) return;
  std::exchange(place.node, nullptr)->stop();
  start_later(place);
}

void Simulation::stall_shard() {
  const Place& place = any_place();
  if (place.node == nullptr) return;
  const Milliseconds time = world_.prng.between(Milliseconds(50), Milliseconds(8'000));
  place.node->shards()[world_.prng.below(place.node->shards().size())]->stall(world_.scheduler.now() + time);
  world_.trace.line("{}: a shard stands still for {} ms", place.node->name(), time.count());
}

void Simulation::jump_clock() {
  Place& place = any_place();
  const Milliseconds most = world_.plan.clock_skew_max;
  place.machine.clock_offset = world_.prng.between(-most, most);
  world_.trace.line("{}: its clock is off by {} ms", place.machine.name, place.machine.clock_offset.count());
}

void Simulation::crash_store() {
  if (!host_.is_up()) return;
  host_.crash();
  for (const auto& place : places_) {
    Node* const node = place->node;
    if (node == nullptr) continue;
    world_.scheduler.after(world_.delay(), [node] { node->on_store_connection_lost(); });
  }
  world_.scheduler.after(world_.prng.between(Milliseconds(200), Milliseconds(8'000)), [this] { host_.restart(); });
}

void Simulation::trouble_disk() {
  const auto trouble = world_.prng.chance(500) ? inbox::StoreError::full : inbox::StoreError::read_only;
  world_.trace.line("store: {}", to_string(trouble));
  host_.set_trouble(trouble);
  world_.scheduler.after(world_.prng.between(Milliseconds(300), Milliseconds(10'000)),
                         [this] { host_.set_trouble({}); });
}

void Simulation::trouble_link() {
  Place& place = any_place();
  if (place.node == nullptr) return;
  const std::uint64_t kind = world_.prng.below(3);
  world_.trace.line("{}: its way to the store, {}", place.node->name(), kind);
  if (kind == 0) return place.node->on_store_connection_lost();
  (kind == 1 ? place.machine.link.lost_to : place.machine.link.lost_from) = true;
  world_.scheduler.after(world_.prng.between(Milliseconds(300), Milliseconds(12'000)),
                         [&place] { place.machine.link = {}; });
}

void Simulation::trouble_client() {
  Client& client = *clients_[world_.prng.below(clients_.size())];
  if (client.connection() == nullptr) return;
  Connection& connection = *client.connection();
  const Milliseconds away =
      world_.prng.between(Milliseconds(10), Milliseconds(world_.prng.chance(200) ? 30'000 : 1'000));
  switch (world_.prng.below(6)) {
    case 0:
      return client.leave(true, away);
    case 1:
      return client.leave(false, away);
    case 2:
      return connection.tear();
    case 3:
      return connection.deafen(End::server);
    case 4:
      return connection.deafen(End::client);
    default:
      return connection.hold(world_.scheduler.now() + world_.prng.between(Milliseconds(50), Milliseconds(8'000)));
  }
}

}  // namespace carillon::sim
