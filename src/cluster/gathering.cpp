#include "cluster/gathering.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.hpp"

namespace carillon::cluster {
namespace {

constexpr Milliseconds count_interval{1'000};
constexpr Milliseconds count_interval_waiting{50};

}  // namespace

Gathering::Gathering(redis::Link& link, Settings settings) : link_(link), settings_(std::move(settings)) {
  counted_.push_back({.channel = {settings_.key + "-carillon-present#", redis::ChannelKind::plain}});
  if (settings_.servers) counted_.push_back({.channel = *settings_.servers});
}

void Gathering::on_ready(bool ready, TimePoint now) {
  ++round_;
  const Channel& present = counted_.front().channel;
  if (!ready) {
    link_.unsubscribe(present.name, present.kind);
    next_count_ = never;
    if (std::exchange(waits_, false)) link_.hold_messages(false);
    return;
  }
  link_.subscribe(present.name, present.kind);
  next_count_ = now;
  if (!std::exchange(was_ready_, true) || !settings_.servers || settings_.wait_max.count() == 0) return;
  waits_ = true;
  wait_until_ = now + settings_.wait_max;
  for (Counted& each : counted_) each.now = 0;
  link_.hold_messages(true);
}

void Gathering::on_time(TimePoint now) {
  if (now < next_count_) return;
  if (waits_ && now >= wait_until_) {
    std::size_t missing = 0;
    for (const Counted& each : counted_) missing = std::max(missing, each.before - std::min(each.before, each.now));
    log_warn("Redis: sends again, though " + std::to_string(missing) +
             " of the servers that listened before the outage have not come back");
    go_on();
  }
  next_count_ = now + (waits_ ? count_interval_waiting : count_interval);
  count();
}

void Gathering::count() {
  for (std::size_t of = 0; of < counted_.size(); ++of) {
    const Channel& channel = counted_[of].channel;
    auto counted = [this, of, round = round_, alive = std::weak_ptr(alive_)](std::optional<std::size_t> listeners) {
      if (!alive.expired() && round == round_) on_count(of, listeners);
    };
    link_.count_subscribers(channel.name, channel.kind, std::move(counted));
  }
}

void Gathering::on_count(std::size_t of, std::optional<std::size_t> listeners) {
  Counted& counted = counted_[of];
  counted.now = listeners.value_or(counted.before);  // Redis does not say: then there is nothing to wait for
  if (!waits_) {
    counted.before = counted.now;
    if (of == 0) link_.set_nodes(std::max<std::size_t>(counted.now, 1));  // this one is there
  } else if (std::ranges::all_of(counted_, [](const Counted& each) { return each.now >= each.before; })) {
    go_on();
  }
}

void Gathering::go_on() {
  waits_ = false;
  link_.hold_messages(false);
  for (Counted& each : counted_) each.before = each.now;
}

}  // namespace carillon::cluster
