// The client at the end of each event: what goes out, whether it is ready; and what connections report.
#include <algorithm>
#include <string>
#include <utility>

#include "redis/client.hpp"
#include "redis/key_slot.hpp"
#include "redis/redirection.hpp"

namespace carillon::redis {

void Client::settle(TimePoint now) {
  age_queue(now);
  calls_.tell_failed();
  follow_master(now);
  if (!proven()) set_ready(false);  // a subscriber has come into use
  check_ready(now);
  do send_subscriptions(now);
  while (answer_subscriptions());
  check_ready(now);
  send_requests(now);
  queue_.stamp(now);
  behind_ = commands_.connection.is_behind(now);
  if (now >= backlog_waits_until_) backlog_waits_until_ = never;
  if (!std::exchange(sent_messages_, sends_messages()) && sent_messages_) {
    backlog_.begin(queue_.size());
    backlog_waits_until_ = never;
  }
  own_subscriptions_.set(subscription_count());
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
  own_queue_messages_.set(queue_.size());
  own_queue_bytes_.set(queue_.bytes());
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
    while (calls_.has_asked()) {
      const Calls::Request request = calls_.send_next();
      if (request.asking) commands_.connection.announce_redirected(now);
      commands_.connection.request(Command::request, request.words, now);
    }
  if (reader_.connection.is_open())
    for (const StreamReader::Request& request : streams_.take_requests())
      reader_.connection.request(request.command, request.words, now);
}

void Client::check_ready(TimePoint now) {
  if (ready_ || !(options_.reads_only ? reader_ : commands_).connection.is_open()) return;
  if (proven()) {
    if (streams_.empty() || streams_.complete()) set_ready(true);
    return;
  }
  if (!subscriber_.connection.is_open() || !canary_.empty()) return;
  if (!is_restored()) return;
  canary_ = random_id(random_, 20);
  canary_due_ = now + options_.ping_timeout_ms;
  canary_overdue_ = now + std::max(options_.canary_timeout_ms, options_.ping_timeout_ms);
  commands_.connection.publish_canary(canary_channel_, canary_, now);
}

void Client::set_ready(bool ready) {
  if (ready_ == ready) return;
  ready_ = ready;
  if (!options_.cluster_node) statistics_.ready.set(ready ? 1 : 0);
  if (ready) {
    flowing_ = true;
    for (const Role role : roles) peer(role).backoff.reset();
    if (was_ready_ && !options_.cluster_node) statistics_.reconnects.add();
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
      canary_returned_ = was_proven_ = true;
    }
    return;
  }
  statistics_.received.add();
  if (listener_ != nullptr) listener_->on_message(kind, channel, payload);
}

ConnectionPort::Confirmation Client::on_subscription(ChannelKind kind, std::string_view channel, bool subscribed) {
  if (kind == ChannelKind::sharded && options_.cluster_node && redirections_ != nullptr)
    return on_single_subscription(channel, subscribed);
  if (subscriptions(kind).confirm(channel, subscribed)) return ConnectionPort::Confirmation::awaited;
  // Its slot has moved to another node of a Redis Cluster.
  return kind == ChannelKind::sharded && !subscribed && subscriptions(kind).drop(channel)
             ? ConnectionPort::Confirmation::pushed
             : ConnectionPort::Confirmation::unasked;
}

// Changes are answered in order; whatever else ends is ended by Redis, because the slot moves away.
ConnectionPort::Confirmation Client::on_single_subscription(std::string_view channel, bool subscribed) {
  Subscriptions& sharded = subscriptions(ChannelKind::sharded);
  if (!sharded_changes_.empty() && sharded_changes_.front() == std::pair(std::string(channel), subscribed)) {
    sharded_changes_.pop_front();
    return sharded.confirm(channel, subscribed) ? ConnectionPort::Confirmation::awaited
                                                : ConnectionPort::Confirmation::unasked;
  }
  if (subscribed) return ConnectionPort::Confirmation::unasked;
  // What is on the way will be refused, which tells.
  if (sharded.is_changing(channel)) return ConnectionPort::Confirmation::pushed;
  const std::string name(channel);
  const bool wanted = sharded.wants(name);
  sharded.forget(name);
  if (wanted) redirections_->on_subscription_redirected(name, {});
  return ConnectionPort::Confirmation::pushed;
}

// Redis had ended the subscription before it read that we end it: the first looked like the answer, this is it.
bool Client::is_late_refusal(std::string_view error) const {
  if (redirections_ == nullptr || classify_error(error) != ErrorReply::cluster) return false;
  const auto redirection = parse_redirection(error, {});
  if (!redirection || redirection->kind != Redirection::Kind::moved) return false;
  return sharded_changes_.empty() || slot_of(sharded_changes_.front().first) != redirection->slot;
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
  if (command == Command::inspect || command == Command::read) {
    if (redirections_ != nullptr) redirections_->on_stream_redirected(error);
    return;
  }
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
  ++sent_;
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
