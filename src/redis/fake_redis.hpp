// For tests: a Redis on virtual time, and a driver that connects a Client to it without sockets.
#pragma once

#include <algorithm>
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
#include "redis/stream_id.hpp"

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
  using Channels = std::set<std::pair<ChannelKind, std::string>>;
  struct Stream {
    std::vector<std::pair<StreamId, Words>> entries;
    StreamId last{};
    int added = 0;
  };

  // Answers instead of the usual one; an empty result means the usual one.
  std::function<std::string(const Words&)> override_answer;
  std::vector<Words> log;                 // all commands, of all connections
  std::map<int, Channels> subscriptions;  // by connection
  std::map<int, std::string> output;      // to be read by the clients
  std::map<std::string, Stream> streams;
  bool counts_entries = true;           // as Redis does from version 7 on
  std::string role = "master";          // as ROLE shows it
  Words master = {"10.0.0.1", "7001"};  // as a sentinel shows it; empty: it knows none

  int accept() {
    output[++last_];
    return last_;
  }
  void close(int connection) {
    subscriptions.erase(connection);
    output.erase(connection);
    input_.erase(connection);
    blocked_.erase(connection);
  }

  void feed(int connection, std::string_view bytes) {
    input_[connection] += bytes;
    Words words;
    // While a read waits nothing else is answered.
    while (!blocked_.contains(connection) && parse(input_[connection], words)) run(connection, words);
  }

  // A read has waited for long enough.
  TimePoint next_deadline() const {
    TimePoint next = never;
    for (const auto& [connection, read] : blocked_) next = std::min(next, read.until);
    return next;
  }
  void on_time(TimePoint now) {
    now_ = now;
    std::vector<int> over;
    for (const auto& [connection, read] : blocked_)
      if (now >= read.until) over.push_back(connection);
    for (const int connection : over) unblock(connection, "*-1\r\n");
  }

  std::size_t publish(std::string_view channel, std::string_view payload, ChannelKind kind = ChannelKind::plain) {
    std::size_t receivers = 0;
    for (const auto& [connection, subscribed] : subscriptions) {
      for (const auto& [as, name] : subscribed) {
        const bool pattern = as == ChannelKind::pattern && kind == ChannelKind::plain;
        if (pattern ? !channel.starts_with(std::string_view(name).substr(0, name.find('*')))
                    : as != kind || name != channel)
          continue;
        ++receivers;
        std::string& out = output[connection];
        out += pattern ? "*4\r\n" + bulk("pmessage") + bulk(name)
                       : "*3\r\n" + bulk(kind == ChannelKind::sharded ? "smessage" : "message");
        out += bulk(channel) + bulk(payload);
      }
    }
    return receivers;
  }

  // Adds an entry `sequence` with the fields; returns its id.
  std::string add(const std::string& name, const Words& fields) {
    Stream& stream = streams[name];
    stream.last = {1'000, stream.last.sequence + 1};
    stream.entries.emplace_back(stream.last, fields);
    ++stream.added;
    std::vector<int> waiting;
    for (const auto& [connection, read] : blocked_) waiting.push_back(connection);
    for (const int connection : waiting)
      if (const std::string found = entries_for(blocked_[connection].words); !found.empty()) unblock(connection, found);
    return to_string(stream.last);
  }
  void trim(const std::string& name, std::size_t left) {
    auto& entries = streams[name].entries;
    entries.erase(entries.begin(), entries.end() - static_cast<std::ptrdiff_t>(std::min(left, entries.size())));
  }

  // As when the channel's slot moves to another node.
  void push_unsubscription(int connection, const std::string& channel) {
    subscriptions[connection].erase({ChannelKind::sharded, channel});
    output[connection] += "*3\r\n" + bulk("sunsubscribe") + bulk(channel) + ":0\r\n";
  }

  // As when the stream's slot moves to another node while a read waits.
  void refuse_reads(const std::string& stream, const std::string& error) {
    std::vector<int> waiting;
    for (const auto& [connection, read] : blocked_)
      if (std::find(read.words.begin(), read.words.end(), stream) != read.words.end()) waiting.push_back(connection);
    for (const int connection : waiting) unblock(connection, "-" + error + "\r\n");
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
  struct BlockedRead {
    Words words;
    TimePoint until;
  };

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
    const std::string& verb = words[0];
    if (verb == "PUBLISH" || verb == "SPUBLISH") {
      const ChannelKind kind = verb == "PUBLISH" ? ChannelKind::plain : ChannelKind::sharded;
      const std::size_t receivers = publish(words[1], words[2], kind);
      out += ":" + std::to_string(receivers) + "\r\n";
    } else if (verb == "PING") {
      out += subscriptions[connection].empty() ? "+PONG\r\n" : "*2\r\n$4\r\npong\r\n$0\r\n\r\n";
    } else if (verb.ends_with("SUBSCRIBE")) {
      change(connection, words);
    } else if (verb == "PUBSUB") {
      out += "*2\r\n" + bulk(words[2]) + ":" + std::to_string(count(words)) + "\r\n";
    } else if (verb == "ROLE") {
      out += "*3\r\n" + bulk(role) + ":0\r\n*0\r\n";
    } else if (verb == "SENTINEL") {
      out += master.empty() ? "*-1\r\n" : "*2\r\n" + bulk(master[0]) + bulk(master[1]);
    } else if (verb == "XADD") {
      const std::string id = add(words[1], Words(words.begin() + 6, words.end()));
      output[connection] += bulk(id);
    } else if (verb == "XINFO") {
      out += describe(words[2]);
    } else if (verb == "XREAD") {
      read(connection, words);
    } else {
      out += "+OK\r\n";
    }
  }

  void change(int connection, const Words& words) {
    std::string verb = words[0];
    std::transform(verb.begin(), verb.end(), verb.begin(), [](char c) { return static_cast<char>(c | 0x20); });
    const bool on = verb.find("un") == std::string::npos;
    const ChannelKind kind = verb[0] == 'p'                     ? ChannelKind::pattern
                             : verb[0] == 's' && verb[1] != 'u' ? ChannelKind::sharded
                             : verb.starts_with("sun")          ? ChannelKind::sharded
                                                                : ChannelKind::plain;
    Channels& subscribed = subscriptions[connection];
    for (std::size_t i = 1; i < words.size(); ++i) {
      on ? void(subscribed.insert({kind, words[i]})) : void(subscribed.erase({kind, words[i]}));
      output[connection] += "*3\r\n" + bulk(verb) + bulk(words[i]) + ":" + std::to_string(subscribed.size()) + "\r\n";
    }
  }

  std::size_t count(const Words& words) const {
    const ChannelKind kind = words[1] == "NUMSUB" ? ChannelKind::plain : ChannelKind::sharded;
    std::size_t found = 0;
    for (const auto& [connection, subscribed] : subscriptions) found += subscribed.count({kind, words[2]});
    return found;
  }

  std::string describe(const std::string& name) const {
    const auto found = streams.find(name);
    if (found == streams.end()) return "-ERR no such key\r\n";
    const Stream& stream = found->second;
    std::string text = bulk("length") + ":" + std::to_string(stream.entries.size()) + "\r\n" +
                       bulk("last-generated-id") + bulk(to_string(stream.last)) + bulk("first-entry") +
                       (stream.entries.empty() ? "$-1\r\n" : entry(stream.entries.front()));
    if (counts_entries) text += bulk("entries-added") + ":" + std::to_string(stream.added) + "\r\n";
    return (counts_entries ? "*8\r\n" : "*6\r\n") + text;
  }

  static std::string entry(const std::pair<StreamId, Words>& from) {
    std::string text = "*2\r\n" + bulk(to_string(from.first)) + "*" + std::to_string(from.second.size()) + "\r\n";
    for (const std::string& word : from.second) text += bulk(word);
    return text;
  }

  // XREAD COUNT n [BLOCK ms] STREAMS name... id...
  void read(int connection, const Words& words) {
    std::string found = entries_for(words);
    if (found.empty() && words[3] == "BLOCK") {
      Words resolved = words;
      for (std::size_t i = 6; i < words.size(); ++i)
        if (words[i] == "$") resolved[i] = to_string(streams[words[i - (words.size() - 6) / 2]].last);
      blocked_[connection] = {resolved, now_ + Milliseconds(std::stoll(words[4]))};
      return;
    }
    output[connection] += found.empty() ? "*-1\r\n" : found;
  }

  std::string entries_for(const Words& words) const {
    const std::size_t first = words[3] == "BLOCK" ? 6 : 4;
    const std::size_t names = (words.size() - first) / 2;
    std::string text;
    std::size_t parts = 0;
    for (std::size_t i = 0; i < names; ++i) {
      const auto stream = streams.find(words[first + i]);
      const auto after = parse_stream_id(words[first + names + i]);
      if (stream == streams.end() || !after) continue;
      std::string part;
      std::size_t entries = 0;
      for (const auto& from : stream->second.entries) {
        if (from.first <= *after || entries >= std::stoul(words[2])) continue;
        part += entry(from);
        ++entries;
      }
      if (entries == 0) continue;
      ++parts;
      text += "*2\r\n" + bulk(stream->first) + "*" + std::to_string(entries) + "\r\n" + part;
    }
    return parts == 0 ? "" : "*" + std::to_string(parts) + "\r\n" + text;
  }

  void unblock(int connection, const std::string& answer) {
    blocked_.erase(connection);
    output[connection] += answer;
    feed(connection, "");
  }

  int last_ = 0;
  std::map<int, std::string> input_;
  std::map<int, BlockedRead> blocked_;
  TimePoint now_{};
};

