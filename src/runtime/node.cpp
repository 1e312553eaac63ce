#include "runtime/node.hpp"

#include <sched.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <utility>

#include "base/log.hpp"
#include "cluster/stream_name.hpp"
#include "engineio/cookie.hpp"
#include "engineio/session_id.hpp"
#include "runtime/client_files.hpp"
#include "runtime/limits.hpp"
#include "runtime/node_hooks.hpp"
#include "socketio/application_call.hpp"
#include "socketio/memory_recovery_store.hpp"

namespace carillon::runtime {
namespace {

std::string default_name(Random& random) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {'n', 'o', 'd', 'e'};
  std::string name = std::string(host.data()) + "-";
  static constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  for (int i = 0; i < 4; ++i) name.push_back(letters[random.below(letters.size())]);
  return name;
}

// The cores that this process may run on: fewer than the machine's in a container or under taskset.
unsigned usable_cores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return std::max(1U, std::thread::hardware_concurrency());
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&cores)));
}

std::string slashed(std::string path) {
  if (!path.starts_with('/')) path.insert(path.begin(), '/');
  if (!path.ends_with('/')) path.push_back('/');
  return path;
}

websocket::DeflateSettings deflate_settings(const PerMessageDeflateOptions& options) {
  const auto check = [](bool good, const char* what) {
    if (!good) throw std::invalid_argument(std::string("per_message_deflate.") + what);
  };
  const auto is_window = [](int bits) { return bits >= 9 && bits <= 15; };
  check(options.level >= 1 && options.level <= 9, "level: expected 1 to 9");
  check(is_window(options.server_max_window_bits), "server_max_window_bits: expected 9 to 15");
  check(is_window(options.client_max_window_bits), "client_max_window_bits: expected 9 to 15");
  return {.enabled = options.enabled,
          .threshold_bytes = options.threshold_bytes,
          .level = options.level,
          .server_window_bits = options.server_max_window_bits,
          .client_window_bits = options.client_max_window_bits,
          .client_no_context_takeover = options.client_no_context_takeover,
          .window_bytes_max = options.window_bytes_max};
}

http::CompressionSettings compression_settings(const HttpCompressionOptions& options) {
  if (options.level < 1 || options.level > 9) throw std::invalid_argument("http_compression.level: expected 1 to 9");
  return {.enabled = options.enabled, .threshold_bytes = options.threshold_bytes, .level = options.level};
}

engineio::Options engine_options(const ServerOptions& options) {
  engineio::Options engine;
  engine.path = slashed(options.path);
  engine.ping_interval = Milliseconds(options.ping_interval_ms);
  engine.ping_timeout = Milliseconds(options.ping_timeout_ms);
  engine.upgrade_timeout = Milliseconds(options.upgrade_timeout_ms);
  engine.max_payload_bytes = options.max_payload_bytes;
  engine.allow_eio3 = options.allow_eio3;
  apply_limits(options.limits, engine);
  engine.allow_request_timeout = Milliseconds(options.allow_request_timeout_ms);
  engine.http_compression = compression_settings(options.http_compression);
  engine.cors = {.origins = options.cors_origins,
                 .credentials = options.cors_credentials,
                 .methods = options.cors_methods,
                 .allowed_headers = options.cors_allowed_headers,
                 .exposed_headers = options.cors_exposed_headers,
                 .max_age_s = options.cors_max_age_s};
  engine.cookie = options.cookie;
  if (options.cookie)
    if (const auto wrong = engineio::check_cookie(*options.cookie)) throw std::invalid_argument(*wrong);
  engine.per_message_deflate = deflate_settings(options.per_message_deflate);
  return engine;
}

// Each has its own: what one shard holds is not known to the others.
std::size_t share_of_shard(std::size_t total, unsigned shards) {
  return total == 0 ? 0 : std::max<std::size_t>(total / shards, 1);
}

}  // namespace

// Connection state recovery, as all shards share it.
struct Node::NodeRecovery {
  NodeRecovery(const RecoveryOptions& options, Milliseconds age_max, unsigned shards)
      : log({age_max, options.log_bytes_max}, shards),
        store({Milliseconds(options.max_disconnection_ms), options.sessions_max}),
        shared{{options.skip_middlewares, options.session_bytes_max},
               log,
               store,
               std::make_shared<socketio::RecoveryBudget>(options.sessions_bytes_max)} {}

  socketio::RecoveryLog log;
  socketio::MemoryRecoveryStore store;
  socketio::Recovery shared;
  // By shard: mail is on its way that makes it deliver the log.
  std::array<std::atomic<bool>, engineio::shards_max> called{};
};

