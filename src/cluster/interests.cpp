#include "cluster/interests.hpp"

#include <utility>

namespace carillon::cluster {
namespace {

// "/a" with room "b#c" has the channel of "/a#b" with room "c".
bool may_share_channel(std::string_view name_space, std::string_view room) {
  return name_space.contains('#') || room.contains('#');
}

void run_all(std::vector<Task>& tasks) {
  for (Task& task : tasks)
    if (task) task();
}

}  // namespace

Interests::Interests(redis::Link& link, Gauge& held_rooms, Rules rules)
    : link_(link), held_rooms_(held_rooms), rules_(std::move(rules)) {}

// --- namespaces ---

bool Interests::add_namespace(std::string_view name_space) { return fixed_.emplace(name_space).second; }

bool Interests::open_namespace(unsigned shard, std::string_view name_space) {
  if (fixed_.contains(name_space)) return false;
  const auto [found, is_new] = opened_.try_emplace(std::string(name_space), 0);
  found->second |= std::uint64_t{1} << shard;
  return is_new;
}

bool Interests::close_namespace(unsigned shard, std::string_view name_space) {
  const auto found = opened_.find(name_space);
  if (found == opened_.end()) return false;
  found->second &= ~(std::uint64_t{1} << shard);
  if (found->second != 0) return false;
  opened_.erase(found);
  return true;
}

bool Interests::serves(std::string_view name_space) const {
  return fixed_.contains(name_space) || opened_.contains(name_space);
}

// --- channels ---

Interests::Interest& Interests::at(std::string_view channel) {
  auto found = interests_.find(channel);
  if (found == interests_.end()) found = interests_.emplace(std::string(channel), Interest{}).first;
  return found->second;
}

void Interests::subscribe(std::string_view channel, Interest& interest) {
  if (std::exchange(interest.subscribed, true)) return;
  // Until Redis has confirmed it, even if nobody waits: others may come and wait.
  waiting_.try_emplace(std::string(channel));
  link_.subscribe(channel, rules_.kind);
}

// After something has let go of the channel.
void Interests::settle(std::string_view channel) {
  const auto found = interests_.find(channel);
  const bool held = found->second.shards != 0;
  if (found->second.pins != 0 || (held && found->second.is_rooms)) return;
  const bool subscribed = std::exchange(found->second.subscribed, false);
  const std::string name(channel);
  if (!held) interests_.erase(found);
  if (!subscribed) return;
  link_.unsubscribe(name, rules_.kind);
  if (auto waiting = waiting_.extract(name)) run_all(waiting.mapped());  // for a room that is gone again
}

void Interests::pin(std::string_view channel) {
  Interest& interest = at(channel);
  ++interest.pins;
  subscribe(channel, interest);
}

void Interests::unpin(std::string_view channel) {
  const auto found = interests_.find(channel);
  if (found == interests_.end() || found->second.pins == 0 || --found->second.pins > 0) return;
  settle(channel);
}

// --- rooms ---

void Interests::open_room(unsigned shard, std::string_view name_space, std::string_view room, Task done) {
  const std::string_view channel = scratch_channel(name_space, room);
  Interest& interest = at(channel);
  if (interest.shards == 0) held_rooms_.add(1);
  if (!interest.is_rooms && (!rules_.has_channel || rules_.has_channel(room))) {
    interest.is_rooms = true;
    subscribe(channel, interest);
  }
  interest.shards |= std::uint64_t{1} << shard;
  note_holder(channel, shard, name_space, room);
  wait_for(channel, std::move(done));
}

void Interests::note_holder(std::string_view channel, unsigned shard, std::string_view name_space,
                            std::string_view room) {
  if (may_share_channel(name_space, room)) holders_[std::string(channel)].emplace(shard, name_space.size());
}

bool Interests::forget_holder(std::string_view channel, unsigned shard, std::string_view name_space,
                              std::string_view room) {
  if (!may_share_channel(name_space, room)) return false;
  const auto found = holders_.find(channel);
  if (found == holders_.end()) return false;
  found->second.erase({shard, name_space.size()});
  const auto other = found->second.lower_bound({shard, 0});
  const bool holds = other != found->second.end() && other->first == shard;
  if (found->second.empty()) holders_.erase(found);
  return holds;
}

void Interests::await_room(std::string_view name_space, std::string_view room, Task done) {
  wait_for(scratch_channel(name_space, room), std::move(done));
}

void Interests::wait_for(std::string_view channel, Task done) {
  if (link_.ready()) {
    if (const auto found = waiting_.find(channel); found != waiting_.end()) {
      found->second.push_back(std::move(done));
      return;
    }
  }
  if (done) done();
}

void Interests::close_room(unsigned shard, std::string_view name_space, std::string_view room) {
  const std::string_view channel = scratch_channel(name_space, room);
  const auto found = interests_.find(channel);
  if (found == interests_.end() || found->second.shards == 0) return;
  if (forget_holder(channel, shard, name_space, room)) return;
  found->second.shards &= ~(std::uint64_t{1} << shard);
  if (found->second.shards != 0) return;
  found->second.is_rooms = false;
  held_rooms_.add(-1);
  settle(channel);
}

std::uint64_t Interests::shards_for(std::string_view name_space, std::span<const std::string> rooms) {
  if (rooms.empty()) return ~std::uint64_t{0};
  std::uint64_t shards = 0;
  for (const std::string& room : rooms) {
    const auto found = interests_.find(scratch_channel(name_space, room));
    if (found != interests_.end()) shards |= found->second.shards;
  }
  return shards;
}

// --- from the link ---

void Interests::on_subscribed(std::string_view channel) {
  const auto found = waiting_.find(channel);
  if (found == waiting_.end()) return;
  auto waiting = waiting_.extract(found);
  run_all(waiting.mapped());
}

void Interests::on_ready(bool ready) {
  if (ready) return;
  // The channels stay in waiting_: the link will confirm them some day. A task may call back: work on what waits now.
  std::vector<Task> tasks;
  for (auto& [channel, waiting] : waiting_) {
    for (Task& task : waiting) tasks.push_back(std::move(task));
    waiting.clear();
  }
  run_all(tasks);
}

std::string_view Interests::scratch_channel(std::string_view name_space, std::string_view room) {
  channel_.clear();
  channel_.append(rules_.key).append("#").append(name_space).append("#").append(room).append("#");
  return channel_;
}

}  // namespace carillon::cluster
