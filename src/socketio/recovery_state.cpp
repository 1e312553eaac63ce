#include "socketio/recovery_state.hpp"

#include <algorithm>
#include <utility>

namespace carillon::socketio {
namespace {

constexpr std::size_t changes_max = 200;  // between two pongs; a socket that moves more is not recovered from before

}  // namespace

RecoveryState::RecoveryState(std::string pid, std::uint64_t start, std::size_t bytes_max,
                             std::shared_ptr<RecoveryBudget> budget)
    : pid_(std::move(pid)), proven_{start, 0}, bytes_max_(bytes_max), budget_(std::move(budget)) {}

RecoveryState::~RecoveryState() { budget_->give_back(bytes_); }

void RecoveryState::keep(const RecoveryOffset& offset, engineio::FramesPtr frames) {
  bytes_ += frames->bytes();
  budget_->take(frames->bytes());
  directs_.push_back({offset, std::move(frames)});
  while (!directs_.empty() && (bytes_ > bytes_max_ || budget_->is_exceeded())) {
    lost_ = directs_.front().offset.direct;
    drop_oldest();
  }
}

void RecoveryState::note(Change change) {
  if (changes_.size() < changes_max) return changes_.push_back(std::move(change));
  changes_lost_ = change.at;
}

void RecoveryState::drop_oldest() {
  bytes_ -= directs_.front().frames->bytes();
  budget_->give_back(directs_.front().frames->bytes());
  directs_.pop_front();
}

void RecoveryState::pong() {
  if (!pinged_) return;
  proven_ = *std::exchange(pinged_, std::nullopt);
  while (!directs_.empty() && directs_.front().offset.direct <= proven_.direct) drop_oldest();
  std::erase_if(changes_, [&](const Change& change) { return change.at < proven_.position; });
}

std::optional<std::vector<engineio::FramesPtr>> RecoveryState::missed(const std::optional<RecoveryOffset>& offset,
                                                                      const RecoveryLog& log, std::uint64_t cursor,
                                                                      std::string_view name_space, std::string_view sid,
                                                                      const std::vector<std::string>& rooms) const {
  RecoveryOffset from = proven_;
  if (offset) {
    if (offset->position > cursor || offset->direct > sent_) return std::nullopt;  // never sent
    from.position = std::max(from.position, offset->position);
    from.direct = std::max(from.direct, offset->direct);
    for (const Direct& direct : directs_)
      if (direct.offset.position < offset->position) from.direct = std::max(from.direct, direct.offset.direct);
  }
  if (from.direct < lost_ || from.position < changes_lost_) return std::nullopt;
  const auto kept = log.between(from.position, cursor);
  if (!kept) return std::nullopt;

  std::vector<engineio::FramesPtr> frames;
  auto direct = std::ranges::find_if(directs_, [&](const Direct& each) { return each.offset.direct > from.direct; });
  const auto directs_before = [&](std::uint64_t position) {
    for (; direct != directs_.end() && direct->offset.position < position; ++direct) frames.push_back(direct->frames);
  };
  for (const RecoveryLog::Kept& each : *kept) {
    if (each.message->name_space != name_space || !received(*each.message, each.position, sid, rooms)) continue;
    directs_before(each.position);
    frames.push_back(each.message->frames);
  }
  directs_before(cursor + 1);
  return frames;
}

// Whether the socket was among the receivers, or would have been.
bool RecoveryState::received(const Broadcast& message, std::uint64_t position, std::string_view sid,
                             const std::vector<std::string>& rooms) const {
  const auto in = [&](const std::string& room) { return room == sid || was_in(room, position, rooms); };
  if (std::ranges::any_of(message.except, in)) return false;
  return message.rooms.empty() || std::ranges::any_of(message.rooms, in);
}

// The first change that did not concern this broadcast any more tells how it was before.
bool RecoveryState::was_in(std::string_view room, std::uint64_t position, const std::vector<std::string>& rooms) const {
  for (const Change& change : changes_)
    if (change.at >= position && change.room == room) return !change.joined;
  return std::ranges::find(rooms, room) != rooms.end();
}

}  // namespace carillon::socketio
