// Messages that wait for Redis, bounded in bytes and age.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace carillon::redis {

// Of XADD: the entry's id, or nothing if the message was dropped.
using AppendDone = std::move_only_function<void(std::optional<std::string_view>)>;

// First in, first out. Owned by the backplane's shard.
class PublishQueue {
 public:
  struct Message {
    enum class Verb : std::uint8_t { publish, publish_sharded, append };
    Verb verb = Verb::publish;
    bool asking = false;   // preceded by ASKING, for a node of a Redis Cluster that is about to get the key
    std::string channel;   // or stream
    std::string payload;   // append: the whole command as bytes
    AppendDone done = {};  // append; may be empty
  };

  PublishQueue(std::size_t bytes_max, Milliseconds age_max) : bytes_max_(bytes_max), age_max_(age_max) {}

  // False: it does not fit, and `message` is left as it was.
  bool push(Message&& message);
  std::optional<Message> pop();

  // Gives messages that came since the last call their time. Then pop_old() gives those that are too old.
  void stamp(TimePoint now);
  std::optional<Message> pop_old(TimePoint now);
  // When pop_old() is to be called for the oldest message.
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
