#include "sim/shard.hpp"

#include <set>
#include <utility>

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
  if (is_alive()) arm();
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

void Shard::compare_heads() {
  std::set<std::string> users;
  for (const auto& socket : sockets_) users.insert(socket->key().user);
  for (const std::string& user : users) {
    port_.summarize(user, unix_now(), [this, user](const Result<inbox::UserSummary, inbox::StoreError>& summary) {
      if (!summary) return;
      for (const auto& socket : std::vector(sockets_))
        if (socket->key().user == user) socket->on_head({summary->epoch, summary->head});
    });
  }
}

}  // namespace carillon::sim
