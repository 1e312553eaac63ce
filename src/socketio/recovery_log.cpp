#include "socketio/recovery_log.hpp"

#include <algorithm>
#include <utility>

#include "socketio/recovery_offset.hpp"

namespace carillon::socketio {
namespace {

constexpr std::size_t entry_bytes = 256;  // of the log's own, about

std::size_t bytes_of(const Broadcast& message) {
  std::size_t bytes = entry_bytes + message.frames->bytes() + message.args.text().size() + message.event.size();
  for (const std::string& room : message.rooms) bytes += room.size() + sizeof(std::string);
  for (const std::string& room : message.except) bytes += room.size() + sizeof(std::string);
  return bytes;
}

// The one place where frames are changed after they were made: nobody shares them before they have their number.
void number(const Broadcast& message, std::uint64_t position) {
  if (message.offset_at == 0) return;
  const_cast<engineio::Frames&>(*message.frames).overwrite(message.offset_at, to_string(RecoveryOffset{position, 0}));
}

}  // namespace

RecoveryLog::RecoveryLog(Limits limits, unsigned shards) : limits_(limits), cursors_(shards, 0) {}

void RecoveryLog::append(BroadcastPtr message, std::uint64_t shard_mask, TimePoint now) {
  const std::size_t bytes = bytes_of(*message);
  const std::lock_guard lock(mutex_);
  number(*message, ++head_);
  entries_.push_back({std::move(message), shard_mask, bytes, now});
  bytes_ += bytes;
  trim_locked(now);
}

std::uint64_t RecoveryLog::read(unsigned shard, std::vector<BroadcastPtr>& out) {
  const std::lock_guard lock(mutex_);
  const auto unread = static_cast<std::ptrdiff_t>(head_ - cursors_[shard]);
  for (auto entry = entries_.end() - unread; entry != entries_.end(); ++entry)
    if ((entry->shard_mask >> shard & 1U) != 0) out.push_back(entry->message);
  return cursors_[shard] = head_;
}

std::optional<std::vector<RecoveryLog::Kept>> RecoveryLog::between(std::uint64_t after, std::uint64_t upto) const {
  const std::lock_guard lock(mutex_);
  if (after < floor_ || after > upto || upto > head_) return std::nullopt;
  std::vector<Kept> kept;
  for (std::uint64_t position = after + 1; position <= upto; ++position) {
    const Entry& entry = entries_[entries_.size() - 1 - (head_ - position)];
    if (!entry.message->flags.is_volatile && entry.message->offset_at != 0) kept.push_back({position, entry.message});
  }
  return kept;
}

void RecoveryLog::note_gap() {
  const std::lock_guard lock(mutex_);
  floor_ = head_;
}

void RecoveryLog::trim(TimePoint now) {
  const std::lock_guard lock(mutex_);
  trim_locked(now);
}

void RecoveryLog::trim_locked(TimePoint now) {
  const auto goes = [&](const Entry& entry) { return bytes_ > limits_.bytes_max || now - entry.at > limits_.age_max; };
  if (entries_.empty() || !goes(entries_.front())) return;
  // What a shard has not delivered yet has to stay.
  const std::uint64_t delivered = *std::ranges::min_element(cursors_);
  while (!entries_.empty() && goes(entries_.front())) {
    const std::uint64_t position = head_ - entries_.size() + 1;
    if (position > delivered) return;
    bytes_ -= entries_.front().bytes;
    floor_ = std::max(floor_, position);
    entries_.pop_front();
  }
}

std::uint64_t RecoveryLog::head() const {
  const std::lock_guard lock(mutex_);
  return head_;
}

std::size_t RecoveryLog::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace carillon::socketio
