#include "runtime/backplane.hpp"

#include <stdexcept>
#include <utility>

#include "base/log.hpp"
#include "cluster/pubsub_adapter.hpp"
#include "cluster/pubsub_codec.hpp"
#include "cluster/sharded_adapter.hpp"
#include "cluster/streams_adapter.hpp"
#include "runtime/shard.hpp"

namespace carillon::runtime {
namespace {

redis::ClientOptions client_options(const AdapterOptions& options, const std::string& node_name) {
  auto url = redis::parse_url(options.redis_url);
  if (!url) throw std::invalid_argument(url.error());
  redis::ClientOptions client;
  client.url = std::move(*url);
  client.name = "carillon-" + node_name;
  client.canary_prefix = options.key + "-canary#";  // with an ACL for the key's channels that is one of them
  const Milliseconds patience(options.redis_timeout_ms);
  client.connect_timeout_ms = client.ping_interval_ms = client.ping_timeout_ms = patience;
  client.queue_bytes_max = options.queue_bytes_max;
  client.queue_age_max_ms = Milliseconds(options.queue_age_max_ms);
  client.subscriptions_per_second_max = options.subscriptions_per_second_max;
  client.backlog_messages_per_second_max = options.backlog_messages_per_second_max;
  client.unanswered_ms_max = Milliseconds(options.redis_unanswered_ms_max);
  client.canary_timeout_ms = Milliseconds(options.redis_canary_timeout_ms);
  client.commands_max = options.redis_commands_max;
  client.reply_bytes_max = options.redis_reply_bytes_max;
  return client;
}

std::unique_ptr<cluster::Adapter> make_adapter(Backplane::Settings& settings, redis::Link& link,
                                               cluster::NodePort& node, Random& random) {
  const AdapterOptions& options = settings.options;
  const cluster::Requests::Limits limits{Milliseconds(options.requests_timeout_ms), settings.ack_timeout,
                                         settings.acks_bytes_max, options.answer_bytes_max};
  const auto handshakes = options.redact_handshakes ? cluster::Handshakes::redacted : cluster::Handshakes::whole;
  cluster::MessageAdapterOptions common{
      .key = options.key, .namespaces = std::move(settings.namespaces), .limits = limits, .handshakes = handshakes};
  switch (options.kind) {
    case AdapterOptions::Kind::pubsub:
      return std::make_unique<cluster::PubSubAdapter>(link, node, random,
                                                      cluster::PubSubOptions{.key = options.key,
                                                                             .namespaces = std::move(common.namespaces),
                                                                             .pattern = options.pattern_subscription,
                                                                             .limits = limits,
                                                                             .handshakes = handshakes});
    case AdapterOptions::Kind::sharded:
      return std::make_unique<cluster::ShardedAdapter>(link, node, random,
                                                       cluster::ShardedOptions{std::move(common), options.mode});
    case AdapterOptions::Kind::streams:
      return std::make_unique<cluster::StreamsAdapter>(
          link, node, random,
          cluster::StreamsOptions{std::move(common), options.stream_name, options.stream_count,
                                  options.stream_length_max, redis::ChannelKind::plain, settings.recovery.has_value(),
                                  Milliseconds(options.stream_hold_max_ms)});
  }
  throw std::invalid_argument("unknown adapter");
}

// Which channel every server of the cluster subscribes to, Node.js servers, too.
std::optional<cluster::Gathering::Channel> servers_channel(const AdapterOptions& options) {
  switch (options.kind) {
    case AdapterOptions::Kind::pubsub:
      return cluster::Gathering::Channel{cluster::base_channel(options.key + "-request", "/"),
                                         redis::ChannelKind::plain};
    case AdapterOptions::Kind::sharded:
      return cluster::Gathering::Channel{cluster::base_channel(options.key, "/"), redis::ChannelKind::sharded};
    case AdapterOptions::Kind::streams:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

// Brings a shard's calls to the backplane's shard, and the answers back.
class Backplane::ShardPort final : public socketio::ClusterPort {
 public:
  ShardPort(Backplane& backplane, Shard& shard) : backplane_(backplane), shard_(shard) {}

  void publish(socketio::BroadcastPtr message) override { backplane_.publish(std::move(message)); }

  void open_namespace(std::string_view name_space) override {
    on_home([this, name_space = std::string(name_space)] {
      backplane_.adapter_->open_namespace(shard_.index(), name_space);
    });
  }
  void close_namespace(std::string_view name_space) override {
    on_home([this, name_space = std::string(name_space)] {
      backplane_.adapter_->close_namespace(shard_.index(), name_space);
    });
  }
  void open_room(std::string_view name_space, std::string_view room, Task done) override {
    on_home([this, name_space = std::string(name_space), room = std::string(room),
             done = homing(std::move(done))]() mutable {
      backplane_.adapter_->open_room(shard_.index(), name_space, room, std::move(done));
    });
  }
  void await_room(std::string_view name_space, std::string_view room, Task done) override {
    on_home([this, name_space = std::string(name_space), room = std::string(room),
             done = homing(std::move(done))]() mutable {
      backplane_.adapter_->await_room(name_space, room, std::move(done));
    });
  }
  void close_room(std::string_view name_space, std::string_view room) override {
    on_home([this, name_space = std::string(name_space), room = std::string(room)] {
      backplane_.adapter_->close_room(shard_.index(), name_space, room);
    });
  }

  const Shard& shard() const { return shard_; }

 private:
  void on_home(Task task) {
    if (backplane_.home_.is_current()) {
      task();
    } else {
      backplane_.home_.post(std::move(task));
    }
  }
  // The task, run on this port's shard.
  Task homing(Task done) {
    if (!done) return [] {};
    if (&shard_ == &backplane_.home_) return done;
    return [this, done = std::move(done)]() mutable { shard_.post(std::move(done)); };
  }

  Backplane& backplane_;
  Shard& shard_;
};

Backplane::Backplane(Settings settings, Shard& home, cluster::NodePort& node)
    : home_(home),
      random_(make_system_random()),
      driver_(home.loop(), client_options(settings.options, settings.node_name), *random_),
      roster_(driver_.link(), roster_statistics_, *random_,
              {settings.options.key, Milliseconds(settings.options.requests_timeout_ms), std::move(settings.facts)}),
      gathering_(driver_.link(), {settings.options.key, servers_channel(settings.options),
                                  Milliseconds(settings.options.peers_wait_ms_max)}),
      adapter_(make_adapter(settings, driver_.link(), node, *random_)) {
  if (settings.recovery) {
    auto& streams = static_cast<cluster::StreamsAdapter&>(*adapter_);
    sessions_ = std::make_unique<SessionDesk>(
        home, driver_.link(),
        SessionDesk::Settings{.store = {.key_prefix = settings.options.session_key_prefix,
                                        .away_max = settings.recovery->away_max,
                                        .renew_interval = settings.recovery->renew_interval,
                                        .record_bytes_max = settings.recovery->session_bytes_max},
                              .history = {.format = settings.recovery->format,
                                          .bytes_max = settings.recovery->session_bytes_max,
                                          .entries_max = settings.options.history_entries_max},
                              .node = streams.uid(),
                              .stream_of = [&streams](std::string_view name) { return streams.stream_of(name); },
                              .tell_taken =
                                  [&streams](const socketio::SessionRecord& found) {
                                    streams.tell_taken(found.node, found.name_space, {found.pid, found.owner});
                                  }});
    streams.set_taken_handler(
        [this](const cluster::TakenSession& taken) { sessions_->on_taken(taken.pid, taken.owner); });
  }
  if (settings.inbox) inbox_ = std::make_unique<InboxDesk>(home, driver_.link(), *random_, std::move(*settings.inbox));
  driver_.link().set_listener(this);
  home.add_guest(*this);  // before the driver, which sends what it has to say
  home.add_guest(driver_);
}

Backplane::~Backplane() = default;

socketio::ClusterPort& Backplane::port_of(Shard& shard) {
  for (const auto& port : ports_)
    if (&port->shard() == &shard) return *port;
  return *ports_.emplace_back(std::make_unique<ShardPort>(*this, shard));
}

void Backplane::publish(socketio::BroadcastPtr message) {
  Task task = [this, message = std::move(message)]() mutable {
    if (message->awaits_entry) return adapter_->publish_in_order(std::move(message), home_.loop().now());
    adapter_->publish(*message);
  };
  if (home_.is_current()) return task();
  home_.post(std::move(task));
}

void Backplane::operate(socketio::OperationPtr operation, socketio::OperationDone done) {
  Task task = [this, operation = std::move(operation), done = std::move(done)]() mutable {
    adapter_->operate(std::move(operation), std::move(done), home_.loop().now());
  };
  if (home_.is_current()) return task();
  home_.post(std::move(task));
}

void Backplane::list_nodes(cluster::Roster::Done done) {
  Task task = [this, done = std::move(done)]() mutable { roster_.ask(std::move(done), home_.loop().now()); };
  if (home_.is_current()) return task();
  home_.post(std::move(task));
}

void Backplane::on_turn_end(TimePoint now) {
  if (now >= adapter_->next_deadline()) adapter_->on_time(now);
  if (now >= roster_.next_deadline()) roster_.on_time(now);
  if (now >= gathering_.next_deadline()) gathering_.on_time(now);
  if (inbox_) inbox_->on_time(now);
}

TimePoint Backplane::next_deadline() const {
  return std::min({adapter_->next_deadline(), roster_.next_deadline(), gathering_.next_deadline(),
                   inbox_ ? inbox_->next_deadline() : never});
}

// --- from the link ---

void Backplane::on_message(redis::ChannelKind kind, std::string_view channel, std::string_view payload) {
  if (kind == redis::ChannelKind::plain && roster_.on_message(channel, payload)) return;
  if (inbox_ && inbox_->on_message(channel, payload)) return;
  adapter_->on_message(kind, channel, payload);
}

void Backplane::on_subscribed(redis::ChannelKind kind, std::string_view channel) {
  if (inbox_ && inbox_->on_subscribed(channel)) return;
  adapter_->on_subscribed(kind, channel);
}

void Backplane::on_entry(std::string_view stream, std::string_view id, redis::StreamFieldsView fields) {
  adapter_->on_entry(stream, id, fields);
}

void Backplane::on_position(std::string_view stream, std::string_view id) { adapter_->on_position(stream, id); }

void Backplane::on_entries_lost(std::string_view stream) { adapter_->on_entries_lost(stream); }

void Backplane::on_ready(bool ready) {
  ready_ = ready;
  gathering_.on_ready(ready, home_.loop().now());
  adapter_->on_ready(ready);
  if (inbox_) inbox_->on_ready(ready);
}

}  // namespace carillon::runtime
