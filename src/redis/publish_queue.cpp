#include "redis/publish_queue.hpp"

#include <iterator>
#include <utility>

namespace carillon::redis {

std::size_t PublishQueue::cost(const Message& message) {
  return sizeof(Message) + message.channel.size() + message.payload.size();
}

bool PublishQueue::push(Message&& message) {
  const std::size_t bytes = cost(message);
  if (!budget_.take(bytes)) return false;
  bytes_ += bytes;
  auto place = entries_.end();
  while (place != entries_.begin() && std::prev(place)->number > message.number) --place;
  if (message.since == never && place != entries_.end()) message.since = place->since;
  entries_.insert(place, std::move(message));
  return true;
}

std::optional<PublishQueue::Message> PublishQueue::pop() {
  if (entries_.empty()) return std::nullopt;
  Message message = std::move(entries_.front());
  const std::size_t bytes = cost(message);
  bytes_ -= bytes;
  budget_.give_back(bytes);
  entries_.pop_front();
  return message;
}

std::vector<PublishQueue::Message> PublishQueue::take(const std::function<bool(const Message&)>& which) {
  std::vector<Message> taken;
  std::deque<Message> left;
  for (Message& message : entries_) {
    if (!which(message)) {
      left.push_back(std::move(message));
      continue;
    }
    const std::size_t bytes = cost(message);
    bytes_ -= bytes;
    budget_.give_back(bytes);
    taken.push_back(std::move(message));
  }
  entries_ = std::move(left);
  return taken;
}

// Those without a time have come last.
void PublishQueue::stamp(TimePoint now) {
  for (auto entry = entries_.rbegin(); entry != entries_.rend() && entry->since == never; ++entry) entry->since = now;
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
