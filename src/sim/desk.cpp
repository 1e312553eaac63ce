#include "sim/desk.hpp"

#include <algorithm>
#include <utility>

#include "sim/node.hpp"
#include "sim/shard.hpp"

namespace carillon::sim {
namespace {

constexpr Milliseconds reconnect_min{50};
constexpr Milliseconds reconnect_max{2'000};

}  // namespace

Desk::Desk(World& world, StoreHost& host, Node& node)
    : world_(world),
      host_(host),
      node_(node),
      heads_(node.shards().front()->store(), {.at_once_max = 2, .interval = world.plan.heads_compared_every}, *this) {}

void Desk::run(Task task) { node_.shards().front()->run(std::move(task)); }

// Requests arrive in their order.
void Desk::to_host(Task task) {
  last_request_ = std::max(last_request_, world_.scheduler.now() + world_.delay());
  world_.scheduler.at(last_request_, [this, link = link_, task = std::move(task)]() mutable {
    if (node_.is_alive() && link == link_ && !node_.store_link().lost_to && host_.is_up()) task();
  });
}

// --- users ---

void Desk::want(const std::string& user, Shard& shard) {
  run([this, user, &shard] {
    std::vector<Shard*>& shards = listeners_[user];
    shards.push_back(&shard);
    if (shards.size() > 1) return;
    heads_.add(user);
    if (connected_) subscribe(user);
  });
}

void Desk::unwant(const std::string& user, Shard& shard) {
  run([this, user, &shard] {
    const auto found = listeners_.find(user);
    if (found == listeners_.end()) return;
    std::erase(found->second, &shard);
    if (!found->second.empty()) return;
    listeners_.erase(found);
    heads_.remove(user);
    if (connected_) to_host([this, user] { host_.unsubscribe(user, *this); });
  });
}

// By mail to each shard, as in runtime/.
void Desk::tell(const std::string& user, const std::function<void(inbox::Deliverer&)>& what) {
  const auto found = listeners_.find(user);
  if (found == listeners_.end()) return;
  const unsigned times = world_.faults && world_.prng.chance(world_.plan.signal_twice_pm) ? 2 : 1;
  for (Shard* const shard : found->second)
    for (unsigned i = 0; i < times; ++i)
      world_.scheduler.after(Milliseconds(0),
                             [shard, what] { shard->run([shard, what] { what(shard->deliverer()); }); });
}

// --- the store ---

void Desk::publish(const inbox::Signal& signal) {
  const bool loses = world_.faults || world_.has_bug(Canary::liveness);
  if (node_.store_link().lost_from || (loses && world_.prng.chance(world_.plan.signal_lost_pm))) return;
  last_signal_ = std::max(last_signal_, world_.scheduler.now() + world_.delay());
  world_.scheduler.at(last_signal_, [this, link = link_, signal] {
    if (link != link_) return;
    run([this, signal] { tell(signal.user, [signal](inbox::Deliverer& to) { to.on_signal(signal); }); });
  });
}

void Desk::on_head(const std::string& user, const inbox::Position& head) {
  if (world_.has_bug(Canary::liveness)) return;
  world_.trace.line("{}: the log of {} ends at {}", node_.name(), user, inbox::to_string(head));
  tell(user, [user, head](inbox::Deliverer& to) { to.on_head(user, head); });
}

void Desk::subscribe(const std::string& user) {
  to_host([this, user] {
    host_.subscribe(user, *this);
    if (node_.store_link().lost_from) return;
    last_signal_ = std::max(last_signal_, world_.scheduler.now() + world_.delay());
    world_.scheduler.at(last_signal_, [this, link = link_, user] {
      if (link == link_) run([this, user] { heads_.check(user); });
    });
  });
}

void Desk::on_link_lost() {
  host_.drop(*this);
  ++link_;
  connected_ = false;
  reconnect();
}

void Desk::reconnect() {
  world_.scheduler.after(world_.prng.between(reconnect_min, reconnect_max), [this, link = link_] {
    if (!node_.is_alive() || link != link_) return;
    const StoreLink& way = node_.store_link();
    if (!host_.is_up() || way.lost_to || way.lost_from) return reconnect();
    run([this, link] {
      if (link != link_) return;
      connected_ = true;
      for (const auto& [user, shards] : listeners_) subscribe(user);
      heads_.go_on();
    });
  });
}

// --- time ---

void Desk::arm() {
  const TimePoint next = heads_.next_deadline();
  if (next >= wake_) return;
  wake_ = next;
  world_.scheduler.at(next, [this, next] {
    if (wake_ != next) return;
    wake_ = never;
    run([this] { heads_.on_time(world_.scheduler.now()); });
  });
}

}  // namespace carillon::sim
