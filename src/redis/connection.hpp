// The protocol of one TCP connection to Redis: login, pipelined commands and their answers, keep-alive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.hpp"
#include "redis/link.hpp"
#include "redis/options.hpp"
#include "redis/reply_error.hpp"
#include "redis/resp_reader.hpp"

namespace carillon::redis {

// Called by a connection, from feed() only.
class ConnectionPort {
 public:
  virtual ~ConnectionPort() = default;
  // The login has been answered: other commands may follow.
  virtual void on_open() = 0;
  // Redis has taken one of the publish()ed messages, or of the append()ed entries, in order.
  virtual void on_published() = 0;
  virtual void on_appended(std::string_view id) = 0;
  // Redis refused one (Command::publish or append), or, being a node of a Redis Cluster, to read a stream (inspect, read).
  virtual void on_refused(Command command, std::string_view error) = 0;
  // The answer to a request(), in order, which may be an error; it may be moved from. False: it makes no sense.
  virtual bool on_reply(Command command, Reply& reply) = 0;
  virtual void on_message(ChannelKind kind, std::string_view channel, std::string_view payload) = 0;

  enum class Confirmation : std::uint8_t {
    awaited,
    pushed,   // by Redis on its own: no command is answered
    unasked,  // which breaks the connection
  };
  virtual Confirmation on_subscription(ChannelKind kind, std::string_view channel, bool subscribed) = 0;
  // The next change of a sharded subscription is for another node of a Redis Cluster. False: that breaks the connection.
  virtual bool on_subscription_refused(std::string_view error) = 0;
  // Whether this answers a change that has been answered already, in that Redis ended the subscription by itself.
  virtual bool is_late_refusal(std::string_view error) const = 0;
};

// Why a connection is to be given up.
struct Fault {
  enum class Kind : std::uint8_t { refused, protocol, too_long, timeout };
  Kind kind;
  std::string text;
};

// Owned by the backplane's shard. The object outlives the TCP connections: open() starts the next one.
class Connection {
 public:
  Connection(ConnectionPort& port, const ClientOptions& options);

  // TCP is up: the login goes out.
  void open(TimePoint now);
  // TCP is gone. Returns how many messages (published or appended) had no answer yet.
  std::size_t close();

  // The login has been answered, and there is no fault.
  bool is_open() const { return up_ && login_answers_ == 0 && !fault_; }
  // From here on nothing works but close().
  const std::optional<Fault>& fault() const { return fault_; }

  // `kind` is plain or sharded.
  void publish(ChannelKind kind, std::string_view channel, std::string_view payload, TimePoint now);
  // A complete XADD, as bytes.
  void append(std::string_view bytes, TimePoint now);
  // ASKING: the message that follows has been sent here by another node of a Redis Cluster.
  void announce_redirected(TimePoint now);
  // A PUBLISH that proves the loop: an error is a fault, and it counts as no message.
  void publish_canary(std::string_view channel, std::string_view payload, TimePoint now);
  void subscribe(ChannelKind kind, std::span<const std::string_view> channels, TimePoint now);
  void unsubscribe(ChannelKind kind, std::span<const std::string_view> channels, TimePoint now);
  // `command` is request, inspect or read; Redis may take ping_interval_ms longer for the answer to a read.
  void request(Command command, std::span<const std::string> words, TimePoint now);

  // Whether there was more to it than the answer to a ping, which comes from a Redis that has nothing else to say.
  bool feed(std::string_view bytes, TimePoint now);
  std::size_t output_bytes() const { return output_.size(); }
  std::string take_output() { return std::exchange(output_, {}); }

  // Nothing has come for unanswered_ms_max, though an answer is due.
  bool is_behind(TimePoint now) const {
    return up_ && !expected_.empty() && now - silent_since_ > options_.unanswered_ms_max;
  }
  TimePoint next_deadline() const;
  void on_time(TimePoint now);

  std::size_t messages_in_flight() const { return messages_in_flight_; }

 private:
  // Answers to come, in order; equal neighbours share an entry, so that a burst of messages costs one.
  struct Expected {
    Command command;
    std::size_t count;
  };

  void send(Command command, std::initializer_list<std::string_view> words, TimePoint now);
  void send_channels(std::string_view verb, std::span<const std::string_view> channels, TimePoint now);
  void expect(Command command, std::size_t count, TimePoint now);
  Milliseconds patience() const;
  void on_reply(Reply& reply);
  bool on_push(const Reply& reply);
  void on_confirmation(ChannelKind kind, std::string_view channel, bool subscribed);
  void on_answer(Command command, Reply& reply);
  void on_error(Command command, Reply& reply);
  void refuse(std::string_view error);
  void on_success(Command command);
  void fail(Fault::Kind kind, std::string text);

  ConnectionPort& port_;
  const ClientOptions& options_;
  RespReader reader_;
  std::string output_;
  std::deque<Expected> expected_;
  std::size_t messages_in_flight_ = 0;
  std::size_t login_answers_ = 0;  // still to come
  std::size_t pongs_ = 0;
  bool up_ = false;
  bool subscriber_ = false;  // has sent a SUBSCRIBE
  bool overslept_ = false;   // a deadline has been put off, see on_time()
  std::optional<Fault> fault_;
  TimePoint ping_at_ = never;
  TimePoint answer_due_ = never;
  TimePoint silent_since_{};  // with an answer due
};

}  // namespace carillon::redis
