#include "cluster/pubsub_adapter.hpp"

#include <utility>

#include "base/json.hpp"
#include "base/log.hpp"

namespace carillon::cluster {
namespace {

constexpr std::size_t uid_length = 6;

std::string_view describe(Malformed kind) {
  switch (kind) {
    case Malformed::not_msgpack:
      return "is not msgpack";
    case Malformed::not_a_broadcast:
      return "is not of the form [uid, packet, opts]";
    case Malformed::bad_packet:
      return "holds no event";
    case Malformed::nested_too_deep:
      return "is nested too deep";
  }
  return "is malformed";
}

void run_all(std::vector<Task>& tasks) {
  for (Task& task : tasks)
    if (task) task();
}

}  // namespace

PubSubAdapter::PubSubAdapter(redis::Link& link, DeliveryPort& port, Random& random, PubSubOptions options)
    : link_(link), port_(port), key_(std::move(options.key)), uid_(random_id(random, uid_length)) {
  for (const std::string& name_space : options.namespaces) {
    fixed_.insert(name_space);
    listen_to(name_space);
  }
}

void PubSubAdapter::listen_to(std::string_view name_space) {
  Interest& interest = interests_[base_channel(key_, name_space)];
  interest.base = true;
  if (interest.shards == 0) link_.subscribe(base_channel(key_, name_space));
}

void PubSubAdapter::open_namespace(unsigned shard, std::string_view name_space) {
  if (fixed_.contains(name_space)) return;
  auto found = opened_.find(name_space);
  if (found == opened_.end()) {
    found = opened_.emplace(std::string(name_space), 0).first;
    listen_to(name_space);
  }
  found->second |= std::uint64_t{1} << shard;
}

// A room may have the same channel ("/" with "/a", and "//a"): then it goes on.
void PubSubAdapter::close_namespace(unsigned shard, std::string_view name_space) {
  const auto found = opened_.find(name_space);
  if (found == opened_.end()) return;
  found->second &= ~(std::uint64_t{1} << shard);
  if (found->second != 0) return;
  const std::string channel = base_channel(key_, name_space);
  opened_.erase(found);
  const auto interest = interests_.find(channel);
  interest->second.base = false;
  if (interest->second.shards != 0) return;
  interests_.erase(interest);
  link_.unsubscribe(channel);
}

void PubSubAdapter::publish(const socketio::Broadcast& message) {
  if (message.flags.local) return;
  auto body = encode_broadcast(uid_, message);
  if (!body) return statistics_.unpublishable.add();
  statistics_.published.add();
  link_.publish(channel_of(key_, message), std::move(*body));
}

void PubSubAdapter::open_room(unsigned shard, std::string_view name_space, std::string_view room, Task done) {
  const std::string_view channel = scratch_channel(name_space, room);
  auto found = interests_.find(channel);
  if (found == interests_.end()) found = interests_.emplace(std::string(channel), Interest{}).first;
  Interest& interest = found->second;
  if (interest.shards == 0) {
    statistics_.rooms.add(1);
    if (!interest.base) {
      // Until Redis has confirmed it, even if nobody waits: others may come and wait.
      waiting_.try_emplace(found->first);
      link_.subscribe(channel);
    }
  }
  interest.shards |= std::uint64_t{1} << shard;
  wait_for(channel, std::move(done));
}

void PubSubAdapter::await_room(std::string_view name_space, std::string_view room, Task done) {
  wait_for(scratch_channel(name_space, room), std::move(done));
}

void PubSubAdapter::wait_for(std::string_view channel, Task done) {
  if (link_.ready()) {
    if (const auto found = waiting_.find(channel); found != waiting_.end()) {
      found->second.push_back(std::move(done));
      return;
    }
  }
  if (done) done();
}

void PubSubAdapter::close_room(unsigned shard, std::string_view name_space, std::string_view room) {
  const std::string_view channel = scratch_channel(name_space, room);
  const auto found = interests_.find(channel);
  if (found == interests_.end() || found->second.shards == 0) return;
  found->second.shards &= ~(std::uint64_t{1} << shard);
  if (found->second.shards != 0) return;
  statistics_.rooms.add(-1);
  if (found->second.base) return;
  interests_.erase(found);
  link_.unsubscribe(channel);
  if (auto waiting = waiting_.extract(channel_)) run_all(waiting.mapped());  // for a room that is gone again
}

void PubSubAdapter::on_subscribed(std::string_view channel) {
  const auto found = waiting_.find(channel);
  if (found == waiting_.end()) return;
  auto waiting = waiting_.extract(found);
  run_all(waiting.mapped());
}

void PubSubAdapter::on_ready(bool ready) {
  port_.on_gap();  // when the link breaks, and once more when it is whole again
  if (ready) return;
  // The channels stay in waiting_: the link will confirm them some day. A task may call the adapter: work on what
  // waits now.
  std::vector<Task> tasks;
  for (auto& [channel, waiting] : waiting_) {
    for (Task& task : waiting) tasks.push_back(std::move(task));
    waiting.clear();
  }
  run_all(tasks);
}

void PubSubAdapter::on_message(std::string_view channel, std::string_view payload) {
  statistics_.received.add();
  // The cheap tests first; the event itself is looked at only if somebody here gets it.
  if (!interests_.contains(channel)) return statistics_.unwanted.add();
  const auto uid = decode_uid(payload);
  if (!uid) return reject(uid.error(), channel);
  if (*uid == uid_) return statistics_.own.add();
  if (const auto decoded = decode_broadcast(payload, incoming_); !decoded) return reject(decoded.error(), channel);
  if (!fixed_.contains(incoming_.name_space) && !opened_.contains(incoming_.name_space))
    return statistics_.unwanted.add();
  const std::uint64_t shards = shards_for(incoming_);
  if (shards == 0) return statistics_.unwanted.add();
  auto message = to_broadcast(port_.packet_format(), std::move(incoming_));
  if (!message) return reject(message.error(), channel);
  statistics_.delivered.add();
  port_.deliver(std::move(*message), shards);
}

std::uint64_t PubSubAdapter::shards_for(const IncomingBroadcast& message) {
  if (message.rooms.empty()) return every_shard;
  std::uint64_t shards = 0;
  for (const std::string& room : message.rooms) {
    const auto found = interests_.find(scratch_channel(message.name_space, room));
    if (found != interests_.end()) shards |= found->second.shards;
  }
  return shards;
}

std::string_view PubSubAdapter::scratch_channel(std::string_view name_space, std::string_view room) {
  channel_.clear();
  channel_.append(key_).append("#").append(name_space).append("#").append(room).append("#");
  return channel_;
}

void PubSubAdapter::reject(Malformed kind, std::string_view channel) {
  const auto index = static_cast<std::size_t>(kind);
  statistics_.malformed[index].add();
  if ((told_ >> index & 1U) != 0) return;
  told_ |= 1U << index;
  std::string name;
  append_json_string(name, channel.substr(0, 200));
  log_warn("A message on the Redis channel " + name + " " + std::string(describe(kind)) +
           " and was ignored. Some program other than Socket.IO servers and emitters seems to publish there; "
           "further such messages are only counted.");
}

}  // namespace carillon::cluster
