// The client as others see it: what it is asked.
#include <algorithm>
#include <string>
#include <utility>

#include "redis/client.hpp"
#include "redis/command.hpp"

namespace carillon::redis {
namespace {

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

}  // namespace

PublishQueue::Message append_message(std::string stream, const StreamFields& fields, std::size_t length_max,
                                     AppendDone done) {
  std::string bytes = append_command(stream, fields, length_max);
  return {.verb = PublishQueue::Message::Verb::append,
          .channel = std::move(stream),
          .payload = std::move(bytes),
          .done = std::move(done)};
}

void Client::publish(std::string channel, std::string payload, ChannelKind kind) {
  using Verb = PublishQueue::Message::Verb;
  pass_on({.verb = kind == ChannelKind::sharded ? Verb::publish_sharded : Verb::publish,
           .channel = std::move(channel),
           .payload = std::move(payload)});
}

void Client::append(std::string stream, StreamFields fields, std::size_t length_max, AppendDone done) {
  pass_on(append_message(std::move(stream), fields, length_max, std::move(done)));
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

void Client::set_nodes(std::size_t nodes) {
  const auto part = [nodes](std::size_t rate) { return rate == 0 ? 0 : std::max<std::size_t>(rate / nodes, 1); };
  if (!options_.cluster_node) statistics_.nodes.set(static_cast<std::int64_t>(nodes));
  share_.pace.set_per_second_max(part(options_.subscriptions_per_second_max));
  backlog_.set_per_second_max(part(options_.backlog_messages_per_second_max));
}

void Client::subscribe(std::string_view channel, ChannelKind kind) {
  subscriptions(kind).want(channel);
  use_subscriber();
  wake();
}

void Client::adopt(std::string_view channel, ChannelKind kind) {
  subscriptions(kind).adopt(channel);
  use_subscriber();
  wake();
}

std::vector<std::string> Client::wanted(ChannelKind kind) const {
  std::vector<std::string> names = subscriptions(kind).wanted_channels();
  if (kind == ChannelKind::plain) std::erase(names, canary_channel_);
  return names;
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
  ask({std::move(words), std::move(done)});
}

void Client::ask(Calls::Request request) {
  const auto refuse = [&](CommandError::Kind kind, std::string_view text) {
    if (request.done) request.done(Failure(CommandError{kind, std::string(text)}));
  };
  if (request.words.empty()) return refuse(CommandError::Kind::refused, "an empty command");
  if (!commands_.connection.is_open()) return refuse(CommandError::Kind::unavailable, "Redis is away");
  if (calls_.requests() >= options_.commands_max)
    return refuse(CommandError::Kind::unavailable, "too many commands wait for Redis");
  calls_.ask(std::move(request));
  wake();
}

void Client::command_everywhere(std::vector<std::string> words, std::move_only_function<void(Replies)> done) {
  command(std::move(words), {}, [done = std::move(done)](Result<Reply, CommandError> reply) mutable {
    Replies replies;
    replies.push_back(std::move(reply));
    done(std::move(replies));
  });
}

void Client::count_subscribers(std::string_view channel, ChannelKind kind,
                               std::move_only_function<void(std::optional<std::size_t>)> done) {
  command(
      subscriber_question(channel, kind), channel,
      [done = std::move(done)](const Result<Reply, CommandError>& reply) mutable { done(subscriber_count(reply)); });
}

std::vector<PublishQueue::Message> Client::take_queued(const std::function<bool(const PublishQueue::Message&)>& which) {
  std::vector<PublishQueue::Message> taken = queue_.take(which);
  show_queue();
  return taken;
}

}  // namespace carillon::redis
