#include "redis/publish_queue.hpp"

#include <algorithm>
#include <utility>

namespace carillon::redis {

std::size_t PublishQueue::cost(const Message& message) {
  return sizeof(Entry) + message.channel.size() + message.payload.size();
}

bool PublishQueue::push(Message&& message) {
  const std::size_t bytes = cost(message);
  if (bytes > bytes_max_ - bytes_) return false;
  bytes_ += bytes;
  entries_.push_back({std::move(message)});
  ++unstamped_;
  return true;
}

std::optional<PublishQueue::Message> PublishQueue::pop() {
  if (entries_.empty()) return std::nullopt;
  Message message = std::move(entries_.front().message);
  unstamped_ = std::min(unstamped_, entries_.size() - 1);
  bytes_ -= cost(message);
  entries_.pop_front();
  return message;
}

void PublishQueue::stamp(TimePoint now) {
  for (auto entry = entries_.rbegin(); unstamped_ > 0; ++entry, --unstamped_) entry->since = now;
}

std::optional<PublishQueue::Message> PublishQueue::pop_old(TimePoint now) {
  if (entries_.empty() || entries_.front().since == never || now - entries_.front().since < age_max_)
    return std::nullopt;
  return pop();
}

TimePoint PublishQueue::next_deadline() const {
  if (entries_.empty() || entries_.front().since == never) return never;
  return entries_.front().since + age_max_;
}

}  // namespace carillon::redis
