// The Redis link: its connections (commands, subscriber, reader of streams), reconnects, resubscription, the queue for outages.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "redis/backlog.hpp"
#include "redis/backoff.hpp"
#include "redis/calls.hpp"
#include "redis/client_share.hpp"
#include "redis/connection.hpp"
#include "redis/driven_link.hpp"
#include "redis/master_finder.hpp"
#include "redis/options.hpp"
#include "redis/outage_log.hpp"
#include "redis/publish_queue.hpp"
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
  // A followed stream is not here. The connection is given up, and tries again.
  virtual void on_stream_redirected(std::string_view error) = 0;
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
class Client final : public DrivenLink {
 public:
  // Connections are wanted from the start. `random`, `driver` and `share` must outlive the client; without a share it has
  // its own. When it is destroyed nobody is called any more: abandon() comes before, if somebody still waits.
  Client(ClientOptions options, Random& random, ClientDriver& driver, ClientShare* share = nullptr);
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void set_listener(LinkListener* listener) override { listener_ = listener; }
  // Before anything else happens, and with ClientOptions::cluster_node.
  void set_redirections(RedirectionPort* port) { redirections_ = port; }

  // Link. Of subscribe() and unsubscribe() for one channel the last one counts; calls of one loop turn go out as one
  // command, and what cancels out is not sent. A message that the queue has no room for is dropped and counted.
  // Commands overtake messages that are still in the queue. What append() and command() were given is called from
  // on_...() functions and abandon(), or from command() itself.
  bool ready() const override { return ready_ && proven(); }
  void publish(std::string channel, std::string payload, ChannelKind kind = ChannelKind::plain) override;
  void append(std::string stream, StreamFields fields, std::size_t length_max, AppendDone done) override;
  void hold_messages(bool hold) override;
  void set_nodes(std::size_t nodes) override;
  void subscribe(std::string_view channel, ChannelKind kind = ChannelKind::plain) override;
  void unsubscribe(std::string_view channel, ChannelKind kind = ChannelKind::plain) override;
  void follow(std::string stream) override;
  void command(std::vector<std::string> words, std::string_view key, CommandDone done) override;
  void count_subscribers(std::string_view channel, ChannelKind kind,
                         std::move_only_function<void(std::optional<std::size_t>)> done) override;

  void command_everywhere(std::vector<std::string> words, std::move_only_function<void(Replies)> done) override;

  // --- For whoever holds a client per node of a Redis Cluster.

  // As publish(), append() and command(): what another client was told to send here, or what is to be sent here.
  void pass_on(PublishQueue::Message message);
  void ask(Calls::Request request);
  // Messages that are still in the queue and to which this applies, in order: they are not sent.
  std::vector<PublishQueue::Message> take_queued(const std::function<bool(const PublishQueue::Message&)>& which);
  // How many messages were ever sent, and how many of them are not on the way any more.
  std::uint64_t sent() const { return sent_; }
  std::uint64_t settled() const { return sent_ - commands_.connection.messages_in_flight(); }
  // As subscribe(), for what was subscribed elsewhere: at the pace of what comes back after a reconnect.
  void adopt(std::string_view channel, ChannelKind kind);
  bool wants(std::string_view channel, ChannelKind kind) const { return subscriptions(kind).wants(channel); }
  // Without the canary's.
  std::vector<std::string> wanted(ChannelKind kind) const;
  std::size_t subscription_count() const;
  // A subscriber is connected, and proven by a canary, although nothing is subscribed yet.
  void use_subscriber();
  bool uses_subscriber() const { return subscriber_.state != Peer::State::idle; }
  // What was subscribed when the subscriber connected, or adopted, has been confirmed.
  bool is_restored() const;
  // Commands can be sent.
  bool is_open() const { return commands_.connection.is_open(); }
  // What needs this client had better go elsewhere: its subscriptions are gone, or nobody answers at its address.
  bool is_lost() const;
  // Its connections come up for the first time.
  bool is_starting() const { return !was_proven_ && !is_lost(); }
  // From now on connections lead there; others are given up.
  void move_to(const Address& address);
  void set_minor(bool minor) { log_.set_minor(minor); }
  // All connections are given up, and none is wanted any more. Then is_gone() when the driver has closed them.
  void retire();
  bool is_gone() const;

