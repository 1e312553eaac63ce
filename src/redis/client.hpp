// The Redis link: two connections (commands and subscriber), reconnects, resubscription, the queue for outages.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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
//
// The link is ready when both connections have logged in, all channels wanted at that time are confirmed, and a canary
// message has come round. The queue goes out when it becomes ready; losing only the subscriber does not stop it again.
class Client final : public Link {
 public:
  // Both connections are wanted from the start. `random`, `driver` must outlive the client.
  Client(ClientOptions options, Random& random, ClientDriver& driver);
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
  bool wants_connection(Role role) const { return peer(role).state == Peer::State::due; }
  bool wants_close(Role role) const { return peer(role).state == Peer::State::closing; }
  void on_dialling(Role role, TimePoint now);
  void on_connected(Role role, TimePoint now);
  void on_connect_failed(Role role, std::string_view reason, TimePoint now);
  void on_bytes(Role role, std::string_view bytes, TimePoint now);
  void on_closed(Role role, std::string_view reason, TimePoint now);
  bool has_output(Role role) const;
  std::string take_output(Role role, TimePoint now);  // about a MiB at most while messages are queued
  TimePoint next_deadline() const;
  void on_time(TimePoint now);
  // Nothing of what unanswered() counts will be sent or waited for any more; it is counted as dropped, and said.
  void abandon();

  const ClientOptions& options() const { return options_; }
  const Statistics& statistics() const { return statistics_; }
  // Messages that Redis has not answered yet: queued, or on the way.
  std::size_t unanswered() const { return queue_.size() + commands_.connection.messages_in_flight(); }
  // Messages that were dropped for whatever reason, or were on the way when a connection died.
  std::uint64_t dropped() const;

 private:
  // One of the two connections with its place in the cycle of dialling, talking, losing and waiting.
  struct Peer final : ConnectionPort {
    enum class State : std::uint8_t {
      idle,      // not used
      waiting,   // until `deadline`
      due,       // the driver is to dial
      dialling,  // until `deadline`
      up,
      closing,  // given up; the driver is to close it
    };

    Peer(Client& owner, Role role);
    void on_open() override;
    void on_published() override { owner.statistics_.published.add(); }
    void on_publish_refused(std::string_view error) override { owner.on_refused(error); }
    void on_message(std::string_view channel, std::string_view payload) override { owner.on_message(channel, payload); }
    bool on_subscription(std::string_view channel, bool subscribed) override {
      return owner.subscriptions_.confirm(channel, subscribed);
    }

    Client& owner;
    Role role;
    Connection connection;
    Backoff backoff;
    State state = State::due;
    TimePoint deadline = never;
  };

  // While one exists the client is in an event, at whose end it settles: no need to wake the driver.
  class Event;

  Peer& peer(Role role) { return role == Role::commands ? commands_ : subscriber_; }
  const Peer& peer(Role role) const { return role == Role::commands ? commands_ : subscriber_; }

  void check_time(Peer& peer, TimePoint now);
  void check_fault(Peer& peer);
  void lose(Peer& peer, std::string_view reason);
  void wait(Peer& peer, TimePoint now);
  void settle(TimePoint now);
  std::size_t subscription_count() const;  // without the canary's
  void send_subscriptions(TimePoint now);
  void check_ready(TimePoint now);
  void end_canary();
  void set_ready(bool ready);
  void on_refused(std::string_view error);
  void on_message(std::string_view channel, std::string_view payload);
  void tell_outage(std::string_view reason);
  void tell_drops();
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

  std::string canary_channel_;        // new with each subscriber connection, so that nobody can guess it
  std::string canary_;                // the payload on its way; empty: none
  TimePoint canary_due_ = never;      // moved by whatever Redis sends, ...
  TimePoint canary_overdue_ = never;  // ... up to here
  bool canary_returned_ = false;

  bool ready_ = false;
  bool was_ready_ = false;
  bool flowing_ = false;  // the queue may go out
  bool awake_ = false;    // wake() has been called
  bool in_event_ = false;
  std::vector<std::string> told_;  // of this outage, to the log
  bool drops_told_ = false;
  bool refusal_told_ = false;
};

}  // namespace carillon::redis
