#include "inbox/sqlite_tail.hpp"

#include <algorithm>
#include <utility>

namespace carillon::inbox {
namespace {

// Of those that have nothing pending; a user takes some 200 bytes.
constexpr std::size_t users_max = 250'000;

}  // namespace

void SqliteTail::clear() { *this = SqliteTail(); }

// --- users ---

SqliteTail::User* SqliteTail::find_user(std::string_view id) {
  const auto known = users_.find(id);
  if (known == users_.end()) return nullptr;
  known->second.used = true;
  return &known->second;
}

SqliteTail::User& SqliteTail::add_user(std::string_view id, User user) {
  if (users_.size() >= users_max) make_room();
  user.used = true;
  return users_.emplace(id, std::move(user)).first->second;
}

// A second chance for those that were used since the last time; where that would hardly help, they go as well.
void SqliteTail::make_room() {
  std::erase_if(users_, [](const auto& item) { return !item.second.queued && !item.second.used; });
  if (users_.size() >= users_max / 4 * 3) std::erase_if(users_, [](const auto& item) { return !item.second.queued; });
  for (auto& [id, user] : users_) user.used = false;
}

// --- what is new ---

void SqliteTail::append(User& user, Pending pending) {
  user.head = pending.number;
  ++user.entries;
  user.bytes += pending.notification->bytes();
  user.pending.push_back(std::move(pending));
  ++pending_;
  if (!std::exchange(user.queued, true)) queue_.push_back(&user);
}

void SqliteTail::append(Note note) {
  bytes_ += note.notification->bytes();
  expires_at_ = std::min(expires_at_, note.notification->expires_at);
  notes_.push_back(std::move(note));
}

void SqliteTail::remember(std::string_view key, Key known) {
  keys_.insert_or_assign(std::string(key), std::move(known));
}

const SqliteTail::Key* SqliteTail::find_key(std::string_view key) const {
  const auto known = keys_.find(key);
  return known == keys_.end() ? nullptr : &known->second;
}

void SqliteTail::forget_key(std::string_view key) {
  if (const auto known = keys_.find(key); known != keys_.end()) keys_.erase(known);
}

// --- what is folded ---

void SqliteTail::folded(User& user) {
  pending_ -= user.pending.size();
  user.pending = {};  // its memory goes, too: most users get nothing for a while
}

void SqliteTail::seal() {
  sealed_ = std::exchange(queue_, {});
  std::ranges::sort(sealed_, std::greater(), &User::num);
}

SqliteTail::User* SqliteTail::next_sealed() {
  while (!sealed_.empty()) {
    User* user = sealed_.back();
    sealed_.pop_back();
    user->queued = false;
    if (!user->pending.empty()) return user;
  }
  return nullptr;
}

void SqliteTail::pop_note() {
  bytes_ -= notes_.front().notification->bytes();
  notes_.pop_front();
  if (notes_.empty()) expires_at_ = unix_never;
}

}  // namespace carillon::inbox
