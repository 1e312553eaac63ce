#include "sim/node.hpp"

#include <utility>

#include "sim/desk.hpp"
#include "sim/server_socket.hpp"

namespace carillon::sim {
namespace {

constexpr Milliseconds sweep_every{10'000};
constexpr std::size_t swept_max = 100;

}  // namespace

Node::Node(World& world, StoreHost& host, Machine& machine, NodeKeeper& keeper, int life)
    : world_(world), machine_(machine), keeper_(keeper), name_(machine.name + "." + std::to_string(life)) {
  for (std::size_t i = 0; i < world.plan.shards; ++i) shards_.push_back(std::make_unique<Shard>(world, host, *this));
  if (world.plan.shared) desk_ = std::make_unique<Desk>(world, host, *this);
  tick();
}

Node::~Node() { alive_ = false; }

void Node::tick() {
  world_.scheduler.after(sweep_every, [this] {
    if (!alive_) return;
    Shard& first = *shards_.front();
    first.run(
        [this, &first] { first.store().sweep(unix_now(), swept_max, [](const Result<bool, inbox::StoreError>&) {}); });
    tick();
  });
}

// --- clients ---

void Node::connect(Connection& connection, const DeviceKey& key, bool acknowledges) {
  if (!alive_) return connection.tear();
  Shard& shard = *shards_[world_.prng.below(shards_.size())];
  shard.run([this, &shard, &connection, key, acknowledges] {
    world_.trace.line("{}: {}/{} connects by {}", name_, key.user, key.device, connection.number());
    const auto socket = std::make_shared<ServerSocket>(world_, shard, connection, key, acknowledges);
    shard.forget_closed();
    shard.add_socket(socket);
    socket->start();
  });
}

// --- producers ---

void Node::notify(const Request& request, Respond respond) {
  Shard& first = *shards_.front();
  first.run([this, &first, request, respond = std::move(respond)]() mutable {
    const UnixMs now = unix_now();
    inbox::Notification made{request.id, "notification",           request.data, request.collapse_key,
                             now,        now + request.ttl.count()};
    auto notification = std::make_shared<const inbox::Notification>(std::move(made));
    inbox::Acceptance acceptance{notification, request.users, request.key, request.fingerprint};
    first.store().accept(std::move(acceptance),
                         [this, notification, respond](const Result<inbox::Accepted, inbox::StoreError>& accepted) {
                           if (!accepted)
                             return respond(accepted.error() == inbox::StoreError::key_conflict ? 409 : 503, "");
                           std::vector<inbox::Signal> signals;
                           for (const inbox::Placement& placement : accepted->placements)
                             signals.push_back({placement.user, placement.position, notification});
                           if (!signals.empty()) on_signals(signals);
                           respond(202, accepted->id);
                         });
  });
}

void Node::on_signals(const std::vector<inbox::Signal>& signals) {
  for (const auto& shard : shards_) {
    const unsigned times = world_.faults && world_.prng.chance(world_.plan.signal_twice_pm) ? 2 : 1;
    for (unsigned i = 0; i < times; ++i) {
      world_.scheduler.after(Milliseconds(0), [&to = *shard, signals] {
        to.run([&to, signals] {
          for (const inbox::Signal& signal : signals) to.deliverer().on_signal(signal);
        });
      });
    }
  }
}

void Node::on_store_connection_lost() {
  if (!alive_) return;
  for (const auto& shard : shards_) shard->store().break_off();
  if (desk_) desk_->on_link_lost();
}

// --- its end ---

void Node::doom() {
  if (std::exchange(doomed_, true)) return;
  alive_ = false;
  keeper_.on_doomed(*this);
}

void Node::crash(bool clients_hear) {
  world_.trace.line("{}: crash", name_);
  alive_ = false;
  if (desk_) desk_->end();
  for (const auto& shard : shards_)
    for (const auto& socket : shard->sockets()) socket->die(clients_hear);
}

void Node::stop() {
  world_.trace.line("{}: stop", name_);
  for (const auto& shard : shards_)
    for (const auto& socket : std::vector(shard->sockets())) socket->close();
  alive_ = false;
  if (desk_) desk_->end();
}

}  // namespace carillon::sim
