#include "sim/shard.hpp"

#include <utility>

#include "sim/desk.hpp"
#include "sim/node.hpp"
#include "sim/server_socket.hpp"

namespace carillon::sim {

Shard::Shard(World& world, StoreHost& host, Node& node)
    : world_(world),
      node_(node),
      timers_(world.scheduler.now()),
      port_(world, host, *this, node.store_link()),
      options_(world.plan.delivery) {
  if (world.has_bug(Canary::queue)) options_.window *= 2;
  deliverer_ = std::make_unique<inbox::Deliverer>(options_, port_, timers_, node.name());
  if (world.plan.shared) deliverer_->set_watcher(this);
  set_time();
}

Shard::~Shard() = default;

bool Shard::is_alive() const { return node_.is_alive(); }

void Shard::doom() { node_.doom(); }

UnixMs Shard::unix_now() const { return node_.unix_now(); }

void Shard::run(Task task) {
  if (!is_alive()) return;
  if (stalled_until_ <= world_.scheduler.now() && backlog_.empty()) return step(std::move(task));
  backlog_.push_back(std::move(task));
  if (backlog_.size() == 1) world_.scheduler.at(stalled_until_, [this] { go_on(); });
}

void Shard::go_on() {
  if (stalled_until_ > world_.scheduler.now()) return world_.scheduler.at(stalled_until_, [this] { go_on(); });
  while (is_alive() && !backlog_.empty()) {
    Task task = std::move(backlog_.front());
    step(std::move(task));
    backlog_.pop_front();
  }
}

void Shard::step(Task task) {
  set_time();
  task();
  if (!is_alive()) return;
  arm();
  if (node_.desk() != nullptr) node_.desk()->arm();
}

void Shard::set_time() {
  deliverer_->set_time(world_.scheduler.now(), unix_now() - (world_.has_bug(Canary::expiry) ? 3'600'000 : 0));
}

void Shard::arm() {
  const TimePoint next = timers_.next_wake();
  if (next >= wake_) return;
  wake_ = next;
  world_.scheduler.at(next, [this, next] {
    if (wake_ != next) return;  // an earlier one has come since
    wake_ = never;
    run([this] { timers_.advance(world_.scheduler.now()); });
  });
}

void Shard::forget_closed() {
  std::erase_if(sockets_, [](const auto& socket) { return socket->is_closed(); });
}

void Shard::on_user(const std::string& user, bool present) {
  present ? node_.desk()->want(user, *this) : node_.desk()->unwant(user, *this);
}

}  // namespace carillon::sim
