// The link to a Redis Cluster: one Client per node, and who of them gets what.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "redis/backoff.hpp"
#include "redis/calls.hpp"
#include "redis/client.hpp"
#include "redis/client_share.hpp"
#include "redis/driven_link.hpp"
#include "redis/key_slot.hpp"
#include "redis/outage_log.hpp"
#include "redis/publish_queue.hpp"
#include "redis/redirection.hpp"
#include "redis/topology.hpp"

namespace carillon::redis {

// Sans-I/O; owned by the backplane's shard.
//
// Plain channels reach all nodes through the cluster's own bus, so one of them is enough: the home, a master chosen by
// chance, which changes when it dies. Sharded channels, streams and keys belong to the master of their slot. Which that
// is is asked of any node (CLUSTER SLOTS), and said by MOVED. A followed stream has a Client of its own, because XREAD
// waits, and reads streams of one slot only; it goes where the slot goes.
//
// Messages for a slot whose master is not known, or is changing, wait here, and for a master that is away in its Client;
// all together within queue_bytes_max and queue_age_max_ms, and messages of one slot in their order.
//
// Ready: the home and all masters on which something is subscribed are, and followed streams are read. A slot that moves
// to another master while all are there does not change that: its channels are subscribed again at the link's pace.
class ClusterClient final : public DrivenLink, private ClientDriver {
 public:
  // Connections are wanted from the start. `random`, `driver` must outlive it.
  ClusterClient(ClientOptions options, Random& random, ClientDriver& driver);
  ~ClusterClient() override;
  ClusterClient(const ClusterClient&) = delete;
  ClusterClient& operator=(const ClusterClient&) = delete;

  bool ready() const override { return ready_; }
  void publish(std::string channel, std::string payload, ChannelKind kind = ChannelKind::plain) override;
  void append(std::string stream, StreamFields fields, std::size_t length_max, AppendDone done) override;
  void hold_messages(bool hold) override;
  void set_nodes(std::size_t nodes) override;
  void subscribe(std::string_view channel, ChannelKind kind = ChannelKind::plain) override;
  void unsubscribe(std::string_view channel, ChannelKind kind = ChannelKind::plain) override;
  void follow(std::string stream) override;
  // Goes after MOVED and ASK; other errors are the caller's.
  void command(std::vector<std::string> words, std::string_view key, CommandDone done) override;
  // Nodes that cannot be asked now do not count: who was subscribed there is not any more, as far as can be seen from
  // here. None if that is the node where we are subscribed to the channel ourselves.
  void count_subscribers(std::string_view channel, ChannelKind kind,
                         std::move_only_function<void(std::optional<std::size_t>)> done) override;

  void set_listener(LinkListener* listener) override { listener_ = listener; }
  void command_everywhere(std::vector<std::string> words, std::move_only_function<void(Replies)> done) override;
  std::span<Client* const> clients() override { return clients_; }
  TimePoint next_deadline() const override;
  void on_time(TimePoint now) override;
  void abandon() override;
  std::size_t unanswered() const override;
  const ClientOptions& options() const override { return options_; }
  const Statistics& statistics() const override { return share_.statistics; }

 private:
  using Message = PublishQueue::Message;

  // One server, master or replica.
  struct Node final : LinkListener, RedirectionPort {
    Node(ClusterClient& cluster, Address where);
    void on_message(ChannelKind kind, std::string_view channel, std::string_view payload) override;
    void on_subscribed(ChannelKind kind, std::string_view channel) override;
    void on_ready(bool ready) override;
    void on_message_redirected(Message message, std::string_view error) override;
    void on_subscription_redirected(std::string_view channel, std::string_view error) override;
    void on_stream_redirected(std::string_view /*error*/) override {}

    ClusterClient& owner;
    const std::uint64_t id;  // never used again
    Address address;
    bool listed = false;    // by the last topology
    bool master = false;    // according to it
    std::size_t slots = 0;  // how many have it as their master now
    Client client;
  };

  // One followed stream.
  struct Follower final : LinkListener, RedirectionPort {
    Follower(ClusterClient& cluster, std::string name);
    void on_message(ChannelKind, std::string_view, std::string_view) override {}
    void on_subscribed(ChannelKind, std::string_view) override {}
    void on_ready(bool ready) override;
    void on_entry(std::string_view stream, std::string_view id, StreamFieldsView fields) override;
    void on_entries_lost(std::string_view stream) override;
    void on_position(std::string_view stream, std::string_view id) override;
    void on_message_redirected(Message, std::string_view) override {}
    void on_subscription_redirected(std::string_view, std::string_view) override {}
    void on_stream_redirected(std::string_view error) override;