// Records what the link reports. Channels of other kinds than plain have a prefix: "p:" or "s:".
class RecordingListener : public LinkListener {
 public:
  std::vector<std::pair<std::string, std::string>> messages;
  Words subscribed;
  std::vector<bool> ready;
  Words entries;  // "stream id name=value ..."
  Words lost;
  Words positions;  // "stream id"
  std::function<void()> on_any;

  void on_message(ChannelKind kind, std::string_view channel, std::string_view payload) override {
    messages.emplace_back(name(kind, channel), payload);
    if (on_any) on_any();
  }
  void on_subscribed(ChannelKind kind, std::string_view channel) override {
    subscribed.push_back(name(kind, channel));
    if (on_any) on_any();
  }
  void on_ready(bool is_ready) override {
    ready.push_back(is_ready);
    if (on_any) on_any();
  }
  void on_entry(std::string_view stream, std::string_view id, StreamFieldsView fields) override {
    std::string text = std::string(stream) + " " + std::string(id);
    for (const auto& [field, value] : fields) text += " " + std::string(field) + "=" + std::string(value);
    entries.push_back(std::move(text));
    if (on_any) on_any();
  }
  void on_entries_lost(std::string_view stream) override { lost.emplace_back(stream); }
  void on_position(std::string_view stream, std::string_view id) override {
    positions.push_back(std::string(stream) + " " + std::string(id));
  }

