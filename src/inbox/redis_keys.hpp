// The names of what lies in Redis.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace carillon::inbox {

// Of one user: what stands between the first "{" and the first "}" behind it decides on the slot, so all of them share
// one, whatever the user's id is.
class RedisKeys {
 public:
  // Without braces.
  explicit RedisKeys(std::string prefix) : prefix_(std::move(prefix)) {}

  std::string log(std::string_view user) const { return of(user, log_suffix); }
  std::string endings(std::string_view user) const { return of(user, "endings"); }
  std::string ended(std::string_view user) const { return of(user, "ended"); }
  std::string proofs(std::string_view user) const { return of(user, "proofs"); }
  std::string devices(std::string_view user) const { return of(user, "devices"); }

  // Where signals for the user are published: the name of the log serves for both.
  std::string channel(std::string_view user) const { return log(user); }
  // None: not one of these channels.
  std::optional<std::string_view> user_of(std::string_view channel) const {
    const std::size_t front = prefix_.size() + 3;
    const std::size_t back = log_suffix.size() + 2;
    if (channel.size() < front + back || !channel.starts_with(prefix_) || !channel.ends_with(log_suffix)) return {};
    return channel.substr(front, channel.size() - front - back);
  }

  std::string idempotency(std::string_view key) const { return prefix_ + "key:" + std::string(key); }
  // Summaries of notifications whose ids begin alike share a key: those of 32 milliseconds.
  std::string summaries(std::string_view id) const {
    return prefix_ + "notification:" + std::string(id.substr(0, time_characters));
  }
  std::string probe() const { return prefix_ + "probe"; }

 private:
  static constexpr std::string_view log_suffix = "log";
  static constexpr std::size_t time_characters = 9;
  std::string of(std::string_view user, std::string_view what) const {
    return prefix_ + "{u:" + std::string(user) + "}:" + std::string(what);
  }

  std::string prefix_;
};

}  // namespace carillon::inbox
