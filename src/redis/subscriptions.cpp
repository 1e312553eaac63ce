#include "redis/subscriptions.hpp"

#include <algorithm>
#include <utility>

namespace carillon::redis {

void Subscriptions::want(std::string_view channel) {
  auto found = channels_.find(channel);
  if (found == channels_.end()) found = channels_.emplace(std::string(channel), State{}).first;
  State& state = found->second;
  if (!state.wanted) ++wanted_;
  state.wanted = true;
  state.asked = true;
  mark_changed(*found);
}

void Subscriptions::release(std::string_view channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end() || !found->second.wanted) return;
  --wanted_;
  found->second.wanted = false;
  found->second.asked = false;
  if (started_) {
    mark_changed(*found);
  } else {
    channels_.erase(found);
  }
}

void Subscriptions::adopt(std::string_view channel) {
  auto found = channels_.find(channel);
  if (found == channels_.end()) found = channels_.emplace(std::string(channel), State{}).first;
  State& state = found->second;
  if (!state.wanted) ++wanted_;
  state.wanted = state.asked = true;
  if (!started_ || state.returning || state.changed) return;
  if (!std::exchange(state.restoring, true)) ++restoring_;
  state.returning = true;
  returning_.push_back(&*found);
}

bool Subscriptions::wants(std::string_view channel) const {
  const auto found = channels_.find(channel);
  return found != channels_.end() && found->second.wanted;
}

bool Subscriptions::is_changing(std::string_view channel) const {
  const auto found = channels_.find(channel);
  return found != channels_.end() && found->second.unconfirmed > 0;
}

std::vector<std::string> Subscriptions::wanted_channels() const {
  std::vector<std::string> names;
  for (const auto& [name, state] : channels_)
    if (state.wanted) names.push_back(name);
  return names;
}

void Subscriptions::start() {
  stop();
  started_ = true;
  for (Channel& channel : channels_) {
    channel.second.restoring = channel.second.returning = true;
    ++restoring_;
    returning_.push_back(&channel);
  }
}

void Subscriptions::stop() {
  started_ = false;
  changed_.clear();
  returning_.clear();
  unconfirmed_ = 0;
  restoring_ = 0;
  std::erase_if(channels_, [](const Channel& channel) { return !channel.second.wanted; });
  for (auto& [name, state] : channels_) {
    state.unconfirmed = 0;
    state.sent = state.changed = state.restoring = state.returning = false;
  }
}

// How many changes may be sent now.
std::size_t Subscriptions::room() const {
  if (unconfirmed_ == 0) return batch_max_;
  return unconfirmed_ + changed_.size() <= batch_max_ ? changed_.size() : 0;
}

std::size_t Subscriptions::returning_room(TimePoint now) const {
  return unconfirmed_ < batch_max_ ? std::min(batch_max_ - unconfirmed_, pace_.room(now)) : 0;
}

bool Subscriptions::has_batch(TimePoint now) const {
  return (!changed_.empty() && room() > 0) || (!returning_.empty() && returning_room(now) > 0);
}

TimePoint Subscriptions::next_deadline() const {
  return returning_.empty() || unconfirmed_ >= batch_max_ ? never : pace_.next();
}

const Subscriptions::Batch& Subscriptions::take_batch(TimePoint now) {
  batch_.subscribe.clear();
  batch_.unsubscribe.clear();
  for (std::size_t left = room(); left > 0 && !changed_.empty();) {
    Channel& channel = *changed_.front();
    changed_.pop_front();
    channel.second.changed = false;
    if (channel.second.wanted == channel.second.sent) {
      settle(channel);
      continue;
    }
    send(channel);
    --left;
  }
  for (std::size_t left = returning_room(now); left > 0 && !returning_.empty();) {
    Channel& channel = *returning_.front();
    returning_.pop_front();
    channel.second.returning = false;
    if (channel.second.changed) continue;  // comes, or came, as something new
    if (channel.second.wanted == channel.second.sent) {
      settle(channel);
      continue;
    }
    send(channel);
    pace_.spend(1, now);
    --left;
  }
  return batch_;
}

void Subscriptions::send(Channel& channel) {
  auto& [name, state] = channel;
  (state.wanted ? batch_.subscribe : batch_.unsubscribe).push_back(name);
  state.sent = state.wanted;
  ++state.unconfirmed;
  ++unconfirmed_;
}

bool Subscriptions::confirm(std::string_view channel, bool subscribed) {
  const auto found = channels_.find(channel);
  if (found == channels_.end() || found->second.unconfirmed == 0) return false;
  State& state = found->second;
  --unconfirmed_;
  --state.unconfirmed;
  if (state.unconfirmed > 0) return true;
  if (subscribed != state.sent) return false;
  settle(*found);
  return true;
}

bool Subscriptions::drop(std::string_view channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end() || found->second.unconfirmed > 0 || !found->second.sent) return false;
  found->second.sent = false;
  mark_changed(*found);
  return true;
}

void Subscriptions::forget(std::string_view channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return;
  State& state = found->second;
  if (state.wanted) --wanted_;
  state.wanted = state.sent = state.asked = false;
  settle(*found);
}

std::vector<std::string> Subscriptions::take_answers() { return std::exchange(answers_, {}); }

void Subscriptions::mark_changed(Channel& channel) {
  if (!started_ || channel.second.changed) return;
  channel.second.changed = true;
  changed_.push_back(&channel);
}

// If the channel has come to rest: answers, or forgets it.
void Subscriptions::settle(Channel& channel) {
  State& state = channel.second;
  if (state.unconfirmed > 0 || state.wanted != state.sent || state.changed) return;
  if (std::exchange(state.restoring, false)) --restoring_;
  if (!state.wanted) {
    if (!state.returning) channels_.erase(channels_.find(channel.first));
  } else if (std::exchange(state.asked, false)) {
    answers_.push_back(channel.first);
  }
}

}  // namespace carillon::redis
