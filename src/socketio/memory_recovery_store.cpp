#include "socketio/memory_recovery_store.hpp"

#include <utility>

namespace carillon::socketio {

void MemoryRecoveryStore::opened(std::string_view pid, std::string_view name_space, std::string_view sid,
                                 std::string_view identity, ShardPort& shard, std::function<void()> give_way) {
  const std::lock_guard lock(mutex_);
  entries_.insert_or_assign(std::string(pid), Entry{std::string(name_space), std::string(sid), std::string(identity),
                                                    &shard, std::move(give_way), std::nullopt, 0});
}

void MemoryRecoveryStore::keep(StoredSession session, TimePoint now) {
  {
    const std::lock_guard lock(mutex_);
    const std::string& pid = session.state->pid();
    Entry& entry = entries_[pid];
    entry = Entry{session.name_space, session.sid, session.identity, nullptr, nullptr, std::nullopt, ++last_number_};
    expiries_.push_back({now + limits_.age_max, pid, entry.number});
    entry.stored = std::move(session);
    ++stored_;
  }
  expire(now);
}

void MemoryRecoveryStore::closed(std::string_view pid) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(pid); found != entries_.end() && !found->second.stored) entries_.erase(found);
}

void MemoryRecoveryStore::find(std::string_view pid, std::string_view name_space, ShardPort&,
                               std::function<void(std::optional<Facts>)> done) {
  std::optional<Facts> facts;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(pid);
    if (found != entries_.end() && found->second.name_space == name_space)
      facts = Facts{found->second.sid, found->second.identity};
  }
  done(std::move(facts));
}

std::optional<StoredSession> MemoryRecoveryStore::take_stored(std::string_view pid) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(pid);
  if (found == entries_.end() || !found->second.stored) return std::nullopt;
  std::optional<StoredSession> session = std::move(found->second.stored);
  entries_.erase(found);
  --stored_;
  return session;
}

void MemoryRecoveryStore::take(std::string_view pid, ShardPort& asker,
                               std::function<void(std::optional<StoredSession>)> done) {
  ShardPort* shard = nullptr;
  std::function<void()> give_way;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(pid);
    if (found != entries_.end() && !found->second.stored) {
      shard = found->second.shard;
      give_way = std::exchange(found->second.give_way, nullptr);
    }
  }
  if (!give_way) return done(take_stored(pid));
  if (shard->is_current()) {
    give_way();
    return done(take_stored(pid));
  }
  shard->post([this, pid = std::string(pid), give_way = std::move(give_way), &asker, done = std::move(done)]() mutable {
    give_way();
    // A task is movable only, and so is the session; what it is handed to is not.
    auto session = std::make_shared<std::optional<StoredSession>>(take_stored(pid));
    asker.post([session, done = std::move(done)] { done(std::move(*session)); });
  });
}

bool MemoryRecoveryStore::expire(TimePoint now) {
  std::vector<StoredSession> gone;  // let go of without the lock: what they hold may call others
  const std::lock_guard lock(mutex_);
  while (!expiries_.empty() && (expiries_.front().at <= now || stored_ > limits_.sessions_max)) {
    const Expiry expiry = std::move(expiries_.front());
    expiries_.pop_front();
    const auto found = entries_.find(expiry.pid);
    if (found == entries_.end() || !found->second.stored || found->second.number != expiry.number) continue;
    gone.push_back(std::move(*found->second.stored));
    entries_.erase(found);
    --stored_;
  }
  return stored_ > 0;
}

std::size_t MemoryRecoveryStore::stored_count() const {
  const std::lock_guard lock(mutex_);
  return stored_;
}

}  // namespace carillon::socketio
