// The Redis link: its connections (commands, subscriber, reader of streams), reconnects, resubscription, the queue for outages.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "redis/backoff.hpp"
#include "redis/calls.hpp"
#include "redis/connection.hpp"
#include "redis/link.hpp"
#include "redis/master_finder.hpp"
#include "redis/options.hpp"
#include "redis/outage_log.hpp"
#include "redis/pace.hpp"
#include "redis/publish_queue.hpp"
#include "redis/statistics.hpp"
#include "redis/stream_reader.hpp"
#include "redis/subscriptions.hpp"

namespace carillon::redis {

enum class Role : std::uint8_t {
  commands,
  subscriber,
  reader,    // of followed streams, if there are any
  sentinel,  // if there are sentinels
};
inline constexpr std::array<Role, 4> roles{Role::commands, Role::subscriber, Role::reader, Role::sentinel};

// Called by the client; implemented by the driver in runtime/.
class ClientDriver {
 public:
  virtual ~ClientDriver() = default;
  // Something was asked of the link since the last event: in this loop turn call Client::on_time(), and then look at
  // what the client wants. Must not call the client itself. At most once between two calls of on_time().
  virtual void wake() = 0;
};

// What a node of a Redis Cluster says belongs to another node; for whoever holds a client per node. Called from on_...()
// functions, and may use the link.
class RedirectionPort {
 public:
  virtual ~RedirectionPort() = default;
  // Redis did not take the message; the error is MOVED, ASK, TRYAGAIN, CLUSTERDOWN or CROSSSLOT. It is not counted as
  // dropped: whoever takes it passes it on (Client::pass_on) or drops it.
  virtual void on_message_redirected(PublishQueue::Message message, std::string_view error) = 0;
  // The sharded channel is not subscribed here any more: its slot has moved away (no error), or was not here.
  virtual void on_subscription_redirected(std::string_view channel, std::string_view error) = 0;
};

// Sans-I/O; owned by the backplane's shard. The driver's part, per role:
//
//   wants_connection() -> on_dialling(), then to address(); one of on_connected() and on_connect_failed()
//   on_connected()     -> on_bytes()..., then one on_closed()
//   wants_close()      -> close the socket or give up the dial, and report it as above (on_closed, on_connect_failed)
//   has_output()       -> take_output(), when the previous bytes have been written
//
// After each call of an on_...() function the four questions and next_deadline() may have new answers.
//
// The link is ready when its connections have logged in, all channels wanted at that time are confirmed, followed
// streams have been read once, and a canary message has come round. The queue goes out when it becomes ready; losing
// only the subscriber or the reader does not stop it again.
//
// With sentinels the master's address is asked for before each dial, and whatever is connected to another address than
// that of the master is given up as soon as they say so.
class Client final : public Link {
 public:
  // Connections are wanted from the start. `random`, `driver` must outlive the client. When it is destroyed nobody is
  // called any more: abandon() comes before, if somebody still waits.
  Client(ClientOptions options, Random& random, ClientDriver& driver);
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Before anything else happens; nullptr: nobody listens. Called from on_...() functions only, and may use the link.
  void set_listener(LinkListener* listener) { listener_ = listener; }
  // Before anything else happens, and with ClientOptions::cluster_node.
  void set_redirections(RedirectionPort* port) { redirections_ = port; }

  // Link. Of subscribe() and unsubscribe() for one channel the last one counts; calls of one loop turn go out as one
  // command, and what cancels out is not sent. A message that the queue has no room for is dropped and counted.
  // Commands overtake messages that are still in the queue. What append() and command() were given is called from
  // on_...() functions and abandon(), or from command() itself.
  bool ready() const override { return ready_; }
  void publish(std::string channel, std::string payload, ChannelKind kind = ChannelKind::plain) override;
  void append(std::string stream, StreamFields fields, std::size_t length_max, AppendDone done) override;
  void hold_messages(bool hold) override;
  void subscribe(std::string_view channel, ChannelKind kind = ChannelKind::plain) override;
  void unsubscribe(std::string_view channel, ChannelKind kind = ChannelKind::plain) override;
  void follow(std::string stream) override;
  void command(std::vector<std::string> words, std::string_view key, CommandDone done) override;
  void count_subscribers(std::string_view channel, ChannelKind kind,
                         std::move_only_function<void(std::optional<std::size_t>)> done) override;

  // As publish() and append(): a message that another client was told to send here.
  void pass_on(PublishQueue::Message message);

  // Driver.
  bool wants_connection(Role role) const;
  const Address& address(Role role) const;  // while a connection is wanted
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
  // Nothing of what unanswered() counts will be sent or waited for any more: messages are counted as dropped, and said.
  void abandon();

