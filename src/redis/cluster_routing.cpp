// What goes to which node of a Redis Cluster, and what is sent on because it was not that one's.
#include <algorithm>
#include <utility>

#include "redis/cluster_client.hpp"
#include "redis/reply_error.hpp"

namespace carillon::redis {
namespace {

constexpr int attempts_max = 5;  // of a command that is sent from node to node

}  // namespace

ClusterClient::Node* ClusterClient::target(std::int32_t slot) const {
  return slot < 0 ? home_ : owners_[static_cast<std::size_t>(slot)];
}

ClusterClient::Node* ClusterClient::place_of(std::string_view channel, ChannelKind kind) const {
  return target(kind == ChannelKind::sharded ? slot_of(channel) : -1);
}

// --- messages ---

void ClusterClient::publish(std::string channel, std::string payload, ChannelKind kind) {
  using Verb = Message::Verb;
  const bool sharded = kind == ChannelKind::sharded;
  const std::int32_t slot = sharded ? slot_of(channel) : -1;
  route({.verb = sharded ? Verb::publish_sharded : Verb::publish,
         .channel = std::move(channel),
         .payload = std::move(payload),
         .slot = slot});
}

void ClusterClient::append(std::string stream, StreamFields fields, std::size_t length_max, AppendDone done) {
  Message message = append_message(std::move(stream), fields, length_max, std::move(done));
  message.slot = slot_of(message.channel);
  route(std::move(message));
}

void ClusterClient::route(Message message) {
  message.number = ++number_;
  Node* const to = target(message.slot);
  if (to == nullptr || is_held(message.slot)) return park(std::move(message));
  to->client.pass_on(std::move(message));
}

void ClusterClient::park(Message message) {
  message.asking = false;
  if (!parked_.push(std::move(message))) {
    share_.statistics.dropped_full.add();
    log_.tell_drops();
    calls_.drop(std::move(message.done));
  }
  wake();
}

void ClusterClient::on_message_redirected(Node& from, Message message, std::string_view error) {
  using Kind = Redirection::Kind;
  const auto redirection = parse_redirection(error, from.address);
  // Only channels and streams have a slot.
  if (!redirection || redirection->kind == Kind::never || message.slot < 0) return refuse(std::move(message), error);
  switch (redirection->kind) {
    case Kind::moved: {
      const auto slot = static_cast<std::uint16_t>(message.slot);
      if (owners_[slot] == &from && !learn(slot, redirection->address)) holds_[slot].until_look = true;
      return park(std::move(message));
    }
    case Kind::ask:
      message.asking = true;
      return node_at(redirection->address).client.pass_on(std::move(message));
    case Kind::later:
      look_wanted_ = true;
      holds_[message.slot].until_look = true;
      return park(std::move(message));
    case Kind::never:
      return;
  }
}

void ClusterClient::refuse(Message message, std::string_view error) {
  share_.statistics.dropped_refused.add();
  log_.tell_refusal(error);
  calls_.drop(std::move(message.done));
  wake();
}

// What was sent to the last one, and comes back, goes out before what came later.
void ClusterClient::hold_for(std::int32_t slot, const Node& last) {
  if (last.client.settled() == last.client.sent()) return;
  Hold& hold = holds_[slot];
  hold.node = last.id;
  hold.sent = last.client.sent();
}

void ClusterClient::release_holds() {
  for (const std::uint64_t id : std::exchange(reclaim_from_, {})) {
    Node* const from = find_node(id);
    if (from == nullptr) continue;
    for (Message& message :
         from->client.take_queued([&](const Message& queued) { return !queued.asking && target(queued.slot) != from; }))
      park(std::move(message));
    released_ = true;
  }
  released_ = std::erase_if(holds_,
                            [this](const auto& one) {
                              const Hold& hold = one.second;
                              const Node* before = find_node(hold.node);
                              return !hold.until_look && (before == nullptr || before->client.settled() >= hold.sent);
                            }) > 0 ||
              released_;
}

void ClusterClient::release_parked() {
  for (Message& message : parked_.take(
           [this](const Message& parked) { return !is_held(parked.slot) && target(parked.slot) != nullptr; })) {
    Node* const to = target(message.slot);
    to->client.pass_on(std::move(message));
  }
}

// --- subscriptions ---

void ClusterClient::on_subscription_redirected(Node& from, std::string_view channel, std::string_view error) {
  const std::uint16_t slot = slot_of(channel);
  const auto redirection = parse_redirection(error, from.address);
  look_wanted_ = true;
  // Where the slot has gone it says when it is asked again, sooner than a look at the topology could: nobody keeps what is
  // published meanwhile.
  if (error.empty() && owners_[slot] == &from) return from.client.adopt(channel, ChannelKind::sharded);
  const bool moved = redirection && redirection->kind == Redirection::Kind::moved;
  if (moved && owners_[slot] == &from) learn(slot, redirection->address);
  Node* const at = owners_[slot];
  if (at != nullptr && at != &from) {
    at->client.adopt(channel, ChannelKind::sharded);
  } else {
    unplaced_.emplace(ChannelKind::sharded, channel);
    if (!error.empty()) stuck_ = true;
  }
  wake();
}

// --- commands ---

void ClusterClient::command(std::vector<std::string> words, std::string_view key, CommandDone done) {
  Request request{.words = std::move(words), .slot = key.empty() ? -1 : slot_of(key), .done = std::move(done)};
  Node* to = target(request.slot);
  if (request.slot < 0 && (to == nullptr || !to->client.is_open())) to = any_open_node();
  send(std::move(request), to, false);
}

void ClusterClient::send(Request request, Node* to, bool asking) {
  if (to == nullptr) {
    if (request.done)
      request.done(
          Failure(CommandError{CommandError::Kind::unavailable, "no node of the Redis Cluster is known for it"}));
    return;
  }
  ++request.attempts;
  std::vector<std::string> words = request.words;
  to->client.ask(
      {.words = std::move(words),
       .done =
           [this, request = std::move(request), asked = to->address](Result<Reply, CommandError> reply) mutable {
             on_answer(std::move(request), std::move(reply), asked);
           },
       .asking = asking});
}

void ClusterClient::on_answer(Request request, Result<Reply, CommandError> reply, const Address& asked) {
  std::optional<Redirection> redirection;
  if (!reply && reply.error().kind == CommandError::Kind::refused && request.attempts < attempts_max)
    redirection = parse_redirection(reply.error().text, asked);
  if (redirection && redirection->kind == Redirection::Kind::ask)
    return send(std::move(request), &node_at(redirection->address), true);
  if (redirection && redirection->kind == Redirection::Kind::moved) {
    const Node* known = owners_[redirection->slot];
    if (known == nullptr || known->address == asked) learn(redirection->slot, redirection->address);
    Node* const to = owners_[redirection->slot];
    if (to != nullptr && to->address != asked) return send(std::move(request), to, false);
  }
  if (request.done) request.done(std::move(reply));
}

void ClusterClient::gather(std::vector<std::string> words, std::move_only_function<void(Answers)> done) {
  struct Gathering {
    Answers answers;
    std::size_t pending = 0;
    std::move_only_function<void(Answers)> done;
  };
  std::vector<Node*> asked;
  for (const auto& node : nodes_)
    if ((node->listed || !known_) && node->client.is_open()) asked.push_back(node.get());
  if (asked.empty()) return done({});
  const auto gathering = std::make_shared<Gathering>();
  gathering->pending = asked.size();
  gathering->done = std::move(done);
  for (Node* node : asked) {
    node->client.command(words, {}, [gathering, from = node->address](Result<Reply, CommandError> reply) {
      gathering->answers.push_back({from, std::move(reply)});
      if (--gathering->pending == 0) gathering->done(std::move(gathering->answers));
    });
  }
}

}  // namespace carillon::redis
