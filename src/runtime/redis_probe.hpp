// A connection to Redis for tools: asks, and waits for the answer.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "redis/link.hpp"
#include "redis/reply.hpp"

namespace carillon::runtime {

// Has a thread and connections of its own. One thread calls it.
class RedisProbe {
 public:
  // Throws std::invalid_argument for a malformed URL. `canary_prefix`: of the channel on which it proves that messages come
  // round.
  RedisProbe(std::string_view url, std::string canary_prefix);
  ~RedisProbe();
  RedisProbe(const RedisProbe&) = delete;
  RedisProbe& operator=(const RedisProbe&) = delete;

  // Whether it is connected, and a message has come round, within the time.
  bool wait_ready(std::chrono::milliseconds timeout);
  // The error is Redis' text, or says that no answer came. In a Redis Cluster the master of the key is asked; without a key
  // anyone.
  Result<redis::Reply, std::string> ask(std::vector<std::string> words, std::string key,
                                        std::chrono::milliseconds timeout);
  // Of a Redis Cluster each node that can be asked; errors are left out.
  std::vector<redis::Reply> ask_everywhere(std::vector<std::string> words, std::chrono::milliseconds timeout);
  // Whether the channel can be subscribed to. If not, the connection may be lost: to be tried last.
  bool subscribe(redis::ChannelKind kind, const std::string& channel, std::chrono::milliseconds timeout);
  // Subscribes to `answers`, publishes, and gives what has come by the end of the time.
  std::vector<std::string> call(const std::string& answers, const std::string& channel, const std::string& message,
                                std::chrono::milliseconds time);
  std::string random_name();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carillon::runtime