  const ClientOptions& options() const { return options_; }
  const Statistics& statistics() const { return statistics_; }
  // Messages and commands that Redis has not answered yet: queued, or on the way.
  std::size_t unanswered() const {
    return queue_.size() + commands_.connection.messages_in_flight() + calls_.requests();
  }
  // Messages that were dropped for whatever reason, or were on the way when a connection died.
  std::uint64_t dropped() const;

 private:
  // One of the connections with its place in the cycle of dialling, talking, losing and waiting.
  struct Peer final : ConnectionPort {
    enum class State : std::uint8_t {
      idle,      // not used
      waiting,   // until `deadline`
      due,       // the driver is to dial
      dialling,  // until `deadline`
      up,
      closing,  // given up; the driver is to close it
    };

    Peer(Client& owner, Role role, const ClientOptions& options);
    void on_open() override;
    void on_published() override;
    void on_appended(std::string_view id) override;
    void on_refused(Command command, std::string_view error) override { owner.on_refused(command, error); }
    bool on_reply(Command command, Reply& reply) override;
    void on_message(ChannelKind kind, std::string_view channel, std::string_view payload) override;
    Confirmation on_subscription(ChannelKind kind, std::string_view channel, bool subscribed) override;
    bool on_subscription_refused(std::string_view error) override { return owner.on_subscription_refused(error); }

    Client& owner;
    Role role;
    const ClientOptions& options;
    Address address{};  // of the last dial
    Connection connection;
    Backoff backoff;
    State state = State::due;
    TimePoint deadline = never;
  };

  // While one exists the client is in an event, at whose end it settles: no need to wake the driver.
  class Event;

  bool sends_messages() const { return flowing_ && !held_ && !behind_; }
  const Peer& peer(Role role) const;
  Peer& peer(Role role) { return const_cast<Peer&>(std::as_const(*this).peer(role)); }
  Subscriptions& subscriptions(ChannelKind kind) { return subscriptions_[static_cast<std::size_t>(kind)]; }

  void check_time(Peer& peer, TimePoint now);
  void check_fault(Peer& peer);
  void lose(Peer& peer, std::string_view reason);
  void wait(Peer& peer, TimePoint now);
  void follow_master(TimePoint now);
  void tell_loss(const Peer& lost, std::string_view reason);
  void settle(TimePoint now);
  void age_queue(TimePoint now);
  void send_subscriptions(TimePoint now);
  void send_one_by_one(const Subscriptions::Batch& batch, TimePoint now);
  bool answer_subscriptions();
  void send_requests(TimePoint now);
  void send(PublishQueue::Message message, TimePoint now);
  std::size_t subscription_count() const;  // without the canary's
  void check_ready(TimePoint now);
  void end_canary();
  void set_ready(bool ready);
  void show_queue();
  void on_refused(Command command, std::string_view error);
  bool on_reply(Command command, Reply& reply);
  void on_message(ChannelKind kind, std::string_view channel, std::string_view payload);
  ConnectionPort::Confirmation on_subscription(ChannelKind kind, std::string_view channel, bool subscribed);
  bool on_subscription_refused(std::string_view error);
  void wake();

  ClientOptions options_;
  ClientOptions sentinel_options_;  // of the connection to one
  Random& random_;
  ClientDriver& driver_;
  LinkListener* listener_ = nullptr;
  RedirectionPort* redirections_ = nullptr;
  Statistics statistics_;
  OutageLog log_;
  PublishQueue queue_;
  Calls calls_;
  Pace pace_;
  std::array<Subscriptions, channel_kinds.size()> subscriptions_;  // by kind
  std::deque<std::pair<std::string, bool>> sharded_changes_;       // cluster_node: on the way; true: subscribe
  StreamReader streams_;
  MasterFinder master_finder_;
  std::optional<Address> master_;  // the last one that was found
  Peer commands_;
  Peer subscriber_;
  Peer reader_;
  Peer sentinel_;
  std::string sentinel_complaint_;  // why it is of no use

  std::string canary_channel_;        // new with each subscriber connection, so that nobody can guess it
  std::string canary_;                // the payload on its way; empty: none
  TimePoint canary_due_ = never;      // moved by whatever Redis sends, ...
  TimePoint canary_overdue_ = never;  // ... up to here
  bool canary_returned_ = false;

  bool ready_ = false;
  bool was_ready_ = false;
  bool flowing_ = false;  // the queue may go out, unless
  bool held_ = false;     // the listener does not want it yet, or
  bool behind_ = false;   // Redis has not answered for some time
  bool awake_ = false;    // wake() has been called
  bool in_event_ = false;
};

}  // namespace carillon::redis
