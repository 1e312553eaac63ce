// The client's connections: from dialling to losing them, and which master they lead to.
#include <algorithm>
#include <string>
#include <utility>

#include "redis/client.hpp"

namespace carillon::redis {

Client::Peer::Peer(Client& client, Role own_role, const ClientOptions& own_options)
    : owner(client),
      role(own_role),
      options(own_options),
      connection(*this, own_options),
      backoff(client.options_.backoff_min_ms, client.options_.backoff_max_ms, client.random_) {}

void Client::Peer::on_open() {
  unreachable = false;
  switch (role) {
    case Role::commands:
      return;
    case Role::subscriber: {
      Subscriptions& plain = owner.subscriptions(ChannelKind::plain);
      plain.release(owner.canary_channel_);
      owner.canary_channel_ = owner.options_.canary_prefix + random_id(owner.random_, 20);
      plain.want(owner.canary_channel_);
      for (Subscriptions& kind : owner.subscriptions_) kind.start();
      return;
    }
    case Role::reader:
      return owner.streams_.start();
    case Role::sentinel:
      return owner.master_finder_.start();
  }
}

void Client::Peer::on_published() {
  owner.statistics_.published.add();
  if (owner.redirections_ != nullptr) owner.calls_.take_kept();
}

void Client::Peer::on_appended(std::string_view id) {
  owner.statistics_.published.add();
  if (owner.redirections_ == nullptr) return owner.calls_.on_appended(id);
  if (auto message = owner.calls_.take_kept(); message && message->done) message->done(id);
}

bool Client::Peer::on_reply(Command command, Reply& reply) {
  if (role != Role::sentinel) return owner.on_reply(command, reply);
  owner.sentinel_complaint_ = owner.master_finder_.on_reply(reply).value_or("");
  if (owner.sentinel_complaint_.empty()) backoff.reset();
  return true;
}

void Client::Peer::on_message(ChannelKind kind, std::string_view channel, std::string_view payload) {
  if (role == Role::sentinel) return owner.master_finder_.on_message(channel, payload);
  owner.on_message(kind, channel, payload);
}

ConnectionPort::Confirmation Client::Peer::on_subscription(ChannelKind kind, std::string_view channel,
                                                           bool subscribed) {
  if (role != Role::sentinel) return owner.on_subscription(kind, channel, subscribed);
  return owner.master_finder_.on_subscription(channel) ? Confirmation::awaited : Confirmation::unasked;
}

void Client::check_time(Peer& timed, TimePoint now) {
  switch (timed.state) {
    case Peer::State::idle:
    case Peer::State::due:
    case Peer::State::closing:
      return;
    case Peer::State::waiting:
      if (now < timed.deadline) return;
      timed.state = Peer::State::due;
      timed.deadline = never;
      if (master_finder_.in_use() && timed.role != Role::sentinel) master_finder_.ask();
      return;
    case Peer::State::dialling:
      if (now < timed.deadline) return;
      statistics_.timeouts.add();
      return lose(timed, "no connection within " + std::to_string(timed.options.connect_timeout_ms.count()) + " ms" +
                             (options_.url.tls ? " (does that port speak TLS?)" : ""));
    case Peer::State::up:
      timed.connection.on_time(now);
      return check_fault(timed);
  }
}

void Client::check_fault(Peer& checked) {
  if (checked.role == Role::sentinel && !sentinel_complaint_.empty())
    return lose(checked, std::exchange(sentinel_complaint_, {}));
  const auto& fault = checked.connection.fault();
  if (!fault) return;
  switch (fault->kind) {
    case Fault::Kind::refused:
      break;
    case Fault::Kind::too_long:
      if (checked.role == Role::reader) streams_.shrink();
      statistics_.protocol_errors.add();
      break;
    case Fault::Kind::protocol:
      statistics_.protocol_errors.add();
      break;
    case Fault::Kind::timeout:
      statistics_.timeouts.add();
      break;
  }
  lose(checked, std::string(fault->text));
}

// The connection or the attempt is over, as far as this side is concerned.
void Client::lose(Peer& lost, std::string_view reason) {
  statistics_.failures.add();
  tell_loss(lost, reason);
  if (!lost.connection.is_open()) lost.unreachable = true;
  statistics_.dropped_unconfirmed.add(lost.connection.close());
  lost.state = Peer::State::closing;
  lost.deadline = never;
  switch (lost.role) {
    case Role::commands:
      flowing_ = false;
      calls_.lose();
      break;
    case Role::subscriber:
      for (Subscriptions& kind : subscriptions_) kind.stop();
      sharded_changes_.clear();
      break;
    case Role::reader:
      streams_.stop();
      return set_ready(false);
    case Role::sentinel:  // the connections to the master may be fine
      master_finder_.stop();
      return master_finder_.try_next();
  }
  end_canary();
  canary_returned_ = false;
  set_ready(false);
}

void Client::wait(Peer& waiting, TimePoint now) {
  if (waiting.state != Peer::State::closing) return;
  if (retired_) {
    waiting.state = Peer::State::idle;
    return;
  }
  waiting.state = Peer::State::waiting;
  waiting.deadline = now + waiting.backoff.next();
}

// The sentinels may have said where the master is, or that it is another one.
void Client::follow_master(TimePoint now) {
  if (moved_to_) {
    const Address address = *std::exchange(moved_to_, std::nullopt);
    lead_to(address, "what is read there is now at " + endpoint(address), now);
  }
  if (!master_finder_.in_use()) return;
  if (sentinel_.connection.is_open()) master_finder_.talk(sentinel_.connection, now);
  const std::optional<Address>& found = master_finder_.master();
  if (!found || found == master_) return;
  const bool moved = master_.has_value();
  master_ = found;
  if (moved) lead_to(*master_, "sentinels say that the master is now " + endpoint(*master_), now);
}

void Client::lead_to(const Address& address, std::string_view reason, TimePoint now) {
  for (Peer* peer : {&commands_, &subscriber_, &reader_}) {
    const bool connected = peer->state == Peer::State::up || peer->state == Peer::State::dialling;
    if (connected && peer->address != address) lose(*peer, reason);
    // Not later than anybody else: the long waits were for the old one.
    peer->backoff.reset();
    if (peer->state == Peer::State::waiting) peer->deadline = std::min(peer->deadline, now + peer->backoff.next());
  }
}

// --- as one node of a Redis Cluster ---

void Client::use_subscriber() {
  if (!options_.subscribes || retired_ || uses_subscriber() || options_.reads_only) return;
  subscriber_.state = Peer::State::due;
  wake();
}

bool Client::is_restored() const {
  return !uses_subscriber() || std::all_of(subscriptions_.begin(), subscriptions_.end(),
                                           [](const Subscriptions& kind) { return kind.restored(); });
}

bool Client::is_lost() const {
  const auto lost = [](const Peer& peer) {
    return peer.state == Peer::State::closing || peer.state == Peer::State::waiting;
  };
  return (uses_subscriber() ? lost(subscriber_) : lost(commands_)) || commands_.unreachable || subscriber_.unreachable;
}

void Client::move_to(const Address& address) {
  if (options_.url.addresses[0] == address) return;
  options_.url.addresses[0] = address;
  moved_to_ = address;
  wake();
}

void Client::retire() {
  retired_ = true;
  for (const Role role : roles) {
    Peer& one = peer(role);
    const bool connected = one.state == Peer::State::up || one.state == Peer::State::dialling;
    if (connected) statistics_.dropped_unconfirmed.add(one.connection.close());
    if (one.state != Peer::State::closing) one.state = connected ? Peer::State::closing : Peer::State::idle;
    one.deadline = never;
  }
}

bool Client::is_gone() const {
  return std::all_of(roles.begin(), roles.end(), [this](Role role) { return peer(role).state == Peer::State::idle; });
}

void Client::tell_loss(const Peer& lost, std::string_view reason) {
  if (lost.role != Role::sentinel) return log_.tell_outage(reason);
  if (!ready_) log_.tell_outage("sentinel " + endpoint(lost.address) + ": " + std::string(reason));
}

}  // namespace carillon::redis
