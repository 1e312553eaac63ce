#include "redis/connection.hpp"

#include <algorithm>

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

void Connection::publish(std::string_view channel, std::string_view payload, TimePoint now) {
  send(Command::publish, {"PUBLISH", channel, payload}, now);
  ++messages_in_flight_;
}

void Connection::publish_canary(std::string_view channel, std::string_view payload, TimePoint now) {
  send(Command::canary, {"PUBLISH", channel, payload}, now);
}

void Connection::subscribe(std::span<const std::string_view> channels, TimePoint now) {
  subscriber_ = true;
  send_channels("SUBSCRIBE", channels, now);
}

void Connection::unsubscribe(std::span<const std::string_view> channels, TimePoint now) {
  send_channels("UNSUBSCRIBE", channels, now);
}

void Connection::send_channels(std::string_view verb, std::span<const std::string_view> channels, TimePoint now) {
  if (channels.empty()) return;
  append_command_head(output_, 1 + channels.size());
  append_command_word(output_, verb);
  for (const std::string_view channel : channels) append_command_word(output_, channel);
  expect(Command::subscribe, channels.size(), now);  // one confirmation per channel
}

void Connection::send(Command command, std::initializer_list<std::string_view> words, TimePoint now) {
  append_command_head(output_, words.size());
  for (const std::string_view word : words) append_command_word(output_, word);
  expect(command, 1, now);
}

void Connection::expect(Command command, std::size_t count, TimePoint now) {
  if (expected_.empty()) answer_due_ = now + options_.ping_timeout_ms;
  if (!expected_.empty() && expected_.back().command == command) {
    expected_.back().count += count;
  } else {
    expected_.push_back({command, count});
  }
}

bool Connection::feed(std::string_view bytes, TimePoint now) {
  if (!up_ || fault_ || bytes.empty()) return false;
  reader_.feed(bytes);
  const std::size_t pongs_before = pongs_;
  std::size_t replies = 0;
  for (; const Reply* reply = reader_.next(); ++replies) {
    on_reply(*reply);
    if (fault_) return false;
  }
  if (!reader_.error().empty()) {
    fail(Fault::Kind::protocol, std::string(reader_.error()));
    return false;
  }
  // Any bytes prove that Redis lives: answers may wait behind a long queue of messages.
  overslept_ = false;
  ping_at_ = now + options_.ping_interval_ms;
  answer_due_ = expected_.empty() ? never : now + options_.ping_timeout_ms;
  return replies == 0 || replies > pongs_ - pongs_before;
}

void Connection::on_reply(const Reply& reply) {
  // In RESP2 a connection that has subscriptions gets messages between its answers.
  if (subscriber_ && is_array(reply) && reply.size == 3 && reply.items[0].text == "message")
    return port_.on_message(reply.items[1].text, reply.items[2].text);
  if (expected_.empty()) {
    if (reply.type != Reply::Type::error) return fail(Fault::Kind::protocol, "an answer to nothing");
    return on_error(Command::auth, reply.items[0].text);  // as a refused login: Redis says why it will close
  }
  Expected& next = expected_.front();
  const Command command = next.command;
  if (--next.count == 0) expected_.pop_front();
  if (command == Command::publish) --messages_in_flight_;
  if (reply.type == Reply::Type::error) return on_error(command, reply.items[0].text);
  on_answer(command, reply);
}

void Connection::on_answer(Command command, const Reply& reply) {
  const auto kind = [&](std::string_view name) { return is_array(reply) && reply.items[0].text == name; };
  bool expected = false;
  switch (command) {
    case Command::auth:
    case Command::select:
    case Command::set_name:
      expected = reply.type == Reply::Type::status;
      break;
    case Command::ping:
      expected = reply.type == Reply::Type::status || kind("pong");
      break;
    case Command::publish:
    case Command::canary:
      expected = reply.type == Reply::Type::integer;
      break;
    case Command::subscribe:
      expected =
          (kind("subscribe") || kind("unsubscribe")) && port_.on_subscription(reply.items[1].text, kind("subscribe"));
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

void Connection::on_error(Command command, std::string_view text) {
  const ErrorReply error = classify_error(text);
  switch (consequence_of(command, error)) {
    case Consequence::carry_on:
      return on_success(command);
    case Consequence::drop:
      return port_.on_publish_refused(text);
    case Consequence::reconnect:
      break;
  }
  std::string reason = "Redis answered \"" + std::string(text.substr(0, 200)) + "\"";
  if (const std::string_view hint = advice(error); !hint.empty()) reason += " (" + std::string(hint) + ")";
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
