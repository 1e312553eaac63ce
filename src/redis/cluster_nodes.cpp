// The nodes of a Redis Cluster: which there are, which of them has which slots, and where subscriptions go.
#include <algorithm>
#include <string>
#include <utility>

#include "base/log.hpp"
#include "redis/cluster_client.hpp"

namespace carillon::redis {
namespace {

// MOVED is believed so often for one slot before the topology is asked for: nodes may disagree for a while.
constexpr int flips_max = 4;

}  // namespace

ClusterClient::Node::Node(ClusterClient& cluster, Address where)
    : owner(cluster),
      id(++cluster.nodes_made_),
      address(std::move(where)),
      client(cluster.node_options(address), cluster.random_, cluster, &cluster.share_) {
  client.set_listener(this);
  client.set_redirections(this);
}

// A plain message comes through every node on which it is subscribed.
void ClusterClient::Node::on_message(ChannelKind kind, std::string_view channel, std::string_view payload) {
  if (owner.listener_ == nullptr || (kind != ChannelKind::sharded && this != owner.home_)) return;
  owner.listener_->on_message(kind, channel, payload);
}

void ClusterClient::Node::on_subscribed(ChannelKind kind, std::string_view channel) {
  if (owner.listener_ != nullptr && owner.place_of(channel, kind) == this)
    owner.listener_->on_subscribed(kind, channel);
}

void ClusterClient::Node::on_ready(bool ready) {
  if (!ready && slots > 0) owner.look_wanted_ = true;
  owner.wake();
}

void ClusterClient::Node::on_message_redirected(Message message, std::string_view error) {
  owner.on_message_redirected(*this, std::move(message), error);
}

void ClusterClient::Node::on_subscription_redirected(std::string_view channel, std::string_view error) {
  owner.on_subscription_redirected(*this, channel, error);
}

ClusterClient::Follower::Follower(ClusterClient& cluster, std::string name)
    : owner(cluster), stream(std::move(name)), slot(slot_of(stream)) {}

void ClusterClient::Follower::on_ready(bool ready) {
  if (!ready) owner.look_wanted_ = true;
  owner.wake();
}

void ClusterClient::Follower::on_entry(std::string_view name, std::string_view entry, StreamFieldsView fields) {
  if (owner.listener_ != nullptr) owner.listener_->on_entry(name, entry, fields);
}

void ClusterClient::Follower::on_entries_lost(std::string_view name) {
  if (owner.listener_ != nullptr) owner.listener_->on_entries_lost(name);
}

void ClusterClient::Follower::on_position(std::string_view name, std::string_view id) {
  if (owner.listener_ != nullptr) owner.listener_->on_position(name, id);
}

void ClusterClient::Follower::on_stream_redirected(std::string_view error) {
  const auto redirection = parse_redirection(error, address);
  const Node* known = owner.owners_[slot];
  const bool news = known == nullptr || known->address == address;
  if (redirection && redirection->kind == Redirection::Kind::moved && news) owner.learn(slot, redirection->address);
  owner.look_wanted_ = true;
  owner.wake();
}

// --- which nodes there are ---

ClientOptions ClusterClient::node_options(const Address& address) const {
  ClientOptions options = options_;
  options.url.kind = Url::Kind::single;
  options.url.addresses = {address};
  options.cluster_node = true;
  return options;
}

ClusterClient::Node* ClusterClient::find_node(std::uint64_t id) const {
  for (const auto& node : nodes_)
    if (node->id == id) return node.get();
  return nullptr;
}

ClusterClient::Node& ClusterClient::node_at(const Address& address) {
  for (const auto& node : nodes_)
    if (node->address == address) return *node;
  wake();
  Node& node = *nodes_.emplace_back(std::make_unique<Node>(*this, address));
  node.client.hold_messages(messages_held_);
  node.client.set_nodes(sharing_nodes_);
  return node;
}

ClusterClient::Node* ClusterClient::any_open_node() const {
  for (const auto& node : nodes_)
    if (node->client.is_open()) return node.get();
  return nullptr;
}

bool ClusterClient::is_needed(const Node& node) const {
  if (node.listed || node.slots > 0 || &node == home_) return true;
  if (node.client.unanswered() > 0 || node.client.subscription_count() > 0) return true;
  // Those of the URL are where everything begins, and begins again when all others are gone.
  const auto& given = options_.url.addresses;
  if (std::find(given.begin(), given.end(), node.address) == given.end()) return false;
  return std::none_of(nodes_.begin(), nodes_.end(),
                      [](const std::unique_ptr<Node>& other) { return other->listed && other->client.is_open(); });
}

void ClusterClient::retire_nodes() {
  const bool lonely = std::none_of(nodes_.begin(), nodes_.end(), [](const std::unique_ptr<Node>& node) {
    return node->listed && node->client.is_open();
  });
  if (lonely)
    for (const Address& address : options_.url.addresses) node_at(address);
  for (std::size_t i = 0; i < nodes_.size();) {
    if (is_needed(*nodes_[i])) {
      ++i;
      continue;
    }
    nodes_[i]->client.set_listener(nullptr);
    nodes_[i]->client.retire();
    retired_.push_back(std::move(nodes_[i]));
    nodes_.erase(nodes_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

// --- who has which slots ---

// Whether something is not as it should be, which the topology may explain.
bool ClusterClient::in_trouble() const {
  if (!known_ || home_ == nullptr || !home_->client.is_open() || !unplaced_.empty() || !parked_.empty()) return true;
  for (const auto& [slot, hold] : holds_)
    if (hold.until_look) return true;
  for (const auto& node : nodes_)
    if (node->slots > 0 && !node->client.is_open()) return true;
  return std::any_of(followers_.begin(), followers_.end(), [](const std::unique_ptr<Follower>& follower) {
    return follower->client == nullptr || !follower->client->ready();
  });
}

void ClusterClient::plan_look(TimePoint now) {
  if (looking_) return;
  const bool trouble = in_trouble();
  if (std::exchange(looked_, false)) {
    const auto interval = static_cast<std::uint64_t>(options_.topology_interval_ms.count());
    look_at_ = now + Milliseconds(interval / 2 + random_.below(interval + 1));
    if (!trouble) look_backoff_.reset();
    if (trouble) look_at_ = now + options_.topology_pause_min_ms + look_backoff_.next();
  }
  if (look_wanted_ && known_) look_at_ = std::min(look_at_, std::max(now, looked_at_ + options_.topology_pause_min_ms));
  const TimePoint latest = now + options_.topology_pause_min_ms + options_.topology_pause_max_ms;
  if (trouble && look_at_ > latest) look_at_ = now + options_.topology_pause_min_ms + look_backoff_.next();
}

// Not always the same one: it may be cut off from the others.
void ClusterClient::look(TimePoint now) {
  if (looking_ || now < look_at_) return;
  std::vector<Node*> open;
  for (const auto& node : nodes_)
    if (node->client.is_open()) open.push_back(node.get());
  if (open.empty()) return;
  Node& asked = *open[random_.below(open.size())];
  looking_ = true;
  look_wanted_ = false;
  looked_at_ = now;
  asked.client.command({"CLUSTER", "SLOTS"}, {}, [this, address = asked.address](Result<Reply, CommandError> reply) {
    on_slots(std::move(reply), address);
  });
}

void ClusterClient::on_slots(Result<Reply, CommandError> reply, const Address& asked) {
  looking_ = false;
  looked_ = true;
  wake();
  if (!reply) {
    if (reply.error().kind != CommandError::Kind::refused) return;
    const std::string_view hint = advice(classify_error(reply.error().text));
    return log_.tell_outage(endpoint(asked) + " answered \"" + reply.error().text.substr(0, 200) +
                            "\" to CLUSTER SLOTS" + (hint.empty() ? "" : " (" + std::string(hint) + ")"));
  }
  const auto topology = read_topology(*reply, asked);
  if (!topology) return log_.tell_outage(endpoint(asked) + ": " + topology.error());
  apply(*topology);
}

void ClusterClient::apply(const Topology& topology) {
  known_ = true;
  for (const auto& node : nodes_) node->listed = node->master = false;
  std::vector<Node*> listed;
  for (const Topology::Node& one : topology.nodes) {
    Node& node = *listed.emplace_back(&node_at(one.address));
    node.listed = true;
    node.master = one.master;
    node.client.set_minor(!one.master);
  }
  std::vector<Node*> next(slot_count, nullptr);
  for (const Topology::Range& range : topology.ranges)
    std::fill(next.begin() + range.first, next.begin() + range.last + 1, listed[range.master]);
  for (std::size_t slot = 0; slot < slot_count; ++slot) change_owner(static_cast<std::uint16_t>(slot), next[slot]);
  flips_.clear();
  for (auto& [slot, hold] : holds_) hold.until_look = false;
  if (!std::exchange(swept_, true)) sweep_subscriptions();
  place_subscriptions();
  stuck_ = !unplaced_.empty();
  released_ = true;
  tell_masters();
}

void ClusterClient::tell_masters() {
  std::vector<std::string> masters;
  for (const auto& node : nodes_)
    if (node->listed && node->master) masters.push_back(endpoint(node->address));
  std::sort(masters.begin(), masters.end());
  std::string text;
  for (const std::string& master : masters) text += (text.empty() ? "" : ", ") + master;
  if (text == masters_told_) return;
  log_info("Redis Cluster at " + endpoint(options_.url) + ": the masters are " + text);
  masters_told_ = std::move(text);
}

// By MOVED. False: it was told something else too often.
bool ClusterClient::learn(std::uint16_t slot, const Address& address) {
  look_wanted_ = true;
  if (++flips_[slot] > flips_max) return false;
  change_owner(slot, &node_at(address));
  return true;
}

void ClusterClient::change_owner(std::uint16_t slot, Node* next) {
  Node* const last = owners_[slot];
  if (last == next) return;
  owners_[slot] = next;
  if (next != nullptr) ++next->slots;
  released_ = true;
  swept_ = false;
  wake();
  if (last == nullptr) return;
  --last->slots;
  reclaim_from_.insert(last->id);
  hold_for(slot, *last);
}

// --- where subscriptions are ---

// Losing its subscriber it has lost its subscriptions: another one may as well have them.
void ClusterClient::choose_home() {
  if (home_ != nullptr && home_->listed && !home_->client.is_lost()) return;
  std::vector<Node*> candidates;
  for (const auto& node : nodes_)
    if (node.get() != home_ && node->listed && node->master && node->client.is_open() && !node->client.is_lost())
      candidates.push_back(node.get());
  if (!candidates.empty()) move_home(*candidates[random_.below(candidates.size())]);
}

void ClusterClient::move_home(Node& next) {
  Node* const last = std::exchange(home_, &next);
  next.client.use_subscriber();
  if (last != nullptr) {
    for (const ChannelKind kind : {ChannelKind::plain, ChannelKind::pattern}) {
      for (const std::string& channel : last->client.wanted(kind)) {
        last->client.unsubscribe(channel, kind);
        next.client.adopt(channel, kind);
      }
    }
    reclaim_from_.insert(last->id);
    hold_for(-1, *last);
  }
  place_subscriptions();
  released_ = true;
}

void ClusterClient::place_followers() {
  for (const auto& follower : followers_) {
    const Node* at = owners_[follower->slot];
    if (at == nullptr || (follower->client && follower->address == at->address)) continue;
    follower->address = at->address;
    if (follower->client) {
      follower->client->move_to(at->address);
      continue;
    }
    ClientOptions options = node_options(at->address);
    options.reads_only = true;
    ClientDriver& own_driver = *this;
    follower->client = std::make_unique<Client>(std::move(options), random_, own_driver, &share_);
    follower->client->set_listener(follower.get());
    follower->client->set_redirections(follower.get());
    follower->client->follow(follower->stream);
  }
}

// What nodes still have of slots that they have lost: Redis ends those subscriptions by itself, if it can still say so.
void ClusterClient::sweep_subscriptions() {
  for (const auto& node : nodes_) {
    for (const std::string& channel : node->client.wanted(ChannelKind::sharded)) {
      if (owners_[slot_of(channel)] == node.get()) continue;
      node->client.unsubscribe(channel, ChannelKind::sharded);
      unplaced_.emplace(ChannelKind::sharded, channel);
    }
  }
}

void ClusterClient::place_subscriptions() {
  for (auto one = unplaced_.begin(); one != unplaced_.end();) {
    Node* const at = place_of(one->second, one->first);
    if (at != nullptr) at->client.adopt(one->second, one->first);
    one = at != nullptr ? unplaced_.erase(one) : std::next(one);
  }
  if (unplaced_.empty()) stuck_ = false;
}

}  // namespace carillon::redis