  static std::string name(ChannelKind kind, std::string_view channel) {
    static constexpr std::array<std::string_view, 3> prefixes{"", "p:", "s:"};
    return std::string(prefixes[static_cast<std::size_t>(kind)]).append(channel);
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
    const auto next = [&] { return std::min(client.next_deadline(), redis.next_deadline()); };
    for (run(); next() <= end; run()) {
      now = std::max(now, next());
      redis.on_time(now);
      client.on_time(now);
    }
    now = end;
    redis.on_time(now);
    client.on_time(now);
    run();
  }

  // Redis drops one connection, or all of them as when it restarts.
  void drop(Role role, std::string_view reason = "connection reset") {
    int& id = ids[static_cast<std::size_t>(role)];
    if (id == 0) return;
    redis.close(id);
    id = 0;
    client.on_closed(role, reason, now);
  }
  void drop_all() {
    for (const Role role : roles) drop(role);
  }

  // What Redis holds for the client, without canaries; names as in RecordingListener.
  Words subscriptions() const {
    const auto found = redis.subscriptions.find(ids[1]);
    Words names;
    if (found == redis.subscriptions.end()) return names;
    for (const auto& [kind, name] : found->second)
      if (!name.starts_with(client.options().canary_prefix)) names.push_back(RecordingListener::name(kind, name));
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
  std::set<Role> silent_roles;  // of connections that get no answers
  bool answering = true;        // false: what Redis answers stays with it
  std::size_t slice = 1 << 20;  // bytes per read
  int wakes = 0;
  int dials = 0;
  Words dialled;                        // addresses
  std::array<int, roles.size()> ids{};  // of connections, by role; 0: none

 private:
  bool step() {
    if (std::exchange(woken_, false)) return client.on_time(now), true;
    for (const Role role : roles)
      if (step(role, ids[static_cast<std::size_t>(role)])) return true;
    return false;
  }

  bool step(Role role, int& id) {
    bool& dialling = dialling_[static_cast<std::size_t>(role)];
    if (client.wants_close(role)) {
      if (std::exchange(dialling, false)) return client.on_connect_failed(role, "cancelled", now), true;
      redis.close(id);
      id = 0;
      return client.on_closed(role, "closed by us", now), true;
    }
    if (client.wants_connection(role)) {
      ++dials;
      dialled.push_back(endpoint(client.address(role)));
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
    if (answering && !silent_roles.contains(role) && id != 0 && !redis.output[id].empty()) {
      const std::string bytes = redis.output[id].substr(0, slice);
      redis.output[id].erase(0, bytes.size());
      return client.on_bytes(role, bytes, now), true;
    }
    return false;
  }

  bool woken_ = false;
  std::array<bool, roles.size()> dialling_{};
};

}  // namespace carillon::redis::testing
