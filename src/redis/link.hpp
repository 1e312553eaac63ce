// What the cluster layer asks of Redis; implemented by redis::Client and by tests.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "redis/reply.hpp"

namespace carillon::redis {

// Redis keeps channels apart by how they are subscribed: what is published in one space is not heard in the other.
enum class ChannelKind : std::uint8_t {
  plain,    // PUBLISH, SUBSCRIBE
  pattern,  // PSUBSCRIBE: a glob over plain channels. Whoever builds one escapes what is no wildcard.
  sharded,  // SPUBLISH, SSUBSCRIBE (Redis 7)
};

inline constexpr std::array<ChannelKind, 3> channel_kinds{ChannelKind::plain, ChannelKind::pattern,
                                                          ChannelKind::sharded};

// Why a command has no reply.
struct CommandError {
  enum class Kind : std::uint8_t {
    unavailable,  // Redis is away: it was not sent
    lost,         // the connection broke before the answer came: it may have been executed
    refused,      // an error reply; its text
  };
  Kind kind;
  std::string text;
};
using CommandDone = std::move_only_function<void(Result<Reply, CommandError>)>;

// One entry of a stream: names and values, in order.
using StreamFields = std::vector<std::pair<std::string, std::string>>;
using StreamFieldsView = std::span<const std::pair<std::string_view, std::string_view>>;

// Owned by the backplane's shard, like everything in redis/ and cluster/.
class Link {
 public:
  virtual ~Link() = default;

  // Whether subscriptions and followed streams are complete, and a message to itself has come round.
  virtual bool ready() const = 0;

  // --- Messages: in order, whatever their kind. While Redis is away they wait in a queue bounded in bytes and age;
  // what is dropped is counted. `kind` is plain or sharded.
  virtual void publish(std::string channel, std::string payload, ChannelKind kind = ChannelKind::plain) = 0;
  // XADD stream MAXLEN ~ length_max * fields. `done` gets the entry's id, or nothing if the message was dropped; it may
  // be empty, and is called before the link ends.
  virtual void append(std::string stream, StreamFields fields, std::size_t length_max,
                      std::move_only_function<void(std::optional<std::string_view> id)> done) = 0;

  // True: messages wait in the queue, under its limits, even though Redis is there. Commands do not.
  virtual void hold_messages(bool hold) = 0;

  // How many nodes lose and find Redis together, this one among them: they share the rates after an outage
  // (ClientOptions). At least 1, which it is at the start.
  virtual void set_nodes(std::size_t nodes) = 0;

  // --- Subscriptions: part of the connection's state, they come back by themselves after a reconnect. Each is answered
  // by LinkListener::on_subscribed when Redis has confirmed it.
  virtual void subscribe(std::string_view channel, ChannelKind kind = ChannelKind::plain) = 0;
  virtual void unsubscribe(std::string_view channel, ChannelKind kind = ChannelKind::plain) = 0;

  // --- Streams: entries from now on come by LinkListener::on_entry, in order and each once, also those that were added
  // while this link was away, as long as the stream still holds them. Before the link is first ready.
  virtual void follow(std::string stream) = 0;

  // --- Commands with an answer: not queued. `done` is called once, perhaps before the call returns.
  // `words[0]` is the command; `key`, if not empty, decides where it goes in a Redis Cluster (else: anywhere).
  virtual void command(std::vector<std::string> words, std::string_view key, CommandDone done) = 0;
  // How many connections listen to the channel (PUBSUB NUMSUB or SHARDNUMSUB), summed over all nodes of a Redis
  // Cluster; none if that cannot be said now. Patterns do not count.
  virtual void count_subscribers(std::string_view channel, ChannelKind kind,
                                 std::move_only_function<void(std::optional<std::size_t>)> done) = 0;
};

// Called by the link.
class LinkListener {
 public:
  virtual ~LinkListener() = default;
  // A published message; both texts are valid during the call. The kind is that of the subscription; with a pattern
  // `channel` is the plain channel that matched.
  virtual void on_message(ChannelKind kind, std::string_view channel, std::string_view payload) = 0;
  virtual void on_subscribed(ChannelKind kind, std::string_view channel) = 0;
  // ready() has changed. False: nothing that waits for on_subscribed should wait any longer.
  virtual void on_ready(bool ready) = 0;
  // An entry of a followed stream; valid during the call.
  virtual void on_entry(std::string_view /*stream*/, std::string_view /*id*/, StreamFieldsView /*fields*/) {}
  // Entries behind this one come from now on: when the stream is followed, and when it has less than what was read.
  virtual void on_position(std::string_view /*stream*/, std::string_view /*id*/) {}
  // Entries of a followed stream are gone that this link has not read.
  virtual void on_entries_lost(std::string_view /*stream*/) {}
};

}  // namespace carillon::redis
