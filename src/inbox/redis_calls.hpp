// Scripts and commands on a link to Redis, and what their errors mean for a store.
#pragma once

#include <cstddef>
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

// Owned by the link's thread. Scripts run in the order in which they are asked for, those of one slot: when a Redis does not
// know one yet, further ones are held until all that are on their way have been sent to it with their text.
class RedisCalls {
 public:
  using Done = std::move_only_function<void(Result<redis::Reply, StoreError>)>;
  // The link outlives this.
  explicit RedisCalls(redis::Link& link) : link_(link) {}
  ~RedisCalls();
  RedisCalls(const RedisCalls&) = delete;
  RedisCalls& operator=(const RedisCalls&) = delete;

  // All keys of one slot; there is one at least.
  void run(const RedisScript& script, std::vector<std::string> keys, std::vector<std::string> arguments, Done done);
  void command(std::vector<std::string> words, const std::string& key, Done done);

  // What an error text in a script's answer means.
  StoreError refusal(std::string text);

  // What Redis said with the last error reply.
  const std::string& complaint() const { return complaint_; }

 private:
  struct Run;
  using RunPtr = std::shared_ptr<Run>;
  void send(const RunPtr& run, bool with_text);
  void on_answer(const RunPtr& run, bool with_text, Result<redis::Reply, redis::CommandError> reply);
  void release();

  redis::Link& link_;
  std::string complaint_;
  std::size_t unanswered_ = 0;  // sent without their text
  bool holding_ = false;
  std::vector<RunPtr> held_;
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
