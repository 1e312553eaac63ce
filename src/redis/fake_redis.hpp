// For tests: a Redis on virtual time, and a driver that connects a Client to it without sockets.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "redis/client.hpp"

namespace carillon::redis::testing {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> bytes) override {
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937_64 engine_;
};

using Words = std::vector<std::string>;

// What a server answers to the commands that the client uses. Connections are numbered.
class FakeRedis {
 public:
  // Answers instead of the usual one; an empty result means the usual one.
  std::function<std::string(const Words&)> override_answer;
  std::vector<Words> log;                         // all commands, of all connections
  std::map<int, std::set<std::string>> channels;  // subscribed, by connection
  std::map<int, std::string> output;              // to be read by the clients

  int accept() {
    output[++last_];
    return last_;
  }
  void close(int connection) {
    channels.erase(connection);
    output.erase(connection);
    input_.erase(connection);
  }
  void restart() {
    channels.clear();
    output.clear();
    input_.clear();
  }

  void feed(int connection, std::string_view bytes) {
    input_[connection] += bytes;
    Words words;
    while (parse(input_[connection], words)) run(connection, words);
  }

  std::size_t publish(std::string_view channel, std::string_view payload) {
    std::size_t receivers = 0;
    for (const auto& [connection, subscribed] : channels) {
      if (!subscribed.contains(std::string(channel))) continue;
      ++receivers;
      output[connection] += "*3\r\n" + bulk("message") + bulk(channel) + bulk(payload);
    }
    return receivers;
  }

  std::vector<Words> commands(std::string_view verb) const {
    std::vector<Words> found;
    for (const Words& words : log)
      if (words[0] == verb) found.push_back(words);
    return found;
  }

  static std::string bulk(std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
  }

 private:
  static bool parse(std::string& input, Words& words) {
    std::size_t at = 0;
    const auto length = [&](char kind) -> std::size_t {
      const std::size_t end = input.find("\r\n", at);
      if (end == std::string::npos || input[at] != kind) return std::string::npos;
      const std::size_t value = std::stoul(input.substr(at + 1, end - at - 1));
      at = end + 2;
      return value;
    };
    words.clear();
    const std::size_t count = length('*');
    if (count == std::string::npos) return false;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t size = length('$');
      if (size == std::string::npos || input.size() < at + size + 2) return false;
      words.push_back(input.substr(at, size));
      at += size + 2;
    }
    input.erase(0, at);
    return true;
  }

  void run(int connection, const Words& words) {
    log.push_back(words);
    std::string& out = output[connection];
    if (override_answer) {
      if (const std::string answer = override_answer(words); !answer.empty()) {
        out += answer;
        return;
      }
    }
    std::set<std::string>& subscribed = channels[connection];
    const std::string& verb = words[0];
    if (verb == "PUBLISH") {
      out += ":" + std::to_string(publish(words[1], words[2])) + "\r\n";
    } else if (verb == "PING") {
      out += subscribed.empty() ? "+PONG\r\n" : "*2\r\n$4\r\npong\r\n$0\r\n\r\n";
    } else if (verb == "SUBSCRIBE" || verb == "UNSUBSCRIBE") {
      for (std::size_t i = 1; i < words.size(); ++i) {
        const bool on = verb == "SUBSCRIBE";
        on ? void(subscribed.insert(words[i])) : void(subscribed.erase(words[i]));
        out += "*3\r\n" + bulk(on ? "subscribe" : "unsubscribe") + bulk(words[i]) + ":" +
               std::to_string(subscribed.size()) + "\r\n";
      }
    } else {
      out += "+OK\r\n";
    }
  }

  int last_ = 0;
  std::map<int, std::string> input_;
};

// Records what the link reports.
class RecordingListener : public LinkListener {
 public:
  std::vector<std::pair<std::string, std::string>> messages;
  std::vector<std::string> subscribed;
  std::vector<bool> ready;
  std::function<void()> on_any;

