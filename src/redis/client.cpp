#include "redis/client.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.hpp"

namespace carillon::redis {
namespace {

constexpr std::size_t write_bytes_max = 1024 * 1024;  // the rest of the queue stays where it is counted and ages
constexpr std::size_t reasons_told_max = 8;           // different ones, per outage

}  // namespace

class Client::Event {
 public:
  Event(Client& client, TimePoint now) : client_(client), now_(now) { client_.in_event_ = true; }
  ~Event() {
    client_.settle(now_);
    client_.in_event_ = false;
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

 private:
  Client& client_;
  TimePoint now_;
};

Client::Peer::Peer(Client& client, Role own_role)
    : owner(client),
      role(own_role),
      connection(*this, client.options_),
      backoff(client.options_.backoff_min_ms, client.options_.backoff_max_ms, client.random_) {}

void Client::Peer::on_open() {
  if (role == Role::commands) return;
  Subscriptions& subscriptions = owner.subscriptions_;
  subscriptions.release(owner.canary_channel_);
  owner.canary_channel_ = owner.options_.canary_prefix + random_id(owner.random_, 20);
  subscriptions.want(owner.canary_channel_);
  subscriptions.start();
}

Client::Client(ClientOptions options, Random& random, ClientDriver& driver)
    : options_(std::move(options)),
      random_(random),
      driver_(driver),
      queue_(options_.queue_bytes_max, options_.queue_age_max_ms),
      subscriptions_(std::max<std::size_t>(options_.subscribe_batch_max, 1)),
      commands_(*this, Role::commands),
      subscriber_(*this, Role::subscriber) {
  if (!options_.subscribes) subscriber_.state = Peer::State::idle;
}

Client::~Client() = default;

// --- Link ---

void Client::publish(std::string channel, std::string payload) {
  if (queue_.push(std::move(channel), std::move(payload))) return wake();
  statistics_.dropped_full.add();
  tell_drops();
}

void Client::subscribe(std::string_view channel) {
  subscriptions_.want(channel);
  wake();
}

void Client::unsubscribe(std::string_view channel) {
  subscriptions_.release(channel);
  wake();
}

void Client::wake() {
  if (!in_event_ && !std::exchange(awake_, true)) driver_.wake();
}

// --- Driver ---

void Client::on_dialling(Role role, TimePoint now) {
  Peer& dialled = peer(role);
  if (dialled.state != Peer::State::due) return;
  dialled.state = Peer::State::dialling;
  dialled.deadline = now + options_.connect_timeout_ms;
}

void Client::on_connected(Role role, TimePoint now) {
  const Event event(*this, now);
  Peer& connected = peer(role);
  if (connected.state != Peer::State::dialling) return;  // too late: it is to be closed
  statistics_.connects.add();
  connected.state = Peer::State::up;
  connected.deadline = never;
  connected.connection.open(now);
}

void Client::on_connect_failed(Role role, std::string_view reason, TimePoint now) {
  const Event event(*this, now);
  Peer& failed = peer(role);
  if (failed.state == Peer::State::dialling) lose(failed, reason);
  wait(failed, now);
}

void Client::on_bytes(Role role, std::string_view bytes, TimePoint now) {
  const Event event(*this, now);
  Peer& talking = peer(role);
  if (talking.state != Peer::State::up) return;
  const bool news = talking.connection.feed(bytes, now);
  // The canary may wait behind a long backlog of messages, or of answers to them.
  if (news && canary_due_ != never) canary_due_ = std::min(now + options_.ping_timeout_ms, canary_overdue_);
  check_fault(talking);
}

void Client::on_closed(Role role, std::string_view reason, TimePoint now) {
  const Event event(*this, now);
  Peer& closed = peer(role);
  if (closed.state == Peer::State::up) lose(closed, reason);
  wait(closed, now);
}

bool Client::has_output(Role role) const {
  if (peer(role).state != Peer::State::up) return false;
  return peer(role).connection.output_bytes() > 0 || (role == Role::commands && flowing_ && !queue_.empty());
}

std::string Client::take_output(Role role, TimePoint now) {
  Connection& connection = peer(role).connection;
  if (role == Role::commands && flowing_) {
    while (connection.output_bytes() < write_bytes_max) {
      const auto message = queue_.pop();
      if (!message) break;
      connection.publish(message->channel, message->payload, now);
    }
    statistics_.queue_messages.set(static_cast<std::int64_t>(queue_.size()));
    statistics_.queue_bytes.set(static_cast<std::int64_t>(queue_.bytes()));
  }
  return connection.take_output();
}

TimePoint Client::next_deadline() const {
  TimePoint next = std::min(canary_due_, queue_.next_deadline());
  for (const Role role : roles) next = std::min({next, peer(role).deadline, peer(role).connection.next_deadline()});
  return next;
}

void Client::on_time(TimePoint now) {
  const Event event(*this, now);
  awake_ = false;
  for (const Role role : roles) check_time(peer(role), now);
  if (now >= canary_due_) {
    statistics_.timeouts.add();
    for (const Role role : roles) lose(peer(role), "a message published to itself did not come back");
  }
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
      return;
    case Peer::State::dialling:
      if (now < timed.deadline) return;
      statistics_.timeouts.add();
      return lose(timed, "no connection within " + std::to_string(options_.connect_timeout_ms.count()) + " ms");
    case Peer::State::up:
      timed.connection.on_time(now);
      return check_fault(timed);
  }
}

void Client::check_fault(Peer& checked) {
  const auto& fault = checked.connection.fault();
  if (!fault) return;
  switch (fault->kind) {
    case Fault::Kind::refused:
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
  tell_outage(reason);
  statistics_.dropped_unconfirmed.add(lost.connection.close());
  lost.state = Peer::State::closing;
  lost.deadline = never;
  if (lost.role == Role::commands) flowing_ = false;
  if (lost.role == Role::subscriber) subscriptions_.stop();
  end_canary();
  canary_returned_ = false;
  set_ready(false);
}

void Client::end_canary() {
  canary_.clear();
  canary_due_ = canary_overdue_ = never;
}

void Client::wait(Peer& waiting, TimePoint now) {
  if (waiting.state != Peer::State::closing) return;
  waiting.state = Peer::State::waiting;
  waiting.deadline = now + waiting.backoff.next();
}

// --- the end of each event ---

void Client::settle(TimePoint now) {
  check_ready(now);
  for (;;) {
    send_subscriptions(now);
    const std::vector<std::string> answers = subscriptions_.take_answers();
    if (answers.empty()) break;
    for (const std::string& channel : answers)
      if (listener_ != nullptr && channel != canary_channel_) listener_->on_subscribed(channel);
  }
  check_ready(now);
  if (const std::size_t old = queue_.age(now); old > 0) {
    statistics_.dropped_old.add(old);
    tell_drops();
  }
  statistics_.subscriptions.set(static_cast<std::int64_t>(subscription_count()));
  statistics_.queue_messages.set(static_cast<std::int64_t>(queue_.size()));
  statistics_.queue_bytes.set(static_cast<std::int64_t>(queue_.bytes()));
}

std::size_t Client::subscription_count() const { return subscriptions_.wanted() - (canary_channel_.empty() ? 0 : 1); }

void Client::send_subscriptions(TimePoint now) {
  if (!subscriber_.connection.is_open()) return;
  while (subscriptions_.has_batch()) {
    const Subscriptions::Batch& batch = subscriptions_.take_batch();
    subscriber_.connection.subscribe(batch.subscribe, now);
    subscriber_.connection.unsubscribe(batch.unsubscribe, now);
  }
}

void Client::check_ready(TimePoint now) {
  if (ready_ || !commands_.connection.is_open()) return;
  if (!options_.subscribes || canary_returned_) return set_ready(true);
  if (!subscriber_.connection.is_open() || !subscriptions_.restored() || !canary_.empty()) return;
  canary_ = random_id(random_, 20);
  canary_due_ = now + options_.ping_timeout_ms;
  canary_overdue_ = now + std::max(options_.canary_timeout_ms, options_.ping_timeout_ms);
  commands_.connection.publish_canary(canary_channel_, canary_, now);
}

void Client::set_ready(bool ready) {
  if (ready_ == ready) return;
  ready_ = ready;
  statistics_.ready.set(ready ? 1 : 0);
  if (ready) {
    flowing_ = true;
    commands_.backoff.reset();
    subscriber_.backoff.reset();
    if (was_ready_) statistics_.reconnects.add();
    was_ready_ = true;
    if (!told_.empty())
      log_info("Redis at " + endpoint(options_.url) + " is back: " + std::to_string(subscription_count()) +
               " subscriptions, " + std::to_string(queue_.size()) + " messages waited for it.");
    told_.clear();
    drops_told_ = false;
  }
  if (listener_ != nullptr) listener_->on_ready(ready);
}

// --- what connections report ---

void Client::on_message(std::string_view channel, std::string_view payload) {
  if (channel == canary_channel_) {
    if (!canary_.empty() && payload == canary_) {
      end_canary();
      canary_returned_ = true;
    }
    return;
  }
  statistics_.received.add();
  if (listener_ != nullptr) listener_->on_message(channel, payload);
}

void Client::on_refused(std::string_view error) {
  statistics_.dropped_refused.add();
  if (std::exchange(refusal_told_, true)) return;
  const std::string_view hint = advice(classify_error(error));
  log_warn("Redis at " + endpoint(options_.url) + " refused a message: \"" + std::string(error.substr(0, 200)) + "\"" +
           (hint.empty() ? "" : " (" + std::string(hint) + ")") + ". Further ones are only counted.");
}

std::uint64_t Client::dropped() const {
  const Statistics& s = statistics_;
  return s.dropped_full.value() + s.dropped_old.value() + s.dropped_refused.value() + s.dropped_unconfirmed.value() +
         s.dropped_shutdown.value();
}

void Client::abandon() {
  const std::size_t queued = queue_.size();
  const std::size_t on_the_way = commands_.connection.messages_in_flight();
  if (queued + on_the_way == 0) return;
  while (queue_.pop()) {
  }
  statistics_.queue_messages.set(0);
  statistics_.queue_bytes.set(0);
  statistics_.dropped_shutdown.add(queued);
  statistics_.dropped_unconfirmed.add(commands_.connection.close());
  log_warn("Redis at " + endpoint(options_.url) + " has not taken all messages in time: " + std::to_string(queued) +
           " were never sent, and " + std::to_string(on_the_way) + " were not confirmed.");
}

void Client::tell_outage(std::string_view reason) {
  if (told_.size() >= reasons_told_max || std::find(told_.begin(), told_.end(), reason) != told_.end()) return;
  told_.emplace_back(reason);
  log_warn("Redis at " + endpoint(options_.url) + ": " + std::string(reason) +
           ". Local traffic goes on, messages for other nodes wait; trying again until it works.");
}

void Client::tell_drops() {
  if (std::exchange(drops_told_, true)) return;
  log_warn("Messages for other nodes are being dropped, because Redis at " + endpoint(options_.url) +
           " does not take them and the queue is bounded (" + std::to_string(options_.queue_bytes_max) + " bytes, " +
           std::to_string(options_.queue_age_max_ms.count()) + " ms). They are counted.");
}

}  // namespace carillon::redis
