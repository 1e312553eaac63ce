// The names of what lies in Redis.
#pragma once

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

  std::string facts(std::string_view user) const { return of(user, "facts"); }
  std::string entries(std::string_view user) const { return of(user, "entries"); }
  std::string ended(std::string_view user) const { return of(user, "ended"); }
  std::string proofs(std::string_view user) const { return of(user, "proofs"); }

  // Where signals for the user are published.
  std::string channel(std::string_view user) const { return of(user, channel_suffix); }
  // None: not one of these channels.
  std::optional<std::string_view> user_of(std::string_view channel) const {
    const std::size_t front = prefix_.size() + 3;
    const std::size_t back = channel_suffix.size() + 2;
    if (channel.size() < front + back || !channel.starts_with(prefix_) || !channel.ends_with(channel_suffix)) return {};
    return channel.substr(front, channel.size() - front - back);
  }

  std::string idempotency(std::string_view key) const { return prefix_ + "key:" + std::string(key); }
  std::string summary(std::string_view id) const { return prefix_ + "notification:" + std::string(id); }
  std::string probe() const { return prefix_ + "probe"; }

 private:
  static constexpr std::string_view channel_suffix = "signals";
  std::string of(std::string_view user, std::string_view what) const {
    return prefix_ + "{u:" + std::string(user) + "}:" + std::string(what);
  }

  std::string prefix_;
};

}  // namespace carillon::inbox
