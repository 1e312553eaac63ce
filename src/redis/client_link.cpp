// The client as others see it: what it is asked.
#include <string>
#include <utility>

#include "redis/client.hpp"
#include "redis/command.hpp"

namespace carillon::redis {
namespace {

// XADD stream MAXLEN ~ length_max * name value ...
std::string append_command(std::string_view stream, const StreamFields& fields, std::size_t length_max) {
  std::string bytes;
  append_command_head(bytes, 6 + 2 * fields.size());
  append_command_word(bytes, "XADD");
  append_command_word(bytes, stream);
  append_command_word(bytes, "MAXLEN");
  append_command_word(bytes, "~");
  append_command_word(bytes, std::to_string(length_max));
  append_command_word(bytes, "*");
  for (const auto& [name, value] : fields) {
    append_command_word(bytes, name);
    append_command_word(bytes, value);
  }
  return bytes;
}

// Of PUBSUB NUMSUB: the channel and its number.
std::optional<std::size_t> subscriber_count(const Result<Reply, CommandError>& reply) {
  if (!reply || reply->items.size() != 2 || reply->items[1].type != Reply::Type::integer || reply->items[1].number < 0)
    return std::nullopt;
  return static_cast<std::size_t>(reply->items[1].number);
}

}  // namespace

void Client::publish(std::string channel, std::string payload, ChannelKind kind) {
  using Verb = PublishQueue::Message::Verb;
  pass_on({.verb = kind == ChannelKind::sharded ? Verb::publish_sharded : Verb::publish,
           .channel = std::move(channel),
           .payload = std::move(payload)});
}

void Client::append(std::string stream, StreamFields fields, std::size_t length_max, AppendDone done) {
  std::string bytes = append_command(stream, fields, length_max);
  pass_on({.verb = PublishQueue::Message::Verb::append,
           .channel = std::move(stream),
           .payload = std::move(bytes),
           .done = std::move(done)});
}

void Client::pass_on(PublishQueue::Message message) {
  if (!queue_.push(std::move(message))) {
    statistics_.dropped_full.add();
    log_.tell_drops();
    calls_.drop(std::move(message.done));
  }
  wake();
}

void Client::hold_messages(bool hold) {
  held_ = hold;
  wake();
}

void Client::subscribe(std::string_view channel, ChannelKind kind) {
  subscriptions(kind).want(channel);
  wake();
}

void Client::unsubscribe(std::string_view channel, ChannelKind kind) {
  subscriptions(kind).release(channel);
  wake();
}

void Client::follow(std::string stream) {
  streams_.follow(std::move(stream));
  if (reader_.state == Peer::State::idle) reader_.state = Peer::State::due;
  wake();
}

void Client::command(std::vector<std::string> words, std::string_view /*key*/, CommandDone done) {
  const auto refuse = [&](CommandError::Kind kind, std::string_view text) {
    if (done) done(Failure(CommandError{kind, std::string(text)}));
  };
  if (words.empty()) return refuse(CommandError::Kind::refused, "an empty command");
  if (!commands_.connection.is_open()) return refuse(CommandError::Kind::unavailable, "Redis is away");
  if (calls_.requests() >= options_.commands_max)
    return refuse(CommandError::Kind::unavailable, "too many commands wait for Redis");
  calls_.ask({std::move(words), std::move(done)});
  wake();
}

void Client::count_subscribers(std::string_view channel, ChannelKind kind,
                               std::move_only_function<void(std::optional<std::size_t>)> done) {
  command(
      {"PUBSUB", kind == ChannelKind::sharded ? "SHARDNUMSUB" : "NUMSUB", std::string(channel)}, channel,
      [done = std::move(done)](const Result<Reply, CommandError>& reply) mutable { done(subscriber_count(reply)); });
}

}  // namespace carillon::redis