  // Driver.
  std::span<Client* const> clients() override { return {&self_, 1}; }
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
  TimePoint next_deadline() const override;
  void on_time(TimePoint now) override;
  void abandon() override;

  const ClientOptions& options() const override { return options_; }
  const Statistics& statistics() const override { return statistics_; }
  std::size_t unanswered() const override {
    return queue_.size() + commands_.connection.messages_in_flight() + calls_.requests();
  }

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
    bool is_late_refusal(std::string_view error) const override { return owner.is_late_refusal(error); }

    Client& owner;
    Role role;
    const ClientOptions& options;
    Address address{};  // of the last dial
    Connection connection;
    Backoff backoff;
    State state = State::due;
    TimePoint deadline = never;
    bool unreachable = false;  // the last dial led to no login, or its connection had to be given up
  };

  // While one exists the client is in an event, at whose end it settles: no need to wake the driver.
  class Event;

  bool sends_messages() const { return flowing_ && !held_ && !behind_; }
  const Peer& peer(Role role) const;
  Peer& peer(Role role) { return const_cast<Peer&>(std::as_const(*this).peer(role)); }
  const Subscriptions& subscriptions(ChannelKind kind) const { return subscriptions_[static_cast<std::size_t>(kind)]; }
  Subscriptions& subscriptions(ChannelKind kind) { return subscriptions_[static_cast<std::size_t>(kind)]; }
  // A message to itself has come round, if somebody subscribes.
  bool proven() const { return !uses_subscriber() || canary_returned_; }

  void check_time(Peer& peer, TimePoint now);
  void check_fault(Peer& peer);
  void lose(Peer& peer, std::string_view reason);
  void wait(Peer& peer, TimePoint now);
  void follow_master(TimePoint now);
  void lead_to(const Address& address, std::string_view reason, TimePoint now);
  void tell_loss(const Peer& lost, std::string_view reason);
  void settle(TimePoint now);
  void age_queue(TimePoint now);
  void send_subscriptions(TimePoint now);
  void send_one_by_one(const Subscriptions::Batch& batch, TimePoint now);
  bool answer_subscriptions();
  void send_requests(TimePoint now);
  void send(PublishQueue::Message message, TimePoint now);
  void check_ready(TimePoint now);
  void end_canary();
  void set_ready(bool ready);
  void show_queue();
  void on_refused(Command command, std::string_view error);
  bool on_reply(Command command, Reply& reply);
  void on_message(ChannelKind kind, std::string_view channel, std::string_view payload);
  ConnectionPort::Confirmation on_subscription(ChannelKind kind, std::string_view channel, bool subscribed);
  ConnectionPort::Confirmation on_single_subscription(std::string_view channel, bool subscribed);
  bool on_subscription_refused(std::string_view error);
  bool is_late_refusal(std::string_view error) const;
  void wake();

  ClientOptions options_;
  ClientOptions sentinel_options_;  // of the connection to one
  Random& random_;
  ClientDriver& driver_;
  LinkListener* listener_ = nullptr;
  RedirectionPort* redirections_ = nullptr;
  Client* self_ = this;
  std::unique_ptr<ClientShare> own_share_;
  ClientShare& share_;
  Statistics& statistics_;
  GaugePart own_subscriptions_{statistics_.subscriptions};
  GaugePart own_queue_messages_{statistics_.queue_messages};
  GaugePart own_queue_bytes_{statistics_.queue_bytes};
  OutageLog log_;
  PublishQueue queue_;
  Backlog backlog_;
  TimePoint backlog_waits_until_ = never;  // its pace allows no more now
  Calls calls_;
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
  bool was_proven_ = false;

  std::uint64_t sent_ = 0;
  std::optional<Address> moved_to_;  // by move_to()
  bool retired_ = false;
  bool ready_ = false;
  bool was_ready_ = false;
  bool flowing_ = false;        // the queue may go out, unless
  bool sent_messages_ = false;  // sends_messages(), at the end of the last event
  bool held_ = false;           // the listener does not want it yet, or
  bool behind_ = false;         // Redis has not answered for some time
  bool awake_ = false;          // wake() has been called
  bool in_event_ = false;
};

// XADD stream MAXLEN ~ length_max * name value ...
PublishQueue::Message append_message(std::string stream, const StreamFields& fields, std::size_t length_max,
                                     AppendDone done);

}  // namespace carillon::redis
