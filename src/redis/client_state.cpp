// The client at the end of each event: what goes out, whether it is ready; and what connections report.
#include <algorithm>
#include <string>
#include <utility>

#include "redis/client.hpp"

namespace carillon::redis {

void Client::settle(TimePoint now) {
  age_queue(now);
  calls_.tell_failed();
  follow_master(now);
  check_ready(now);
  do send_subscriptions(now);
  while (answer_subscriptions());
  check_ready(now);
  send_requests(now);
  queue_.stamp(now);
  behind_ = commands_.connection.is_behind(now);
  statistics_.subscriptions.set(static_cast<std::int64_t>(subscription_count()));
  show_queue();
  if (calls_.has_failed() && !std::exchange(awake_, true)) driver_.wake();
}

void Client::age_queue(TimePoint now) {
  queue_.stamp(now);
  while (auto old = queue_.pop_old(now)) {
    statistics_.dropped_old.add();
    log_.tell_drops();
    calls_.drop(std::move(old->done));
  }
}

void Client::show_queue() {
  statistics_.queue_messages.set(static_cast<std::int64_t>(queue_.size()));
  statistics_.queue_bytes.set(static_cast<std::int64_t>(queue_.bytes()));
}

std::size_t Client::subscription_count() const {
  std::size_t count = 0;
  for (const Subscriptions& kind : subscriptions_) count += kind.wanted();
  return count - (canary_channel_.empty() ? 0 : 1);
}

void Client::send_subscriptions(TimePoint now) {
  if (!subscriber_.connection.is_open()) return;
  for (const ChannelKind kind : channel_kinds) {
    while (subscriptions(kind).has_batch(now)) {
      const Subscriptions::Batch& batch = subscriptions(kind).take_batch(now);
      if (kind == ChannelKind::sharded && options_.cluster_node) {
        send_one_by_one(batch, now);
      } else {
        subscriber_.connection.subscribe(kind, batch.subscribe, now);
        subscriber_.connection.unsubscribe(kind, batch.unsubscribe, now);
      }
    }
  }
}

// Each may be answered with an error of its own.
void Client::send_one_by_one(const Subscriptions::Batch& batch, TimePoint now) {
  for (const std::string_view& channel : batch.subscribe) {
    subscriber_.connection.subscribe(ChannelKind::sharded, {&channel, 1}, now);
    sharded_changes_.emplace_back(channel, true);
  }
  for (const std::string_view& channel : batch.unsubscribe) {
    subscriber_.connection.unsubscribe(ChannelKind::sharded, {&channel, 1}, now);
    sharded_changes_.emplace_back(channel, false);
  }
}

// False: there was nothing to say.
bool Client::answer_subscriptions() {
  bool any = false;
  for (const ChannelKind kind : channel_kinds) {
    for (const std::string& channel : subscriptions(kind).take_answers()) {
      any = true;
      if (listener_ != nullptr && (kind != ChannelKind::plain || channel != canary_channel_))
        listener_->on_subscribed(kind, channel);
    }
  }
  return any;
}

void Client::send_requests(TimePoint now) {
  if (commands_.connection.is_open())
    while (calls_.has_asked()) commands_.connection.request(Command::request, calls_.send_next(), now);
  if (reader_.connection.is_open())
    for (const StreamReader::Request& request : streams_.take_requests())
      reader_.connection.request(request.command, request.words, now);
}

void Client::check_ready(TimePoint now) {
  if (ready_ || !commands_.connection.is_open()) return;
  if (!options_.subscribes || canary_returned_) {
    if (streams_.empty() || streams_.complete()) set_ready(true);
    return;
  }
  if (!subscriber_.connection.is_open() || !canary_.empty()) return;
  for (const Subscriptions& kind : subscriptions_)
    if (!kind.restored()) return;
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
    for (const Role role : roles) peer(role).backoff.reset();
    if (was_ready_) statistics_.reconnects.add();
    was_ready_ = true;
    log_.tell_return(subscription_count(), queue_.size());
  }
  if (listener_ != nullptr) listener_->on_ready(ready);
}

// --- what connections report ---

void Client::on_message(ChannelKind kind, std::string_view channel, std::string_view payload) {
  if (kind == ChannelKind::plain && channel == canary_channel_) {
    if (!canary_.empty() && payload == canary_) {
      end_canary();
      canary_returned_ = true;
    }
    return;
  }
  statistics_.received.add();
  if (listener_ != nullptr) listener_->on_message(kind, channel, payload);
}

ConnectionPort::Confirmation Client::on_subscription(ChannelKind kind, std::string_view channel, bool subscribed) {
  const bool one_by_one = kind == ChannelKind::sharded && options_.cluster_node;
  if (subscriptions(kind).confirm(channel, subscribed)) {
    if (one_by_one && !sharded_changes_.empty()) sharded_changes_.pop_front();
    return ConnectionPort::Confirmation::awaited;
  }
  // Its slot has moved to another node of a Redis Cluster.
  if (kind != ChannelKind::sharded || subscribed) return ConnectionPort::Confirmation::unasked;
  if (one_by_one && redirections_ != nullptr) {
    const std::string name(channel);
    subscriptions(kind).forget(name);
    redirections_->on_subscription_redirected(name, {});
    return ConnectionPort::Confirmation::pushed;
  }
  return subscriptions(kind).drop(channel) ? ConnectionPort::Confirmation::pushed
                                           : ConnectionPort::Confirmation::unasked;
}

bool Client::on_subscription_refused(std::string_view error) {
  if (redirections_ == nullptr || sharded_changes_.empty()) return false;
  const auto [channel, subscribe] = std::move(sharded_changes_.front());
  sharded_changes_.pop_front();
  Subscriptions& sharded = subscriptions(ChannelKind::sharded);
  sharded.confirm(channel, false);
  if (!subscribe) return true;
  sharded.forget(channel);
  redirections_->on_subscription_redirected(channel, error);
  return true;
}

bool Client::on_reply(Command command, Reply& reply) {
  switch (command) {
    case Command::inspect:
      return streams_.on_inspected(reply, listener_);
    case Command::read:
      return streams_.on_read(reply, listener_);
    default:
      return calls_.on_reply(reply);
  }
}

void Client::on_refused(Command command, std::string_view error) {
  std::optional<PublishQueue::Message> message;
  if (redirections_ != nullptr) message = calls_.take_kept();
  if (message && classify_error(error) == ErrorReply::cluster)
    return redirections_->on_message_redirected(std::move(*message), error);
  statistics_.dropped_refused.add();
  log_.tell_refusal(error);
  if (message) {
    calls_.drop(std::move(message->done));
  } else if (command == Command::append) {
    calls_.on_appended(std::nullopt);
  }
}

void Client::end_canary() {
  canary_.clear();
  canary_due_ = canary_overdue_ = never;
}

void Client::send(PublishQueue::Message message, TimePoint now) {
  Connection& connection = commands_.connection;
  if (message.asking) connection.announce_redirected(now);
  switch (message.verb) {
    case PublishQueue::Message::Verb::publish:
      connection.publish(ChannelKind::plain, message.channel, message.payload, now);
      break;
    case PublishQueue::Message::Verb::publish_sharded:
      connection.publish(ChannelKind::sharded, message.channel, message.payload, now);
      break;
    case PublishQueue::Message::Verb::append:
      connection.append(message.payload, now);
      if (redirections_ == nullptr) calls_.append(std::move(message.done));
      break;
  }
  if (redirections_ != nullptr) calls_.keep(std::move(message));
}

}  // namespace carillon::redis
