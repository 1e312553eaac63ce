// Scripts and commands on a link to Redis, and what their errors mean for a store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "inbox/redis_scripts.hpp"
#include "inbox/store_error.hpp"
#include "redis/link.hpp"

namespace carillon::inbox {

// Total: every way in which a command can have no answer. Lost ones, too, are `unavailable`: they may have had their effect.
StoreError store_error_of(const redis::CommandError& error);

// Owned by the link's thread. Calls are sent in the order in which they are made; a Redis that does not know a script yet is given its
// text, behind what was sent meanwhile.
class RedisCalls {
 public:
  using Done = std::move_only_function<void(Result<redis::Reply, StoreError>)>;
  // The link outlives this.
  explicit RedisCalls(redis::Link& link) : link_(link) {}

  // All keys of one slot; there is one at least.
  void run(const RedisScript& script, std::vector<std::string> keys, std::vector<std::string> arguments, Done done);
  void command(std::vector<std::string> words, const std::string& key, Done done);

  // What an error text in a script's answer means.
  StoreError refusal(std::string text);

  // What Redis said with the last error reply.
  const std::string& complaint() const { return complaint_; }

 private:
  struct Run;
  void send(const std::shared_ptr<Run>& run, bool with_text);

  redis::Link& link_;
  std::string complaint_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // the link may answer later
};

// Takes an answer apart from its front; once something is not what it should be, it is not good().
class RedisAnswer {
 public:
  explicit RedisAnswer(redis::Reply& reply);
  bool good() const { return good_; }
  bool at_end() const { return next_ >= reply_.items.size(); }
  std::uint64_t number();
  std::int64_t signed_number();
  std::string text();

 private:
  redis::Reply* take(redis::Reply::Type type);

  redis::Reply& reply_;
  std::size_t next_ = 0;
  bool good_;
};

}  // namespace carillon::inbox
