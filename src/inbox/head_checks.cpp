#include "inbox/head_checks.hpp"

#include <algorithm>
#include <utility>

namespace carillon::inbox {

void HeadChecks::add(const std::string& user) { again_later(user, users_[user], port_.now()); }

void HeadChecks::remove(std::string_view user) {
  const auto found = users_.find(user);
  if (found == users_.end()) return;
  rounds_.erase({found->second.check_at, found->first});
  users_.erase(found);
}

void HeadChecks::check(std::string_view user) {
  note(user);
  ask();
}

void HeadChecks::go_on() {
  retry_at_ = never;
  ask();
}

TimePoint HeadChecks::next_deadline() const {
  return rounds_.empty() ? retry_at_ : std::min(retry_at_, rounds_.begin()->first);
}

void HeadChecks::on_time(TimePoint now) {
  while (!rounds_.empty() && rounds_.begin()->first <= now) {
    const std::string user = rounds_.begin()->second;
    again_later(user, users_[user], now);
    note(user);
  }
  if (now >= retry_at_) retry_at_ = never;
  ask();
}

void HeadChecks::again_later(const std::string& user, User& state, TimePoint now) {
  rounds_.erase({state.check_at, user});
  state.check_at = now + options_.interval;
  rounds_.emplace(state.check_at, user);
}

void HeadChecks::note(std::string_view user) {
  const auto found = users_.find(user);
  if (found == users_.end() || std::exchange(found->second.unchecked, true)) return;
  unchecked_.emplace_back(user);
}

void HeadChecks::ask() {
  while (retry_at_ == never && asking_ < options_.at_once_max && !unchecked_.empty()) {
    const std::string user = std::move(unchecked_.front());
    unchecked_.pop_front();
    const auto found = users_.find(user);
    if (found == users_.end()) continue;
    found->second.unchecked = false;
    ++asking_;
    asked_.add();
    store_.open(user, "", [this, user, alive = std::weak_ptr(alive_)](const Result<DeviceState, StoreError>& state) {
      if (!alive.expired()) on_answer(user, state);
    });
  }
}

// Perhaps in the middle of the question.
void HeadChecks::on_answer(const std::string& user, const Result<DeviceState, StoreError>& state) {
  --asking_;
  if (!state) {
    note(user);
    retry_at_ = std::min(retry_at_, port_.now() + options_.retry_pause);
    return;
  }
  if (state->head > 0) port_.on_head(user, {state->epoch, state->head});
  ask();
}

}  // namespace carillon::inbox