// Socket.IO on one shard.
class Node::Application final : public ShardApplication {
 public:
  Application(Node& node, Shard& shard, socketio::ClusterPort* cluster)
      : inbox_(node.inbox_ ? node.inbox_->make_shard(shard, node.name_) : nullptr),
        core(node.socketio_options_, node.namespaces_,
             {shard, node, cluster, shard.timers(), shard.random(), node.recovery_ ? &node.recovery_->shared : nullptr,
              shard.index(), node.stream_recovery_ ? &*node.stream_recovery_ : nullptr, inbox_.get()}),
        hooks_(node.options_, shard, core),
        has_hooks_(node.options_.allow_request || node.options_.initial_headers || node.options_.headers) {}

  engineio::SessionHandler& session_handler() override { return core; }
  engineio::HandshakeHooks* handshake_hooks() override { return has_hooks_ ? &hooks_ : nullptr; }
  void set_time(TimePoint now) override {
    core.set_time(now);
    if (inbox_) inbox_->set_time(now);
  }

 private:
  std::unique_ptr<ShardInbox> inbox_;  // outlives the sockets, which are its watchers

 public:
  socketio::ServerCore core;

 private:
  NodeHooks hooks_;
  bool has_hooks_;
};

Node::Application& Node::application(Shard& shard) { return static_cast<Application&>(shard.application()); }

Node::Node(ServerOptions options)
    : options_(std::move(options)),
      engine_options_(engine_options(options_)),
      name_(options_.node_name),
      ledger_(ledger_limits(options_.limits), *make_system_random()) {
  socketio_options_.connect_timeout = Milliseconds(options_.connect_timeout_ms);
  socketio_options_.parser = options_.parser;
  apply_limits(options_.limits, socketio_options_);
  namespace_limits_ = {options_.namespaces_max, options_.namespace_bytes_max, options_.cleanup_empty_child_namespaces};
  socketio_options_.ack_timeout = Milliseconds(options_.ack_timeout_ms);
  socketio_options_.broadcast_ack_timeout = Milliseconds(options_.broadcast_ack_timeout_ms);
  if (name_.empty()) name_ = default_name(*make_system_random());
  if (options_.shards == 0) options_.shards = usable_cores();
  options_.shards = std::min(options_.shards, engineio::shards_max);
  engine_options_.per_message_deflate.window_bytes_max /= options_.shards;
  socketio_options_.pending_packet_bytes_total_max =
      share_of_shard(options_.limits.receive_buffer_bytes_total_max, options_.shards);
  of("/");
}

Node::~Node() {
  stop();
  backplane_.reset();  // after the threads have ended, while the loop that it is registered with still exists
  recovery_.reset();   // the sessions that wait in it tell their shards
  shards_.clear();
}

// --- configuration ---

Namespace& Node::of(std::string_view name) {
  const std::string full = name.starts_with('/') ? std::string(name) : "/" + std::string(name);
  for (const auto& face : faces_)
    if (face->name() == full) return *face;
  if (started_) throw std::logic_error("namespace '" + full + "' must be made before the server starts");
  return *faces_.emplace_back(std::make_unique<Namespace>(*this, namespaces_.add(full), full));
}

Namespace& Node::of(NamespacePredicate predicate) {
  if (started_) throw std::logic_error("parent namespaces must be made before the server starts");
  const std::size_t index = namespaces_.add_parent(std::move(predicate));
  const auto& parent = namespaces_.parents()[index];
  auto& port = parent_ports_.emplace_back(std::make_unique<socketio::ParentPort>(*this, namespaces_, index));
  return *faces_.emplace_back(std::make_unique<Namespace>(*port, parent.handlers, parent.name));
}

void Node::on_new_namespace(std::function<void(Namespace&)> handler) {
  if (started_) throw std::logic_error("on_new_namespace() comes before the start of the server");
  namespaces_.on_new_namespace(std::move(handler));
}

void Node::set_adapter(AdapterOptions options) {
  if (inbox_)
    throw std::logic_error(
        "the adapter comes before the notifier: its notifications would lie on this node's disk, where no other node "
        "finds them");
  if (const auto url = redis::parse_url(options.redis_url); !url) throw std::invalid_argument(url.error());
  adapter_ = std::move(options);
}

void Node::serve_api(std::string listen, http::Handler& handler, http::ParserLimits limits,
                     std::function<http::Response(int status)> error_response) {
  api_ = Api{std::move(listen), &handler, limits, std::move(error_response)};
}

