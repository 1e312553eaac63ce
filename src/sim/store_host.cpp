#include "sim/store_host.hpp"

#include <utility>

namespace carillon::sim {
namespace {

constexpr Milliseconds sync_max{20};       // of a store that syncs before it answers
constexpr Milliseconds sync_every{1'000};  // of one that does not

}  // namespace

StoreHost::StoreHost(World& world) : world_(world) {
  model_ = std::make_unique<inbox::MemoryStore>("", world.plan.limits);
  begin_epoch();
}

void StoreHost::begin_epoch() {
  const std::string epoch = "e" + std::to_string(++epochs_);
  model_->restart(epoch);
  world_.trace.line("store: epoch {}", epoch);
  log_.push_back({nullptr, epoch, world_.history.records()});
  synced_ = log_.size();
}

// --- calls ---

void StoreHost::arrive(std::shared_ptr<StoreCall> call, Task answer) {
  take(*call);
  if (call->writes() && call->succeeded()) log_.push_back({call, "", world_.history.records()});
  waiting_.push_back({std::move(call), std::move(answer)});
  if (!world_.plan.durable) {
    release();
    return sync_later(sync_every);
  }
  sync_later(world_.prng.between(Milliseconds(1), sync_max));
  if (world_.has_bug(Canary::accepted)) release();
}

void StoreHost::take(StoreCall& call) {
  if (world_.faults && world_.prng.chance(world_.plan.refused_pm)) return call.fail(any_error());
  if (call.writes() && trouble_) return call.fail(*trouble_);
  call.apply(*model_);
  call.tell_stored(*model_, world_.history);
}

inbox::StoreError StoreHost::any_error() {
  switch (world_.prng.below(3)) {
    case 0:
      return inbox::StoreError::unavailable;
    case 1:
      return inbox::StoreError::overloaded;
    default:
      return inbox::StoreError::failed;
  }
}

void StoreHost::sync_later(Milliseconds delay) {
  if (std::exchange(syncing_, true)) return;
  world_.scheduler.after(delay, [this, life = life_] {
    if (life == life_) sync();
  });
}

void StoreHost::sync() {
  syncing_ = false;
  const bool one_transaction = !world_.plan.shared;
  if (one_transaction && world_.faults && world_.prng.chance(world_.plan.refused_pm / 4)) return fail_batch();
  synced_ = log_.size();
  release();
}

// The transaction is rolled back: nothing of it has happened.
void StoreHost::fail_batch() {
  if (world_.has_bug(Canary::accepted)) return release();
  rebuild(synced_);
  const inbox::StoreError error = any_error();
  for (const Waiting& waiting : waiting_) waiting.call->fail(error);
  world_.trace.line("store: a batch of {} fails: {}", waiting_.size(), to_string(error));
  release();
}

void StoreHost::release() {
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    waiting.call->tell_answered(world_.history);
    waiting.answer();
  }
}

// --- signals ---

void StoreHost::subscribe(const std::string& user, Subscriber& subscriber) {
  unsubscribe(user, subscriber);
  subscribers_[user].push_back(&subscriber);
}

void StoreHost::unsubscribe(const std::string& user, Subscriber& subscriber) {
  std::erase(subscribers_[user], &subscriber);
}

void StoreHost::drop(Subscriber& subscriber) {
  for (auto& [user, subscribers] : subscribers_) std::erase(subscribers, &subscriber);
}

void StoreHost::publish(const inbox::Signal& signal) {
  for (Subscriber* const subscriber : subscribers_[signal.user]) subscriber->publish(signal);
}

// --- crashes ---

void StoreHost::crash() {
  if (!up_) return;
  up_ = false;
  ++life_;
  syncing_ = false;
  waiting_.clear();
  subscribers_.clear();
  // Some of what was not synced may have come to the disk all the same.
  const std::size_t before = log_.size();
  const auto kept = static_cast<std::size_t>(world_.prng.between(std::uint64_t{synced_}, std::uint64_t{before}));
  world_.trace.line("store: crash, keeps {} of {}", kept, before);
  rebuild(kept);
  if (world_.plan.shared) begin_epoch();
}

void StoreHost::restart() {
  if (std::exchange(up_, true)) return;
  world_.trace.line("store: restart");
}

void StoreHost::rebuild(std::size_t calls) {
  const bool cut = calls < log_.size();
  log_.resize(calls);
  synced_ = log_.size();
  std::size_t forgotten = log_.size();
  if (world_.has_bug(Canary::cursor))
    for (std::size_t i = 0; i < log_.size(); ++i)
      if (log_[i].call && log_[i].call->name() == "prove") forgotten = i;
  model_ = std::make_unique<inbox::MemoryStore>("", world_.plan.limits);
  for (std::size_t i = 0; i < log_.size(); ++i) {
    if (!log_[i].call) {
      model_->restart(log_[i].epoch);
    } else if (i != forgotten) {
      log_[i].call->replay(*model_);
    }
  }
  if (cut) world_.history.on_cut(log_.back().records);
}

}  // namespace carillon::sim