  void on_message(std::string_view channel, std::string_view payload) override {
    messages.emplace_back(channel, payload);
    if (on_any) on_any();
  }
  void on_subscribed(std::string_view channel) override {
    subscribed.emplace_back(channel);
    if (on_any) on_any();
  }
  void on_ready(bool is_ready) override {
    ready.push_back(is_ready);
    if (on_any) on_any();
  }
};

// A client, its driver, and the Redis that it talks to.
class Rig : public ClientDriver {
 public:
  enum class Network {
    up,
    refused,  // connections are refused
    silent,   // connection attempts are never answered
  };

  explicit Rig(ClientOptions options = {}, std::uint64_t seed = 1)
      : random(seed), client(std::move(options), random, *this) {
    client.set_listener(&listener);
  }

  void wake() override {
    ++wakes;
    woken_ = true;
  }

  // Everything that can happen at this moment.
  void run() {
    while (step()) {
    }
  }
  // Time passes, from deadline to deadline.
  void advance(Milliseconds duration) {
    const TimePoint end = now + duration;
    for (run(); client.next_deadline() <= end; run()) {
      now = std::max(now, client.next_deadline());
      client.on_time(now);
    }
    now = end;
    client.on_time(now);
    run();
  }

  // Redis drops one connection, or all of them as when it restarts.
  void drop(Role role, std::string_view reason = "connection reset") {
    int& id = ids[role == Role::commands ? 0 : 1];
    if (id == 0) return;
    redis.close(id);
    id = 0;
    client.on_closed(role, reason, now);
  }
  void drop_all() {
    for (const Role role : roles) drop(role);
  }

  Words subscriptions() const {
    const auto found = redis.channels.find(ids[1]);
    Words names;
    if (found == redis.channels.end()) return names;
    for (const std::string& name : found->second)
      if (!name.starts_with(client.options().canary_prefix)) names.push_back(name);
    return names;
  }
  // Payloads that Redis was asked to publish, without canaries.
  Words published() const {
    Words payloads;
    for (const Words& words : redis.commands("PUBLISH"))
      if (!words[1].starts_with(client.options().canary_prefix)) payloads.push_back(words[2]);
    return payloads;
  }

  TimePoint now{Milliseconds{1'000'000}};
  SeededRandom random;
  FakeRedis redis;
  RecordingListener listener;
  Client client;
  Network network = Network::up;
  bool answering = true;        // false: what Redis answers stays with it
  std::size_t slice = 1 << 20;  // bytes per read
  int wakes = 0;
  int dials = 0;
  std::array<int, 2> ids{};  // of connections, by role; 0: none

 private:
  bool step() {
    if (std::exchange(woken_, false)) return client.on_time(now), true;
    for (const Role role : roles)
      if (step(role, ids[role == Role::commands ? 0 : 1])) return true;
    return false;
  }

  bool step(Role role, int& id) {
    bool& dialling = dialling_[role == Role::commands ? 0 : 1];
    if (client.wants_close(role)) {
      if (std::exchange(dialling, false)) return client.on_connect_failed(role, "cancelled", now), true;
      redis.close(id);
      id = 0;
      return client.on_closed(role, "closed by us", now), true;
    }
    if (client.wants_connection(role)) {
      ++dials;
      client.on_dialling(role, now);
      dialling = true;
    }
    if (dialling && network != Network::silent) {
      dialling = false;
      if (network == Network::refused) return client.on_connect_failed(role, "connection refused", now), true;
      id = redis.accept();
      return client.on_connected(role, now), true;
    }
    if (client.has_output(role)) return redis.feed(id, client.take_output(role, now)), true;
    if (answering && id != 0 && !redis.output[id].empty()) {
      const std::string bytes = redis.output[id].substr(0, slice);
      redis.output[id].erase(0, bytes.size());
      return client.on_bytes(role, bytes, now), true;
    }
    return false;
  }

  bool woken_ = false;
  std::array<bool, 2> dialling_{};
};

}  // namespace carillon::redis::testing
