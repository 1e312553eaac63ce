// The link to a Redis Cluster as others see it, and its turns.
#include "redis/cluster_client.hpp"

#include <algorithm>
#include <utility>

#include "redis/command.hpp"

namespace carillon::redis {

ClusterClient::ClusterClient(ClientOptions options, Random& random, ClientDriver& driver)
    : options_(std::move(options)),
      random_(random),
      driver_(driver),
      share_(options_),
      log_(options_),
      owners_(slot_count, nullptr),
      parked_(share_.queue_budget, options_.queue_age_max_ms),
      look_backoff_(options_.topology_pause_min_ms, options_.topology_pause_max_ms, random) {
  for (const Address& address : options_.url.addresses) node_at(address);
  list_clients();
}

ClusterClient::~ClusterClient() = default;

// --- what is asked of it ---

void ClusterClient::hold_messages(bool hold) {
  messages_held_ = hold;
  for (const auto& node : nodes_) node->client.hold_messages(hold);
  wake();
}

void ClusterClient::set_nodes(std::size_t nodes) {
  sharing_nodes_ = nodes;
  share_.statistics.nodes.set(static_cast<std::int64_t>(nodes));
  for (const auto& node : nodes_) node->client.set_nodes(nodes);
}

void ClusterClient::subscribe(std::string_view channel, ChannelKind kind) {
  if (Node* at = place_of(channel, kind)) {
    at->client.subscribe(channel, kind);
  } else {
    unplaced_.emplace(kind, channel);
    wake();
  }
}

// It may still be where it was before its slot moved.
void ClusterClient::unsubscribe(std::string_view channel, ChannelKind kind) {
  unplaced_.erase({kind, std::string(channel)});
  for (const auto& node : nodes_)
    if (node->client.wants(channel, kind)) node->client.unsubscribe(channel, kind);
  wake();
}

void ClusterClient::follow(std::string stream) {
  const auto same = [&](const std::unique_ptr<Follower>& known) { return known->stream == stream; };
  if (std::any_of(followers_.begin(), followers_.end(), same)) return;
  followers_.push_back(std::make_unique<Follower>(*this, std::move(stream)));
  wake();
}

void ClusterClient::count_subscribers(std::string_view channel, ChannelKind kind,
                                      std::move_only_function<void(std::optional<std::size_t>)> done) {
  const Node* own = place_of(channel, kind);
  if (own == nullptr || !own->client.is_open()) return done(std::nullopt);
  gather(subscriber_question(channel, kind), [done = std::move(done), own = own->address](Answers answers) mutable {
    std::size_t sum = 0;
    bool own_counts = false;
    for (const Answer& answer : answers) {
      const auto count = subscriber_count(answer.reply);
      sum += count.value_or(0);
      own_counts = own_counts || (count && answer.from == own);
    }
    done(own_counts ? std::optional(sum) : std::nullopt);
  });
}

void ClusterClient::command_everywhere(std::vector<std::string> words, std::move_only_function<void(Replies)> done) {
  gather(std::move(words), [done = std::move(done)](Answers answers) mutable {
    Replies replies;
    for (Answer& answer : answers) replies.push_back(std::move(answer.reply));
    done(std::move(replies));
  });
}

std::size_t ClusterClient::unanswered() const {
  std::size_t count = parked_.size();
  for (const auto& node : nodes_) count += node->client.unanswered();
  return count - (looking_ && count > 0 ? 1 : 0);
}

void ClusterClient::abandon() {
  const std::size_t parked = parked_.size();
  while (auto message = parked_.pop()) calls_.drop(std::move(message->done));
  own_queue_messages_.set(0);
  own_queue_bytes_.set(0);
  share_.statistics.dropped_shutdown.add(parked);
  if (parked > 0) log_.tell_abandoned(parked, 0);
  for (std::size_t i = 0; i < nodes_.size(); ++i) nodes_[i]->client.abandon();
  calls_.tell_failed();
}

// --- time ---

// Several clients may ask for it, and it may ask for itself.
void ClusterClient::wake() {
  if (!std::exchange(awake_, true) && !in_time_) driver_.wake();
}

TimePoint ClusterClient::next_deadline() const {
  TimePoint next = parked_.next_deadline();
  if (!looking_ && any_open_node() != nullptr) next = std::min(next, look_at_);
  for (const Client* client : clients_) next = std::min(next, client->next_deadline());
  return next;
}

// What one client is told may be news to another, and to the first one again.
void ClusterClient::on_time(TimePoint now) {
  static constexpr int rounds_max = 3;
  in_time_ = true;
  for (int round = 0; round < rounds_max; ++round) {
    awake_ = false;
    for (Client* client : clients_) client->on_time(now);
    settle(now);
    if (!awake_) break;
  }
  in_time_ = false;
  if (awake_) driver_.wake();
}

void ClusterClient::settle(TimePoint now) {
  age_parked(now);
  calls_.tell_failed();
  choose_home();
  place_followers();
  release_holds();
  if (std::exchange(released_, false)) release_parked();
  plan_look(now);
  look(now);
  retire_nodes();
  list_clients();
  check_ready();
  parked_.stamp(now);
  own_subscriptions_.set(unplaced_.size());
  own_queue_messages_.set(parked_.size());
  own_queue_bytes_.set(parked_.bytes());
  if (calls_.has_failed()) wake();
}

void ClusterClient::age_parked(TimePoint now) {
  parked_.stamp(now);
  while (auto old = parked_.pop_old(now)) {
    share_.statistics.dropped_old.add();
    log_.tell_drops();
    calls_.drop(std::move(old->done));
  }
}

void ClusterClient::list_clients() {
  std::erase_if(retired_, [](const std::unique_ptr<Node>& node) { return node->client.is_gone(); });
  clients_.clear();
  for (const auto& nodes : {&nodes_, &retired_})
    for (const auto& node : *nodes) clients_.push_back(&node->client);
  for (const auto& follower : followers_)
    if (follower->client) clients_.push_back(follower->client.get());
}

// Channels that follow their slot do not end it, but it does not begin without them.
bool ClusterClient::is_complete() const {
  if (!known_ || home_ == nullptr || stuck_ || (!ready_ && !unplaced_.empty())) return false;
  for (const auto& node : nodes_) {
    const Client& client = node->client;
    if (node.get() != home_ && client.subscription_count() == 0) continue;
    if (ready_ ? !client.ready() && !client.is_starting() : !client.ready() || !client.is_restored()) return false;
  }
  return std::all_of(followers_.begin(), followers_.end(), [](const std::unique_ptr<Follower>& follower) {
    return follower->client != nullptr && follower->client->ready();
  });
}

void ClusterClient::check_ready() {
  const bool ready = is_complete();
  if (ready == ready_) return;
  ready_ = ready;
  share_.statistics.ready.set(ready ? 1 : 0);
  if (ready) {
    if (std::exchange(was_ready_, true)) share_.statistics.reconnects.add();
    log_.tell_return(static_cast<std::size_t>(share_.statistics.subscriptions.value()),
                     static_cast<std::size_t>(share_.statistics.queue_messages.value()));
  }
  if (listener_ != nullptr) listener_->on_ready(ready);
}

}  // namespace carillon::redis
