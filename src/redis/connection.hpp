// The protocol of one TCP connection to Redis: login, pipelined commands and their answers, keep-alive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "base/time.hpp"
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
  virtual void on_published() = 0;
  // Redis refused a PUBLISH; the connection goes on.
  virtual void on_publish_refused(std::string_view error) = 0;
  virtual void on_message(std::string_view channel, std::string_view payload) = 0;
  // False: the connection is broken, because this confirmation had not been asked for.
  virtual bool on_subscription(std::string_view channel, bool subscribed) = 0;
};

// Owned by the backplane's shard. The object outlives the TCP connections: open() starts the next one.
class Connection {
 public:
  Connection(ConnectionPort& port, const ClientOptions& options);

  // TCP is up: the login goes out.
  void open(TimePoint now);
  // TCP is gone. Returns how many PUBLISH commands had no answer yet.
  std::size_t close();

  bool is_open() const { return open_; }  // logged in
  // Why the connection is to be closed; empty while it is fine.
  const std::string& fault() const { return fault_; }
  bool timed_out() const { return timed_out_; }

  void publish(std::string_view channel, std::string_view payload, TimePoint now);
  void subscribe(std::span<const std::string_view> channels, TimePoint now);
  void unsubscribe(std::span<const std::string_view> channels, TimePoint now);

  void feed(std::string_view bytes, TimePoint now);
  bool has_output() const { return !output_.empty(); }
  std::string take_output();

  TimePoint next_deadline() const;
  void on_time(TimePoint now);

  std::size_t publishes_in_flight() const { return publishes_in_flight_; }

 private:
  // Answers to come, in order; equal neighbours share an entry, so that a burst of PUBLISH costs one.
  struct Expected {
    Command command;
    std::size_t count;
  };

  void expect(Command command, std::size_t count, TimePoint now);
  void send(Command command, std::span<const std::string_view> words, TimePoint now);
  void on_reply(const Reply& reply);
  bool on_push(const Reply& reply);
  void on_error(Command command, std::string_view text);
  void answered(Command command);
  bool pop(Command& command);
  void fail(std::string reason);

  ConnectionPort& port_;
  const ClientOptions& options_;
  RespReader reader_;
  std::string output_;
  std::deque<Expected> expected_;
  std::size_t publishes_in_flight_ = 0;
  std::size_t login_answers_ = 0;  // still to come
  bool open_ = false;
  bool up_ = false;  // TCP
  std::string fault_;
  bool timed_out_ = false;
  TimePoint ping_at_ = never;
  TimePoint answer_due_ = never;
};

}  // namespace carillon::redis