Inbox& Node::set_inbox(NotifierOptions options) {
  if (started_) throw std::logic_error("set_inbox() comes before the start of the server");
  inbox_ = std::make_unique<Inbox>(inbox_options(std::move(options), adapter_ ? &*adapter_ : nullptr));
  return *inbox_;
}

void Node::carry_client_files(std::span<const admin::PageFile> files) { carried_files_ = files; }

// --- life ---

void Node::start() {
  const std::lock_guard lock(life_);
  launch();
}

void Node::launch() {
  if (started_ || stopped_) throw std::logic_error("a server starts once: make a new one");
  started_unix_ms_ = io::Loop::unix_now();
  try {
    reception_ = std::make_unique<Reception>(options_, api_ ? std::optional(api_->listen) : std::nullopt);
    if (options_.serve_client)
      engine_options_.client_files = load_client_files(options_.client_files_dir, carried_files_);
    make_shards();
    reception_->bind_clients(shards_);
    if (api_) bind_api();
    if (inbox_) inbox_->start();
    started_ = true;
    for (const auto& shard : shards_) shard->start();
  } catch (...) {
    discard();
    throw;
  }
}

// After a start that failed half-way.
void Node::discard() {
  join_shards();
  if (inbox_) inbox_->set_desk(nullptr);
  backplane_.reset();  // while the loop that it is registered with still exists
  cores_.clear();
  recovery_.reset();
  shards_.clear();
  if (inbox_) inbox_->forget_shards();
  reception_.reset();
  started_ = false;
}

void Node::make_shards() {
  const std::string tag = random_id(*make_system_random(), engineio::node_tag_characters);
  if (options_.recovery.enabled && !recovers_by_stream()) make_recovery();
  std::vector<Shard*> all;
  for (unsigned index = 0; index < options_.shards; ++index) {
    const Shard::Settings settings{index,
                                   tag,
                                   &engine_options_,
                                   Milliseconds(options_.drain_timeout_ms),
                                   &reception_->proxies(),
                                   &ledger_,
                                   share_of_shard(options_.limits.send_queue_bytes_total_max, options_.shards),
                                   share_of_shard(options_.limits.receive_buffer_bytes_total_max, options_.shards)};
    shards_.push_back(std::make_unique<Shard>(settings, [&](Shard& shard) -> std::unique_ptr<ShardApplication> {
      if (adapter_ && !backplane_) backplane_ = make_backplane(shard);
      if (inbox_ && backplane_) inbox_->set_desk(backplane_->inbox());
      return std::make_unique<Application>(*this, shard, backplane_ ? &backplane_->port_of(shard) : nullptr);
    }));
    ServiceLimits& limits = shards_.back()->client_service().limits;
    apply_limits(options_.limits, limits);
    limits.requests = request_limit(options_.limits);
    all.push_back(shards_.back().get());
    cores_.push_back(&application(*all.back()).core);
  }
  for (Shard* shard : all) shard->set_siblings(all);
}

