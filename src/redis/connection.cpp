#include "redis/connection.hpp"

#include <algorithm>
#include <array>

#include "redis/command.hpp"

namespace carillon::redis {
namespace {

// A deadline that is noticed this late was missed by this process, not by Redis.
constexpr Milliseconds oversleep{500};

// CLIENT SETNAME takes printable characters without blanks.
std::string client_name(std::string name) {
  std::replace_if(name.begin(), name.end(), [](char c) { return c <= ' ' || c > '~'; }, '_');
  return name;
}

bool is_array(const Reply& reply) { return reply.type == Reply::Type::array; }

struct Verbs {
  std::string_view subscribe, unsubscribe;             // as commands
  std::string_view message, subscribed, unsubscribed;  // as Redis names what it sends
};
// By ChannelKind.
constexpr std::array<Verbs, channel_kinds.size()> verbs{{
    {"SUBSCRIBE", "UNSUBSCRIBE", "message", "subscribe", "unsubscribe"},
    {"PSUBSCRIBE", "PUNSUBSCRIBE", "pmessage", "psubscribe", "punsubscribe"},
    {"SSUBSCRIBE", "SUNSUBSCRIBE", "smessage", "ssubscribe", "sunsubscribe"},
}};
const Verbs& verbs_of(ChannelKind kind) { return verbs[static_cast<std::size_t>(kind)]; }

}  // namespace

Connection::Connection(ConnectionPort& port, const ClientOptions& options)
    : port_(port), options_(options), reader_(options.reply_bytes_max) {}

void Connection::open(TimePoint now) {
  close();
  up_ = true;
  ping_at_ = now + options_.ping_interval_ms;
  const Url& url = options_.url;
  if (!url.user.empty()) {
    send(Command::auth, {"AUTH", url.user, url.password}, now);
  } else if (!url.password.empty()) {
    send(Command::auth, {"AUTH", url.password}, now);
  }
  if (url.database != 0) send(Command::select, {"SELECT", std::to_string(url.database)}, now);
  send(Command::set_name, {"CLIENT", "SETNAME", client_name(options_.name)}, now);
  // A sentinel may not have heard yet, or an old master not know, who is the master now.
  if (url.kind == Url::Kind::sentinel) send(Command::role, {"ROLE"}, now);
  send(Command::ping, {"PING"}, now);  // says whether Redis is LOADING
  for (const Expected& answers : expected_) login_answers_ += answers.count;
}

std::size_t Connection::close() {
  reader_.reset();
  output_.clear();
  expected_.clear();
  login_answers_ = 0;
  up_ = subscriber_ = overslept_ = false;
  fault_.reset();
  ping_at_ = answer_due_ = never;
  return std::exchange(messages_in_flight_, 0);
}

void Connection::publish(ChannelKind kind, std::string_view channel, std::string_view payload, TimePoint now) {
  send(Command::publish, {kind == ChannelKind::sharded ? "SPUBLISH" : "PUBLISH", channel, payload}, now);
  ++messages_in_flight_;
}

void Connection::append(std::string_view bytes, TimePoint now) {
  output_ += bytes;
  expect(Command::append, 1, now);
  ++messages_in_flight_;
}

void Connection::announce_redirected(TimePoint now) { send(Command::asking, {"ASKING"}, now); }

void Connection::publish_canary(std::string_view channel, std::string_view payload, TimePoint now) {
  send(Command::canary, {"PUBLISH", channel, payload}, now);
}

void Connection::subscribe(ChannelKind kind, std::span<const std::string_view> channels, TimePoint now) {
  subscriber_ = true;
  send_channels(verbs_of(kind).subscribe, channels, now);
}

void Connection::unsubscribe(ChannelKind kind, std::span<const std::string_view> channels, TimePoint now) {
  send_channels(verbs_of(kind).unsubscribe, channels, now);
}

void Connection::send_channels(std::string_view verb, std::span<const std::string_view> channels, TimePoint now) {
  if (channels.empty()) return;
  append_command_head(output_, 1 + channels.size());
  append_command_word(output_, verb);
  for (const std::string_view channel : channels) append_command_word(output_, channel);
  expect(Command::subscribe, channels.size(), now);  // one confirmation per channel
}

void Connection::request(Command command, std::span<const std::string> words, TimePoint now) {
  append_command_head(output_, words.size());
  for (const std::string& word : words) append_command_word(output_, word);
  expect(command, 1, now);
}

void Connection::send(Command command, std::initializer_list<std::string_view> words, TimePoint now) {
  append_command_head(output_, words.size());
  for (const std::string_view word : words) append_command_word(output_, word);
  expect(command, 1, now);
}

void Connection::expect(Command command, std::size_t count, TimePoint now) {
  const bool was_idle = expected_.empty();
  if (!was_idle && expected_.back().command == command) {
    expected_.back().count += count;
  } else {
    expected_.push_back({command, count});
  }
  if (!was_idle) return;
  answer_due_ = now + patience();
  silent_since_ = now;
}

// For the next answer. A blocked XREAD is the silence after which others are probed.
Milliseconds Connection::patience() const {
  const bool waits_there = expected_.front().command == Command::read;
  return options_.ping_timeout_ms + (waits_there ? options_.ping_interval_ms : Milliseconds{0});
}

bool Connection::feed(std::string_view bytes, TimePoint now) {
  if (!up_ || fault_ || bytes.empty()) return false;
  reader_.feed(bytes);
  const std::size_t pongs_before = pongs_;
  std::size_t replies = 0;
  for (; Reply* reply = reader_.next(); ++replies) {
    on_reply(*reply);
    if (fault_) return false;
  }
  if (!reader_.error().empty()) {
    fail(reader_.too_long() ? Fault::Kind::too_long : Fault::Kind::protocol, std::string(reader_.error()));
    return false;
  }
  // Any bytes prove that Redis lives: answers may wait behind a long queue of messages.
  overslept_ = false;
  ping_at_ = now + options_.ping_interval_ms;
  answer_due_ = expected_.empty() ? never : now + patience();
  silent_since_ = now;
  return replies == 0 || replies > pongs_ - pongs_before;
}

void Connection::on_reply(Reply& reply) {
  // In RESP2 a connection that has subscriptions gets messages between its answers.
  if (subscriber_ && is_array(reply) && on_push(reply)) return;
  if (subscriber_ && reply.type == Reply::Type::error && port_.is_late_refusal(reply.text)) return;
  if (expected_.empty()) {
    if (reply.type != Reply::Type::error) return fail(Fault::Kind::protocol, "an answer to nothing");
    return refuse(reply.text);  // as a refused login: Redis says why it will close
  }
  Expected& next = expected_.front();
  const Command command = next.command;
  if (--next.count == 0) expected_.pop_front();
  if (command == Command::publish || command == Command::append) --messages_in_flight_;
  if (reply.type == Reply::Type::error) return on_error(command, reply);
  on_answer(command, reply);
}

// False: it is none of those.
bool Connection::on_push(const Reply& reply) {
  const std::size_t size = reply.items.size();
  if (size < 3) return false;
  const std::string_view name = reply.items[0].text;
  for (const ChannelKind kind : channel_kinds) {
    const Verbs& known = verbs_of(kind);
    if (name == known.message && size == (kind == ChannelKind::pattern ? 4 : 3)) {
      port_.on_message(kind, reply.items[size - 2].text, reply.items[size - 1].text);
      return true;
    }
    if (size == 3 && (name == known.subscribed || name == known.unsubscribed)) {
      on_confirmation(kind, reply.items[1].text, name == known.subscribed);
      return true;
    }
  }
  return false;
}

void Connection::on_confirmation(ChannelKind kind, std::string_view channel, bool subscribed) {
  switch (port_.on_subscription(kind, channel, subscribed)) {
    case ConnectionPort::Confirmation::pushed:
      return;
    case ConnectionPort::Confirmation::awaited:
      if (expected_.empty() || expected_.front().command != Command::subscribe) break;
      if (--expected_.front().count == 0) expected_.pop_front();
      return;
    case ConnectionPort::Confirmation::unasked:
      break;
  }
  fail(Fault::Kind::protocol, "a confirmation that had not been asked for");
}

void Connection::on_answer(Command command, Reply& reply) {
  bool expected = false;
  switch (command) {
    case Command::auth:
    case Command::select:
    case Command::set_name:
    case Command::asking:
      expected = reply.type == Reply::Type::status;
      break;
    case Command::role:
      expected = is_array(reply) && !reply.items.empty();
      if (expected && reply.items[0].text != "master")
        return fail(Fault::Kind::refused, "this is a " + reply.items[0].text.substr(0, 20) + ", not the master");
      break;
    case Command::ping:
      expected = reply.type == Reply::Type::status ||
                 (is_array(reply) && !reply.items.empty() && reply.items[0].text == "pong");
      break;
    case Command::publish:
    case Command::canary:
      expected = reply.type == Reply::Type::integer;
      break;
    case Command::append:
      expected = reply.type == Reply::Type::text;
      if (expected) port_.on_appended(reply.text);
      break;
    case Command::subscribe:
      break;
    case Command::request:
    case Command::inspect:
    case Command::read:
      expected = port_.on_reply(command, reply);
      break;
  }
  if (!expected) return fail(Fault::Kind::protocol, "an answer of an unexpected kind");
  on_success(command);
}

void Connection::on_success(Command command) {
  if (command == Command::publish) port_.on_published();
  if (command == Command::ping) ++pongs_;
  if (login_answers_ > 0 && --login_answers_ == 0) port_.on_open();
}

void Connection::on_error(Command command, Reply& reply) {
  const std::string text = reply.text;
  const ErrorReply error = classify_error(text);
  if (command == Command::subscribe && error == ErrorReply::cluster && port_.on_subscription_refused(text)) return;
  const Consequence consequence = consequence_of(command, error);
  const bool reads = command == Command::inspect || command == Command::read;
  if (command == Command::publish || command == Command::append || (reads && error == ErrorReply::cluster))
    port_.on_refused(command, text);
  if (command == Command::request || (command == Command::inspect && consequence == Consequence::carry_on))
    port_.on_reply(command, reply);
  switch (consequence) {
    case Consequence::carry_on:
      return on_success(command);
    case Consequence::drop:
      return;
    case Consequence::reconnect:
      return refuse(text);
  }
}

void Connection::refuse(std::string_view error) {
  std::string reason = "Redis answered \"" + std::string(error.substr(0, 200)) + "\"";
  const ErrorReply kind = classify_error(error);
  const bool known = kind == ErrorReply::cluster && options_.cluster_node;
  if (const std::string_view hint = advice(kind); !hint.empty() && !known) reason += " (" + std::string(hint) + ")";
  fail(Fault::Kind::refused, std::move(reason));
}

TimePoint Connection::next_deadline() const { return !up_ || fault_ ? never : std::min(ping_at_, answer_due_); }

void Connection::on_time(TimePoint now) {
  if (!up_ || fault_) return;
  if (now >= answer_due_) {
    // If this process slept, the answer may lie unread in the socket's buffer: one more moment to read it.
    if (now - answer_due_ > oversleep && !std::exchange(overslept_, true)) {
      answer_due_ = now + oversleep;
      return;
    }
    return fail(Fault::Kind::timeout,
                "Redis has not answered for " + std::to_string(options_.ping_timeout_ms.count()) + " ms");
  }
  if (now >= ping_at_) {
    ping_at_ = now + options_.ping_interval_ms;
    if (expected_.empty()) send(Command::ping, {"PING"}, now);
  }
}

void Connection::fail(Fault::Kind kind, std::string text) {
  if (!fault_) fault_ = Fault{kind, std::move(text)};
}

}  // namespace carillon::redis
