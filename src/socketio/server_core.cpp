#include "socketio/server_core.hpp"

#include "socketio/client.hpp"
#include "socketio/namespace_operation.hpp"

namespace carillon::socketio {
namespace {

constexpr Milliseconds sweep_interval{5'000};

Client& client_of(engineio::Session& session) { return static_cast<Client&>(*session.attachment); }

}  // namespace

// Looks every now and then for what has become too old.
class ServerCore::RecoveryTimer final : public Timer {
 public:
  explicit RecoveryTimer(ServerCore& server) : server_(server) {}
  void on_deadline(TimePoint now) override {
    Recovery& recovery = *server_.surroundings_.recovery;
    recovery.log.trim(now);
    const bool sessions_left = recovery.store.expire(now);
    if (sessions_left || recovery.log.bytes() > 0) set(now);
  }
  void set(TimePoint now) { server_.surroundings_.timers.set(*this, now + sweep_interval); }

 private:
  ServerCore& server_;
};

ServerCore::ServerCore(const Options& options, NamespaceRegistry& namespaces, Surroundings surroundings)
    : options_(options),
      registry_(namespaces),
      surroundings_(surroundings),
      shard_link_(std::make_shared<ShardLink>(surroundings.shard)),
      recovery_timer_(std::make_unique<RecoveryTimer>(*this)) {
  if (surroundings_.streams != nullptr) stream_shard_ = std::make_unique<StreamShard>(*this, *surroundings_.streams);
  for (const auto& [name, handlers] : namespaces.fixed())
    namespaces_.emplace(name, std::make_unique<NamespaceCore>(*this, name, handlers, NamespaceCore::Kind::fixed));
}

ServerCore::~ServerCore() { shard_link_->close(); }

void ServerCore::on_open(engineio::Session& session) {
  session.attachment = std::make_unique<Client>(*this, session);
  client_of(session).connect_unasked();
}

void ServerCore::on_message(engineio::Session& session, bool binary, std::string_view data) {
  client_of(session).on_message(binary, data);
}

void ServerCore::on_close(engineio::Session& session, engineio::CloseReason reason) {
  if (session.attachment) client_of(session).on_close(reason);
}

void ServerCore::on_ping_sent(engineio::Session& session) {
  if (session.attachment) client_of(session).on_ping_sent();
}

void ServerCore::on_pong(engineio::Session& session) {
  if (session.attachment) client_of(session).on_pong();
}

void ServerCore::on_upgraded(engineio::Session& session) {
  if (session.attachment) client_of(session).on_upgraded();
}

// A catch-all handler may broadcast, too: what comes in the middle of a delivery has its turn behind it.
void ServerCore::deliver_log() {
  if (delivering_log_) return;
  delivering_log_ = true;
  for (;;) {
    const std::uint64_t head = surroundings_.recovery->log.read(surroundings_.shard_index, unread_);
    if (head == cursor_) break;
    cursor_ = head;
    for (const BroadcastPtr& message : unread_) deliver(*message);
    unread_.clear();
    watch_recovery();
  }
  delivering_log_ = false;
}

void ServerCore::watch_recovery() {
  if (recovery_timer_->deadline() == never) recovery_timer_->set(now_);
}

NamespaceCore* ServerCore::find_namespace(std::string_view name) {
  const auto found = namespaces_.find(name);
  return found == namespaces_.end() ? nullptr : found->second.get();
}

NamespaceCore* ServerCore::find_child(std::string_view name) {
  if (registry_.parents().empty()) return nullptr;
  return add_child(name, registry_.enter(name));
}

NamespaceCore* ServerCore::create_child(std::string_view name, std::size_t parent) {
  if (NamespaceCore* here = find_namespace(name)) return here;  // while the application was thinking
  return add_child(name, registry_.create(name, parent, stats_));
}

NamespaceCore* ServerCore::add_child(std::string_view name, NamespaceRegistry::Handlers handlers) {
  if (!handlers) return nullptr;
  if (surroundings_.cluster != nullptr) surroundings_.cluster->open_namespace(name);
  auto child =
      std::make_unique<NamespaceCore>(*this, std::string(name), std::move(handlers), NamespaceCore::Kind::child);
  return namespaces_.emplace(name, std::move(child)).first->second.get();
}

void ServerCore::forget_later(std::string_view name) {
  if (!registry_.limits().cleanup_empty_child_namespaces) return;
  surroundings_.shard.post([this, name = std::string(name)] { forget(name); });
}

void ServerCore::forget(std::string_view name) {
  const auto found = namespaces_.find(name);
  if (found == namespaces_.end() || !found->second->is_unused()) return;
  namespaces_.erase(found);
  if (surroundings_.cluster != nullptr) surroundings_.cluster->close_namespace(name);
  registry_.leave(name);
}

void ServerCore::operate(const Operation& operation, OperationPartDone done) {
  NamespaceCore* name_space = find_namespace(operation.whom().name_space);
  if (name_space == nullptr) {
    if (operation.observer) operation.observer->on_sent(0);
    return done({});
  }
  operate_on_namespace(*name_space, operation, std::move(done));
}

void ServerCore::deliver(const Broadcast& message) {
  if (stream_shard_ && message.entry.exists()) stream_shard_->note_entry(message.name_space, message.entry);
  if (NamespaceCore* name_space = find_namespace(message.name_space)) name_space->deliver(message);
}

}  // namespace carillon::socketio
