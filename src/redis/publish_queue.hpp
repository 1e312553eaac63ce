// Messages that wait for Redis, bounded in bytes and age.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace carillon::redis {

// Of XADD: the entry's id, or nothing if the message was dropped.
using AppendDone = std::move_only_function<void(std::optional<std::string_view>)>;

// How many bytes one queue, or several, may hold. Owned by the backplane's shard.
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t most) : left_(most) {}

  // False: there are not so many left.
  bool take(std::size_t bytes) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }
  void give_back(std::size_t bytes) { left_ += bytes; }

 private:
  std::size_t left_;
};

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

    // In a Redis Cluster, where messages may go from queue to queue:
    std::uint64_t number = 0;  // of a larger number: later, whichever queue it comes from. All 0: as they are pushed
    std::int32_t slot = -1;    // of the channel or stream; -1: any node will do
    TimePoint since = never;   // when it came; never: in this loop turn
  };

  // The budget may be shared, and must outlive the queue.
  PublishQueue(ByteBudget& budget, Milliseconds age_max) : budget_(budget), age_max_(age_max) {}
  ~PublishQueue() { budget_.give_back(bytes_); }
  PublishQueue(const PublishQueue&) = delete;
  PublishQueue& operator=(const PublishQueue&) = delete;

  // False: it does not fit, and `message` is left as it was.
  bool push(Message&& message);
  std::optional<Message> pop();
  // Those to which this applies, in order.
  std::vector<Message> take(const std::function<bool(const Message&)>& which);

  // Gives messages that came since the last call their time. Then pop_old() gives those that are too old.
  void stamp(TimePoint now);
  std::optional<Message> pop_old(TimePoint now);
  // When pop_old() is to be called for the oldest message.
  TimePoint next_deadline() const;

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  static std::size_t cost(const Message& message);

  ByteBudget& budget_;
  Milliseconds age_max_;
  std::deque<Message> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace carillon::redis
