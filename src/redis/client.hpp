// The Redis link: two connections (commands and subscriber), reconnects, resubscription, the queue for outages.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "base/time.hpp"
#include "redis/backoff.hpp"
#include "redis/connection.hpp"
#include "redis/link.hpp"
#include "redis/options.hpp"
#include "redis/publish_queue.hpp"
#include "redis/statistics.hpp"
#include "redis/subscriptions.hpp"

namespace carillon::redis {

enum class Role : std::uint8_t { commands, subscriber };
inline constexpr std::array<Role, 2> roles{Role::commands, Role::subscriber};

// Called by the client; implemented by the driver in runtime/.
class ClientDriver {
 public:
  virtual ~ClientDriver() = default;
  // Something was asked of the link since the last event: in this loop turn call Client::on_time(), and then look at
  // what the client wants. Must not call the client itself. At most once between two calls of on_time().
  virtual void wake() = 0;
};

// Sans-I/O; owned by the backplane's shard. The driver's part, per role:
//
//   wants_connection() -> on_dialling(), then one of on_connected() and on_connect_failed()
//   on_connected()     -> on_bytes()..., then one on_closed()
//   wants_close()      -> close the socket or give up the dial, and report it as above (on_closed, on_connect_failed)
//   has_output()       -> take_output(), when the previous bytes have been written
//
// After each call of an on_...() function the four questions and next_deadline() may have new answers.
class Client final : public Link {
 public:
  // Both connections are wanted from the start. `random`, `driver` must outlive the client.
  Client(ClientOptions options, Random& random, ClientDriver& driver, TimePoint now);
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Before anything else happens; nullptr: nobody listens. Called from on_...() functions only, and may use the link.
  void set_listener(LinkListener* listener) { listener_ = listener; }

  // Link. Of subscribe() and unsubscribe() for one channel the last one counts; calls of one loop turn go out as one
  // command, and what cancels out is not sent. A message that the queue has no room for is dropped and counted.
  bool ready() const override { return ready_; }
  void publish(std::string channel, std::string payload) override;
  void subscribe(std::string_view channel) override;
  void unsubscribe(std::string_view channel) override;

  // Driver.
  bool wants_connection(Role role) const;
  void on_dialling(Role role, TimePoint now);
  void on_connected(Role role, TimePoint now);
  void on_connect_failed(Role role, std::string_view reason, TimePoint now);
  void on_bytes(Role role, std::string_view bytes, TimePoint now);
  void on_closed(Role role, std::string_view reason, TimePoint now);
  bool wants_close(Role role) const;
  bool has_output(Role role) const;
  std::string take_output(Role role, TimePoint now);  // about a MiB at most while messages are queued
  TimePoint next_deadline() const;
  void on_time(TimePoint now);

  const ClientOptions& options() const { return options_; }
  const Statistics& statistics() const { return statistics_; }
  // Messages that Redis has not answered yet: queued, or on the way.
  std::size_t unanswered() const;
  // Messages that were dropped for whatever reason, or were on the way when a connection died.
  std::uint64_t dropped() const;

 private:
  // One of the two connections with its place in the dial, talk, lose, wait cycle.
  struct Peer final : ConnectionPort {
    enum class State : std::uint8_t { waiting, due, dialling, up, closing };

    Peer(Client& client, Role own_role);
    void on_open() override;
    void on_published() override;
    void on_publish_refused(std::string_view error) override;
    void on_message(std::string_view channel, std::string_view payload) override;
    bool on_subscription(std::string_view channel, bool subscribed) override;

    Client& owner;
    Role role;
    Connection connection;
    Backoff backoff;
    State state = State::waiting;
    TimePoint deadline = never;  // waiting: when it is due; dialling: when it has failed
  };

  Peer& peer(Role role) { return role == Role::commands ? commands_ : subscriber_; }
  const Peer& peer(Role role) const { return role == Role::commands ? commands_ : subscriber_; }

  void lose(Peer& peer, std::string_view reason, Peer::State next, TimePoint now);
  void wait(Peer& peer, TimePoint now);
  void check_fault(Peer& peer, TimePoint now);
  void settle(TimePoint now);
  void send_subscriptions(TimePoint now);
  void send_canary(TimePoint now);
  void on_canary(std::string_view payload);
  void become_ready(TimePoint now);
  void become_unready();
  void answer_listener();
  void wake();

  ClientOptions options_;
  Random& random_;
  ClientDriver& driver_;
  LinkListener* listener_ = nullptr;
  Statistics statistics_;
  PublishQueue queue_;
  Subscriptions subscriptions_;
  Peer commands_;
  Peer subscriber_;

  std::string canary_channel_;
  std::string canary_token_;  // on the way; empty: none
  TimePoint canary_due_ = never;
  bool canary_returned_ = false;
  bool ready_ = false;
  bool flowing_ = false;  // the queue may go out: the commands connection was part of a ready link and still lives
  bool was_ready_ = false;
  bool awake_ = false;  // wake() has been called
  bool outage_told_ = false;
  bool refusal_told_ = false;
};

}  // namespace carillon::redis