std::unique_ptr<Backplane> Node::make_backplane(Shard& home) {
  std::vector<std::string> names;
  for (const auto& [name, handlers] : namespaces_.fixed()) names.push_back(name);
  const RecoveryOptions& recovery = options_.recovery;
  const Milliseconds away_max(recovery.max_disconnection_ms);
  const Milliseconds renew_interval = std::max(away_max / 4, Milliseconds(1'000));
  Backplane::Settings settings{*adapter_,
                               std::move(names),
                               name_,
                               socketio_options_.broadcast_ack_timeout,
                               socketio_options_.broadcast_ack_bytes_max,
                               [this] { return facts(); }};
  if (recovers_by_stream()) settings.recovery = {away_max, renew_interval, recovery.session_bytes_max, packet_format()};
  if (inbox_) settings.inbox = inbox_->options().desk;
  auto backplane = std::make_unique<Backplane>(std::move(settings), home, *this);
  if (recovers_by_stream())
    stream_recovery_.emplace(
        socketio::StreamRecovery{.rules = {recovery.skip_middlewares, recovery.session_bytes_max},
                                 .sessions = *backplane->sessions(),
                                 .renew_interval = renew_interval,
                                 .stream_of = [count = adapter_->stream_count](std::string_view name) {
                                   return cluster::stream_index(count, name);
                                 }});
  return backplane;
}

// The log keeps what a client may lack that is lost only when its ping timeout is over, and comes at the last moment.
void Node::make_recovery() {
  const Milliseconds unnoticed(options_.ping_interval_ms + options_.ping_timeout_ms);
  const Milliseconds away(options_.recovery.max_disconnection_ms);
  recovery_ = std::make_unique<NodeRecovery>(options_.recovery, unnoticed + away, options_.shards);
}

void Node::bind_api() {
  api_service_.handler = api_->handler;
  api_service_.limits.parser = api_->limits;
  apply_limits(options_.limits, api_service_.limits);
  api_service_.error_response = api_->error_response;
  reception_->bind_api(*shards_.front(), api_service_);
}

void Node::run(const std::function<void()>& listening) {
  {
    const std::lock_guard lock(life_);
    if (stopped_) return;
    // Before any thread, so that all of them leave the signals to it.
    signals_ = std::make_unique<io::ProcessSignals>();
    launch();
  }
  if (listening) listening();
  while (signals_->wait() == SIGHUP) reload_certificates();
  stop();
}

void Node::stop() {
  const std::lock_guard lock(life_);
  stopped_ = true;
  if (signals_) signals_->interrupt();
  join_shards();
  if (inbox_) inbox_->stop();  // what their last words asked for is still done
}

// The backplane's shard stays until the others have ended: their last words to other nodes go through it.
void Node::join_shards() {
  Shard* home = backplane_ && !shards_.empty() ? shards_.front().get() : nullptr;
  for (const auto& shard : shards_) shard->begin_stop(shard.get() == home ? Shard::Then::stays : Shard::Then::ends);
  for (const auto& shard : shards_)
    if (shard.get() != home) shard->join();
  if (home == nullptr) return;
  home->begin_stop();
  home->join();
}

// --- traffic ---

template <class Action>
void Node::on_shards(std::uint64_t shard_mask, const Action& action) {
  for (const auto& shard : shards_) {
    if ((shard_mask >> shard->index() & 1U) == 0) continue;
    if (shard->is_current()) {
      action(application(*shard).core);
    } else {
      shard->post([target = shard.get(), action] { action(application(*target).core); });
    }
  }
}

// Local members first and at once on the caller's shard; then the other nodes.
void Node::broadcast(socketio::BroadcastPtr message) {
  if (message->awaits_entry) {
    on_shards(cluster::every_shard, [message](socketio::ServerCore& core) { core.stream_shard()->hold(message); });
    return backplane_->publish(std::move(message));
  }
  deliver(message, cluster::every_shard);
  if (backplane_ && !message->flags.local) backplane_->publish(std::move(message));
}

void Node::deliver(socketio::BroadcastPtr message, std::uint64_t shard_mask) {
  if (recovery_) {
    recovery_->log.append(std::move(message), shard_mask, io::Loop::read_clock());
    return deliver_log();
  }
  on_shards(shard_mask, [message = std::move(message)](socketio::ServerCore& core) { core.deliver(*message); });
}

void Node::release(socketio::BroadcastPtr message, engineio::FramesPtr frames, const socketio::StreamOffset& entry) {
  const std::uint64_t shards = message->shard_mask;
  on_shards(shards, [message = std::move(message), frames = std::move(frames), entry](socketio::ServerCore& core) {
    core.stream_shard()->release(*message, frames, entry);
  });
}

void Node::on_stream_position(std::size_t stream, const socketio::StreamOffset& position) {
  on_shards(cluster::every_shard,
            [stream, position](socketio::ServerCore& core) { core.stream_shard()->set_position(stream, position); });
}

// Each shard reads the log by itself: one call is enough for all that has been appended until it comes.
void Node::deliver_log() {
  for (const auto& shard : shards_) {
    if (shard->is_current()) {
      application(*shard).core.deliver_log();
      continue;
    }
    std::atomic<bool>& called = recovery_->called[shard->index()];
    if (called.exchange(true)) continue;
    shard->post([&called, target = shard.get()] {
      called = false;
      application(*target).core.deliver_log();
    });
  }
}

void Node::on_gap() {
  if (recovery_) recovery_->log.note_gap();
}

// --- facts ---

Node::RecoveryFacts Node::recovery_facts() const {
  if (!recovery_) return {};
  return {recovery_->log.bytes(), recovery_->shared.budget->bytes(), recovery_->store.stored_count()};
}

void Node::call_application(std::string_view what, std::string_view name, const std::function<void()>& call) {
  socketio::call_application(cores_.front()->stats(), what, name, call);
}

const socketio::Stats& Node::socketio_stats(unsigned shard) const { return application(*shards_[shard]).core.stats(); }

}  // namespace carillon::runtime