    ClusterClient& owner;
    std::string stream;
    std::uint16_t slot;
    Address address{};               // where it is read
    std::unique_ptr<Client> client;  // none before the slot's master is known
  };

  // Why messages for a slot have to wait although it has a master.
  struct Hold {
    std::uint64_t node = 0;   // its id: what was sent there must have been answered first, ...
    std::uint64_t sent = 0;   // ... so many messages
    bool until_look = false;  // nodes disagree, or nobody serves it
  };

  struct Request {
    std::vector<std::string> words;
    std::int32_t slot = -1;
    CommandDone done;
    int attempts = 0;
  };

  struct Answer {
    Address from;
    Result<Reply, CommandError> reply;
  };
  using Answers = std::vector<Answer>;

  // --- nodes (cluster_nodes.cpp)
  ClientOptions node_options(const Address& address) const;
  Node& node_at(const Address& address);
  Node* any_open_node() const;
  Node* find_node(std::uint64_t id) const;
  void look(TimePoint now);
  void plan_look(TimePoint now);
  void on_slots(Result<Reply, CommandError> reply, const Address& asked);
  void apply(const Topology& topology);
  bool learn(std::uint16_t slot, const Address& address);
  void change_owner(std::uint16_t slot, Node* next);
  void choose_home();
  void move_home(Node& next);
  void place_followers();
  void sweep_subscriptions();
  void place_subscriptions();
  void retire_nodes();
  bool is_needed(const Node& node) const;
  void tell_masters();
  bool in_trouble() const;
  bool is_complete() const;

  // --- messages and commands (cluster_routing.cpp)
  Node* target(std::int32_t slot) const;
  Node* place_of(std::string_view channel, ChannelKind kind) const;
  void route(Message message);
  void park(Message message);
  void refuse(Message message, std::string_view error);
  bool is_held(std::int32_t slot) const { return holds_.contains(slot); }
  void on_message_redirected(Node& from, Message message, std::string_view error);
  void on_subscription_redirected(Node& from, std::string_view channel, std::string_view error);
  void hold_for(std::int32_t slot, const Node& last);
  void release_holds();
  void release_parked();
  void send(Request request, Node* to, bool asking);
  void on_answer(Request request, Result<Reply, CommandError> reply, const Address& asked);
  void gather(std::vector<std::string> words, std::move_only_function<void(Answers)> done);

  // --- time (cluster_client.cpp)
  void wake() override;
  void settle(TimePoint now);
  void age_parked(TimePoint now);
  void check_ready();
  void list_clients();

  ClientOptions options_;
  Random& random_;
  ClientDriver& driver_;
  LinkListener* listener_ = nullptr;
  ClientShare share_;
  OutageLog log_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Node>> retired_;  // until their connections are closed
  std::vector<std::unique_ptr<Follower>> followers_;
  std::vector<Client*> clients_;  // of all of them
  std::vector<Node*> owners_;     // by slot; nullptr: not known
  std::uint64_t nodes_made_ = 0;
  Node* home_ = nullptr;
  std::string masters_told_;

  PublishQueue parked_;
  std::map<std::int32_t, Hold> holds_;    // by slot; -1: of plain messages
  std::set<std::uint64_t> reclaim_from_;  // nodes whose queues may have what is not theirs any more
  std::map<std::uint16_t, int> flips_;    // of slots, by MOVED, since the last look
  Calls calls_;                           // of messages that were dropped here
  std::uint64_t number_ = 0;              // of the last message
  bool messages_held_ = false;            // the listener does not want them to go out
  std::size_t sharing_nodes_ = 1;         // see set_nodes()
  bool released_ = false;                 // parked messages may have somewhere to go

  std::set<std::pair<ChannelKind, std::string>> unplaced_;  // wanted channels that no node has
  bool swept_ = true;                                       // no node has channels of slots that it has lost
  bool stuck_ = false;                                      // channels have no place although it was looked for

  Backoff look_backoff_;
  TimePoint look_at_ = TimePoint::min();
  TimePoint looked_at_ = TimePoint::min();
  bool looking_ = false;      // CLUSTER SLOTS is on the way
  bool looked_ = false;       // it has just been answered
  bool look_wanted_ = false;  // soon
  bool known_ = false;        // there has been a topology

  GaugePart own_subscriptions_{share_.statistics.subscriptions};
  GaugePart own_queue_messages_{share_.statistics.queue_messages};
  GaugePart own_queue_bytes_{share_.statistics.queue_bytes};
  bool ready_ = false;
  bool was_ready_ = false;
  bool awake_ = false;
  bool in_time_ = false;
};

}  // namespace carillon::redis
