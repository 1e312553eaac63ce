#include "inbox/sqlite_tail.hpp"

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

namespace carillon::inbox {
namespace {

// Of those that need not stay; a user takes some 200 bytes.
constexpr std::size_t users_max = 250'000;

}  // namespace

void SqliteTail::clear() { *this = SqliteTail(); }

// --- users ---

SqliteTail::User* SqliteTail::find_user(std::string_view id) {
  User* known = users_.find(id);
  if (known != nullptr) known->used = true;
  return known;
}

SqliteTail::User& SqliteTail::add_user(std::string_view id, User user) {
  if (users_.size() >= std::max(users_max, room_at_)) make_room();
  user.used = true;
  return users_.add(id, std::move(user));
}

// Its row does not say yet where its log ends.
bool SqliteTail::must_stay(const User& user) const {
  return user.generation == generation_ || (!sealed_.empty() && user.generation + 1 == generation_);
}

// A second chance for those that were used since the last time; where that would hardly help, they go as well.
void SqliteTail::make_room() {
  users_.forget_if([this](const User& user) { return !must_stay(user) && !user.used; });
  if (users_.size() >= users_max / 4 * 3) users_.forget_if([this](const User& user) { return !must_stay(user); });
  users_.for_each([](User& user) { user.used = false; });
  room_at_ = users_.size() + users_max / 4;  // not for each that comes while none can go
}

// --- what is new ---

void SqliteTail::append(User& user, const Posting& posting) {
  user.head = std::max(user.head, posting.number);
  const std::uint32_t previous = user.generation == generation_ ? user.last : 0;
  active_.push_back({user.num, posting, user.bytes_total, previous});
  user.last = static_cast<std::uint32_t>(active_.size());
  user.generation = generation_;
  bytes_ += posting.bytes;
  expires_at_ = std::min(expires_at_, posting.expires_at);
}

void SqliteTail::remember(std::string_view key, Key known, UnixMs expires_at) {
  expires_at_ = std::min(expires_at_, expires_at);
  notes_.push_back({known.seq, std::string(key)});
  keys_.insert_or_assign(std::string(key), std::move(known));
}

const SqliteTail::Key* SqliteTail::find_key(std::string_view key) const {
  const auto known = keys_.find(key);
  return known == keys_.end() ? nullptr : &known->second;
}

bool SqliteTail::visit(const User& user, std::uint64_t after, const std::function<bool(const Posting&)>& visit) const {
  const auto place = [](const Sealed& sealed) { return std::pair(sealed.entry.user, sealed.entry.posting.number); };
  for (auto next = std::ranges::upper_bound(sealed_, std::pair(user.num, after), {}, place);
       next != sealed_.end() && next->entry.user == user.num; ++next)
    if (!visit(next->entry.posting)) return false;
  std::vector<const Posting*> newest;  // first
  for (std::uint32_t last = user.generation == generation_ ? user.last : 0; last != 0;
       last = active_[last - 1].previous) {
    if (active_[last - 1].posting.number <= after) break;
    newest.push_back(&active_[last - 1].posting);
  }
  for (auto next = newest.rbegin(); next != newest.rend(); ++next)
    if (!visit(**next)) return false;
  return true;
}

// --- what is sealed ---

void SqliteTail::seal() {
  sealed_.reserve(active_.size());
  for (const Pending& pending : active_) sealed_.push_back({{pending.user, pending.posting}, pending.bytes_total});
  std::ranges::sort(sealed_, {},
                    [](const Sealed& sealed) { return std::tuple(sealed.entry.user, sealed.entry.posting.number); });
  active_.clear();
  bytes_ = 0;
  ++generation_;
}

void SqliteTail::drop_sealed() {
  sealed_.clear();
  if (empty()) expires_at_ = unix_never;
}

void SqliteTail::seal_notes() {
  sealed_notes_ = std::exchange(notes_, {});
  std::ranges::sort(sealed_notes_, std::greater(), &Note::key);
}

void SqliteTail::pop_sealed_note() {
  sealed_notes_.pop_back();
  if (empty()) expires_at_ = unix_never;
}

void SqliteTail::forget_key(std::string_view key) {
  if (const auto known = keys_.find(key); known != keys_.end()) keys_.erase(known);
}

}  // namespace carillon::inbox
