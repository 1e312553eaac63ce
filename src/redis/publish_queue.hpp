// Messages that wait for Redis, bounded in bytes and age.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "base/time.hpp"

namespace carillon::redis {

// First in, first out. Owned by the backplane's shard.
class PublishQueue {
 public:
  struct Message {
    std::string channel;
    std::string payload;
  };

  PublishQueue(std::size_t bytes_max, Milliseconds age_max) : bytes_max_(bytes_max), age_max_(age_max) {}

  // False: it does not fit, and is dropped.
  bool push(std::string channel, std::string payload);
  std::optional<Message> pop();

  // Gives messages that came since the last call their time, and drops those that are too old. Returns how many.
  std::size_t age(TimePoint now);
  // When age() is to be called for the oldest message.
  TimePoint next_deadline() const;

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Message message;
    TimePoint since = never;  // never: not known yet
  };
  static std::size_t cost(const Message& message);

  std::size_t bytes_max_;
  Milliseconds age_max_;
  std::deque<Entry> entries_;
  std::size_t unstamped_ = 0;  // at the back
  std::size_t bytes_ = 0;
};

}  // namespace carillon::redis
