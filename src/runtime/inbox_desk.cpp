#include "runtime/inbox_desk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "inbox/redis_record.hpp"
#include "runtime/shard.hpp"

namespace carillon::runtime {
namespace {

constexpr Milliseconds retry_pause{1'000};

// What is wrong for all users. That Redis is away is said by the link; damage is one log's.
bool is_trouble(inbox::StoreError error) {
  switch (error) {
    case inbox::StoreError::full:
    case inbox::StoreError::read_only:
    case inbox::StoreError::failed:
      return true;
    case inbox::StoreError::corrupt:
    case inbox::StoreError::unavailable:
    case inbox::StoreError::overloaded:
    case inbox::StoreError::key_conflict:
      return false;
  }
  return false;
}

}  // namespace

InboxDesk::InboxDesk(Shard& home, redis::Link& link, Random& random, Settings settings)
    : StoreHome(settings.waiting_bytes_max),
      home_(home),
      link_(link),
      settings_(std::move(settings)),
      store_(link, random, settings_.store),
      heads_(store_, settings_.head_checks, *this) {
  store_.set_watcher([this](std::optional<inbox::StoreError> error) {
    if (!error || is_trouble(*error)) note(error);
  });
}

void InboxDesk::on_home(Task task) {
  if (home_.is_current()) {
    task();
  } else {
    home_.post(std::move(task));
  }
}

void InboxDesk::visit(Visit visit) {
  on_home([this, visit = std::move(visit)]() mutable { visit(&store_, inbox::StoreError::unavailable); });
}

// --- listening ---

void InboxDesk::want(std::string user, Shard& shard, SignalSink& sink) {
  on_home([this, user = std::move(user), &shard, &sink] {
    std::vector<Listener>& listeners = listeners_[user];
    listeners.push_back({&shard, &sink});
    if (listeners.size() > 1) return;
    stats_.users.add(1);
    heads_.add(user);
    link_.subscribe(store_.keys().channel(user), settings_.store.signals);
  });
}

void InboxDesk::unwant(std::string user, SignalSink& sink) {
  on_home([this, user = std::move(user), &sink] {
    const auto found = listeners_.find(user);
    if (found == listeners_.end()) return;
    std::erase_if(found->second, [&](const Listener& listener) { return listener.sink == &sink; });
    if (!found->second.empty()) return;
    listeners_.erase(found);
    heads_.remove(user);
    stats_.users.add(-1);
    link_.unsubscribe(store_.keys().channel(user), settings_.store.signals);
  });
}

void InboxDesk::tell(std::string_view user, const std::function<void(SignalSink&)>& what) {
  const auto found = listeners_.find(user);
  if (found == listeners_.end()) return;
  // By mail, to the own shard, too: it may be in the midst of something.
  for (const Listener& listener : found->second) listener.shard->post([what, sink = listener.sink] { what(*sink); });
}

bool InboxDesk::on_message(std::string_view channel, std::string_view payload) {
  const auto user = store_.keys().user_of(channel);
  if (!user) return false;
  stats_.signals.add();
  if (auto signal = inbox::decode_signal(payload)) {
    const inbox::Signal told{std::string(*user), std::move(signal->position), std::move(signal->notification)};
    tell(*user, [told](SignalSink& sink) { sink.on_signal(told); });
  } else if (auto event = inbox::decode_read_event(payload)) {
    event->user = *user;
    tell(*user, [told = std::move(*event)](SignalSink& sink) { sink.on_read(told); });
  } else {
    stats_.malformed.add();
  }
  return true;
}

bool InboxDesk::on_subscribed(std::string_view channel) {
  const auto user = store_.keys().user_of(channel);
  if (!user) return false;
  heads_.check(*user);
  return true;
}

void InboxDesk::on_ready(bool ready) {
  if (ready) heads_.go_on();
}

TimePoint InboxDesk::now() const { return home_.loop().now(); }

void InboxDesk::on_head(const std::string& user, const inbox::Position& head) {
  tell(user, [user, head](SignalSink& sink) { sink.on_head(user, head); });
}

void InboxDesk::tell_read(inbox::ReadEvent event) {
  on_home([this, event = std::move(event)] {
    link_.publish(store_.keys().channel(event.user), inbox::encode_read_event(event), settings_.store.signals);
  });
}

// --- trouble ---

std::optional<inbox::StoreError> InboxDesk::trouble() const {
  const int trouble = trouble_;
  return trouble < 0 ? std::nullopt : std::optional(static_cast<inbox::StoreError>(trouble));
}

// Says what has changed.
void InboxDesk::note(std::optional<inbox::StoreError> trouble) {
  const int state = trouble ? static_cast<int>(*trouble) : -1;
  if (trouble) probe_at_ = std::min(probe_at_, now() + retry_pause);
  if (trouble_.exchange(state) == state) return;
  if (!trouble) return log_info("Notifications are accepted again.");
  log_error(fmt::format("No notification is accepted: {}: {}", to_string(*trouble), store_.complaint()));
}

void InboxDesk::on_time(TimePoint now) {
  heads_.on_time(now);
  if (now < probe_at_) return;
  probe_at_ = never;
  if (trouble()) probe();
}

void InboxDesk::probe() {
  if (std::exchange(probing_, true)) return;
  store_.probe([this](const Result<void, inbox::StoreError>& result) {
    probing_ = false;
    if (result) return note(std::nullopt);
    probe_at_ = std::min(probe_at_, now() + retry_pause);
  });
}

}  // namespace carillon::runtime
