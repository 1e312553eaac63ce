#include "app/inbox_rights.hpp"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "inbox/redis_keys.hpp"
#include "runtime/inbox_options.hpp"

namespace carillon::app {
namespace {

using Words = std::vector<std::string>;

constexpr std::chrono::seconds answer_time{5};
constexpr std::chrono::seconds subscribe_time{2};
constexpr const char* life_ms = "60000";  // of what could not be removed

// The commands of src/inbox/redis_scripts/ and of inbox::RedisStore, each so that it does no harm. The key comes second.
const Words on_log[] = {{"HSET", "", "a", "1"}, {"PEXPIRE", "", life_ms}, {"HGET", "", "a"},
                        {"HMGET", "", "a"},     {"HSETNX", "", "b", "1"}, {"HEXISTS", "", "a"},
                        {"HKEYS", ""},          {"HDEL", "", "a"},        {"EXISTS", ""}};
const Words on_ended[] = {{"ZADD", "", "1", "a"},   {"PEXPIRE", "", life_ms},
                          {"ZRANGE", "", "0", "0"}, {"ZRANGEBYSCORE", "", "-inf", "+inf"},
                          {"ZREM", "", "a"},        {"ZREMRANGEBYSCORE", "", "1", "1"}};
const Words on_devices[] = {{"SET", "", "1", "PX", life_ms}, {"GET", ""}, {"SETRANGE", "", "0", "2"}};
const Words on_summaries[] = {
    {"RPUSH", "", "1"}, {"PEXPIRE", "", life_ms}, {"PTTL", ""}, {"LLEN", ""}, {"LINDEX", "", "0"}};

class Trial {
 public:
  Trial(runtime::RedisProbe& probe, const Config& config, RedisFacts& facts)
      : probe_(probe),
        facts_(facts),
        keys_(runtime::inbox_prefix(config.cluster.prefix)),
        user_("doctor-" + probe.random_name()),
        where_(fmt::format("keep notifications in {}*", runtime::inbox_prefix(config.cluster.prefix))),
        is_sharded_(config.cluster.adapter == "sharded") {}

  void run() {
    const std::string log = keys_.log(user_);
    const std::string summaries = keys_.summaries(user_);
    attempt({"INFO", "server"}, {});
    // Whoever may not use the keys may do nothing with them: once is enough.
    if (!attempt(with(on_log[0], log), log)) return try_channel();
    attempt({"EVALSHA", std::string(40, '0'), "1", log}, log);
    attempt({"EVAL", "return 1", "1", log}, log);
    attempt_all(on_log, log);
    attempt_all(on_ended, keys_.ended(user_));
    attempt_all(on_devices, keys_.devices(user_));
    attempt_all(on_summaries, summaries);
    for (const std::string& key : {log, keys_.ended(user_), keys_.devices(user_), summaries})
      attempt({"DEL", key}, key);
    try_channel();
  }

 private:
  static Words with(Words words, const std::string& key) {
    words[1] = key;
    return words;
  }

  template <std::size_t count>
  void attempt_all(const Words (&all)[count], const std::string& key) {
    for (const Words& words : all) attempt(with(words, key), key);
  }

  // False: the user may not use the key. One sentence for each command.
  bool attempt(Words words, const std::string& key) {
    const std::string command = words.front();
    const auto reply = probe_.ask(std::move(words), key, answer_time);
    if (reply || reply.error().starts_with("NOSCRIPT")) return true;
    note(fmt::format("{} ({})", where_, command), reply.error());
    return !reply.error().starts_with("NOPERM") || reply.error().find("key") == std::string::npos;
  }

  void try_channel() {
    const std::string channel = keys_.channel(user_);
    const std::string verb = is_sharded_ ? "SPUBLISH" : "PUBLISH";
    const auto reply = probe_.ask({verb, channel, ""}, channel, answer_time);
    if (!reply) note(fmt::format("publish to {} ({})", channel, verb), reply.error());
    const auto kind = is_sharded_ ? redis::ChannelKind::sharded : redis::ChannelKind::plain;
    if (!probe_.subscribe(kind, channel, subscribe_time))
      note(fmt::format("subscribe to {} ({})", channel, is_sharded_ ? "SSUBSCRIBE" : "SUBSCRIBE"),
           "the log above says why");
  }

  void note(std::string what, std::string why) {
    for (const auto& [known, reason] : facts_.refused)
      if (known == what) return;
    facts_.refused.emplace_back(std::move(what), std::move(why));
  }

  runtime::RedisProbe& probe_;
  RedisFacts& facts_;
  inbox::RedisKeys keys_;
  std::string user_;
  std::string where_;
  bool is_sharded_;
};

}  // namespace

void try_inbox_rights(runtime::RedisProbe& probe, const Config& config, RedisFacts& facts) {
  Trial(probe, config, facts).run();
}

}  // namespace carillon::app
