#include "redis/client.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace carillon::redis {

class Client::Event {
 public:
  Event(Client& client, TimePoint now) : client_(client), now_(now) { client_.in_event_ = true; }
  ~Event() {
    client_.settle(now_);
    client_.in_event_ = false;
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

 private:
  Client& client_;
  TimePoint now_;
};

namespace {

constexpr std::size_t write_bytes_max = 1024 * 1024;  // the rest of the queue stays where it is counted and ages

ClientOptions sentinel_options(const ClientOptions& options) {
  ClientOptions sentinel;
  sentinel.url.user = options.url.sentinel_user;
  sentinel.url.password = options.url.sentinel_password;
  sentinel.name = options.name;
  sentinel.connect_timeout_ms = std::min(options.connect_timeout_ms, options.sentinel_timeout_ms);
  sentinel.ping_interval_ms = std::min(options.ping_interval_ms, options.sentinel_timeout_ms);
  sentinel.ping_timeout_ms = std::min(options.ping_timeout_ms, options.sentinel_timeout_ms);
  return sentinel;
}

}  // namespace

Client::Client(ClientOptions options, Random& random, ClientDriver& driver, ClientShare* share)
    : options_(std::move(options)),
      sentinel_options_(sentinel_options(options_)),
      random_(random),
      driver_(driver),
      own_share_(share == nullptr ? std::make_unique<ClientShare>(options_) : nullptr),
      share_(share == nullptr ? *own_share_ : *share),
      statistics_(share_.statistics),
      log_(options_),
      queue_(share_.queue_budget, options_.queue_age_max_ms),
      backlog_(options_.backlog_messages_per_second_max),
      subscriptions_{Subscriptions(std::max<std::size_t>(options_.subscribe_batch_max, 1), share_.pace),
                     Subscriptions(std::max<std::size_t>(options_.subscribe_batch_max, 1), share_.pace),
                     Subscriptions(std::max<std::size_t>(options_.subscribe_batch_max, 1), share_.pace)},
      streams_(options_, statistics_, log_),
      master_finder_(options_.url),
      commands_(*this, Role::commands, options_),
      subscriber_(*this, Role::subscriber, options_),
      reader_(*this, Role::reader, options_),
      sentinel_(*this, Role::sentinel, sentinel_options_) {
  if (options_.reads_only) commands_.state = Peer::State::idle;
  if (!options_.subscribes || options_.cluster_node || options_.reads_only) subscriber_.state = Peer::State::idle;
  reader_.state = Peer::State::idle;
  if (!master_finder_.in_use()) sentinel_.state = Peer::State::idle;
}

Client::~Client() = default;

const Client::Peer& Client::peer(Role role) const {
  switch (role) {
    case Role::commands:
      return commands_;
    case Role::subscriber:
      return subscriber_;
    case Role::reader:
      return reader_;
    case Role::sentinel:
      return sentinel_;
  }
  return commands_;
}

void Client::wake() {
  if (!in_event_ && !std::exchange(awake_, true)) driver_.wake();
}

// --- Driver ---

bool Client::wants_connection(Role role) const {
  if (peer(role).state != Peer::State::due) return false;
  return !master_finder_.in_use() || role == Role::sentinel || master_finder_.master().has_value();
}

const Address& Client::address(Role role) const {
  if (!master_finder_.in_use()) return options_.url.addresses[0];
  return role == Role::sentinel || !master_finder_.master() ? master_finder_.sentinel() : *master_finder_.master();
}

void Client::on_dialling(Role role, TimePoint now) {
  Peer& dialled = peer(role);
  if (dialled.state != Peer::State::due) return;
  dialled.state = Peer::State::dialling;
  dialled.address = address(role);
  dialled.deadline = now + dialled.options.connect_timeout_ms;
}

void Client::on_connected(Role role, TimePoint now) {
  const Event event(*this, now);
  Peer& connected = peer(role);
  if (connected.state != Peer::State::dialling) return;  // too late: it is to be closed
  statistics_.connects.add();
  connected.state = Peer::State::up;
  connected.deadline = never;
  connected.connection.open(now);
}

void Client::on_connect_failed(Role role, std::string_view reason, TimePoint now) {
  const Event event(*this, now);
  Peer& failed = peer(role);
  if (failed.state == Peer::State::dialling) lose(failed, reason);
  wait(failed, now);
}

void Client::on_bytes(Role role, std::string_view bytes, TimePoint now) {
  const Event event(*this, now);
  Peer& talking = peer(role);
  if (talking.state != Peer::State::up) return;
  const bool news = talking.connection.feed(bytes, now);
  // The canary may wait behind a long backlog of messages, or of answers to them.
  const bool of_master = role == Role::commands || role == Role::subscriber;
  if (news && of_master && canary_due_ != never)
    canary_due_ = std::min(now + options_.ping_timeout_ms, canary_overdue_);
  check_fault(talking);
}

void Client::on_closed(Role role, std::string_view reason, TimePoint now) {
  const Event event(*this, now);
  Peer& closed = peer(role);
  if (closed.state == Peer::State::up) lose(closed, reason);
  wait(closed, now);
}

bool Client::has_output(Role role) const {
  if (peer(role).state != Peer::State::up) return false;
  return peer(role).connection.output_bytes() > 0 ||
         (role == Role::commands && sends_messages() && !queue_.empty() && backlog_waits_until_ == never);
}

std::string Client::take_output(Role role, TimePoint now) {
  Connection& connection = peer(role).connection;
  if (role == Role::commands && sends_messages()) {
    while (connection.output_bytes() < write_bytes_max && backlog_.room(now) > 0) {
      auto message = queue_.pop();
      if (!message) break;
      send(std::move(*message), now);
      backlog_.spend(queue_.size(), now);
    }
    backlog_waits_until_ = backlog_.room(now) > 0 ? never : backlog_.next();
    show_queue();
  }
  return connection.take_output();
}

TimePoint Client::next_deadline() const {
  TimePoint next = std::min({canary_due_, queue_.next_deadline(), backlog_waits_until_});
  if (subscriber_.connection.is_open())
    for (const Subscriptions& kind : subscriptions_) next = std::min(next, kind.next_deadline());
  for (const Role role : roles) next = std::min({next, peer(role).deadline, peer(role).connection.next_deadline()});
  return next;
}

void Client::on_time(TimePoint now) {
  const Event event(*this, now);
  awake_ = false;
  for (const Role role : roles) check_time(peer(role), now);
  if (now >= canary_due_) {
    statistics_.timeouts.add();
    for (Peer* end : {&commands_, &subscriber_}) lose(*end, "a message published to itself did not come back");
  }
}

void Client::abandon() {
  if (unanswered() == 0) return;
  const std::size_t queued = queue_.size();
  const std::size_t on_the_way = commands_.connection.messages_in_flight();
  while (auto message = queue_.pop()) calls_.drop(std::move(message->done));
  show_queue();
  statistics_.dropped_shutdown.add(queued);
  statistics_.dropped_unconfirmed.add(commands_.connection.close());
  if (queued + on_the_way > 0) log_.tell_abandoned(queued, on_the_way);
  calls_.lose();
  calls_.tell_failed();
}

}  // namespace carillon::redis
