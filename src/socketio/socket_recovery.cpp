// SocketCore: how a client comes back, and what is kept for it until then.
#include <algorithm>
#include <utility>

#include "socketio/client.hpp"
#include "socketio/namespace_core.hpp"
#include "socketio/recovery_attempt.hpp"
#include "socketio/server_core.hpp"
#include "socketio/socket_core.hpp"
#include "socketio/stream_shard.hpp"

namespace carillon::socketio {
namespace {

// Runs `done` when it has been called `count` times.
Task make_countdown(std::size_t count, std::function<void()> done) {
  const auto left = std::make_shared<std::size_t>(count);
  return [left, done = std::move(done)] {
    if (--*left == 0) done();
  };
}

std::size_t bytes_of(const std::vector<engineio::FramesPtr>& all) {
  std::size_t bytes = 0;
  for (const engineio::FramesPtr& frames : all) bytes += frames->bytes();
  return bytes;
}

bool comes_back(DisconnectReason reason) {
  switch (reason) {
    case DisconnectReason::client_namespace_disconnect:
    case DisconnectReason::server_namespace_disconnect:
    case DisconnectReason::server_shutting_down:  // with this process its memory goes
      return false;
    case DisconnectReason::forced_close:
    case DisconnectReason::transport_close:
    case DisconnectReason::transport_error:
    case DisconnectReason::ping_timeout:
    case DisconnectReason::parse_error:
      return true;
  }
  return false;
}

}  // namespace

Value merged(Value kept, Value fresh) {
  auto* members = std::get_if<Object>(&fresh.storage());
  auto* result = std::get_if<Object>(&kept.storage());
  if (members == nullptr) return fresh;
  if (result == nullptr) return members->empty() ? kept : fresh;
  for (auto& [key, value] : *members) result->set(key, std::move(value));
  return kept;
}

std::unique_ptr<RecoveryAttempt> read_attempt(const Value& auth) {
  const Value* pid = auth.find("pid");
  if (pid == nullptr || pid->as_string() == nullptr) return nullptr;
  auto attempt = std::make_unique<RecoveryAttempt>();
  attempt->pid = *pid->as_string();
  const Value* offset = auth.find("offset");
  if (offset == nullptr) return attempt;  // it has had no event yet
  if (offset->as_string() == nullptr) return nullptr;
  attempt->offset = parse_recovery_offset(*offset->as_string());
  return attempt->offset ? std::move(attempt) : nullptr;
}

// --- coming back ---

void SocketCore::start() {
  if (stream_) return start_by_stream();
  const auto& surroundings = namespace_.server().surroundings();
  if (surroundings.recovery != nullptr && client_.recoverable()) attempt_ = read_attempt(handshake_.auth());
  if (!attempt_) return run_middleware(0);
  surroundings.recovery->store.find(attempt_->pid, namespace_.name(), surroundings.shard,
                                    [weak = weak_from_this()](std::optional<RecoveryStore::Facts> facts) {
                                      const auto socket = weak.lock();
                                      if (socket && socket->state() == State::connecting)
                                        socket->on_found(std::move(facts));
                                    });
}

// The middleware sees the socket that is to come back, under its id.
void SocketCore::on_found(std::optional<RecoveryStore::Facts> facts) {
  if (!facts) {
    attempt_.reset();
    return run_middleware(0);
  }
  id_ = std::move(facts->sid);
  attempt_->identity = std::move(facts->identity);
  const auto& surroundings = namespace_.server().surroundings();
  const RecoveryRules& rules = stream_ ? surroundings.streams->rules : surroundings.recovery->rules;
  if (!rules.skip_middlewares) return run_middleware(0);
  identity_ = attempt_->identity;
  connect();
}

// The middleware has let it pass: only now the session is taken, from a connection that may still be believed alive.
void SocketCore::take_session() {
  if (attempt_->identity != identity_) return start_afresh();
  ServerCore& server = namespace_.server();
  server.surroundings().recovery->store.take(attempt_->pid, server.surroundings().shard,
                                             [weak = weak_from_this(), &server](std::optional<StoredSession> session) {
                                               const auto socket = weak.lock();
                                               if (socket && socket->state() == State::connecting)
                                                 return socket->on_session(std::move(session));
                                               if (session)
                                                 server.surroundings().recovery->store.keep(std::move(*session),
                                                                                            server.now());
                                             });
}

void SocketCore::on_session(std::optional<StoredSession> session) {
  if (!session) return start_afresh();
  attempt_->session = std::move(session);
  if (!missed_events()) return start_afresh();
  const std::vector<std::string> rooms = attempt_->session->rooms;
  const auto done = std::make_shared<Task>(make_countdown(rooms.size() + 1, [weak = weak_from_this()] {
    if (const auto socket = weak.lock()) socket->finish_connect();
  }));
  for (const std::string& room : rooms) namespace_.join(*this, room, [done] { (*done)(); });
  namespace_.open_own_room(*this, [done] { (*done)(); });
}

std::optional<std::vector<engineio::FramesPtr>> SocketCore::missed_events() {
  ServerCore& server = namespace_.server();
  const Recovery& recovery = *server.surroundings().recovery;
  server.deliver_log();  // another shard may have been further
  auto missed = attempt_->session->state->missed(attempt_->offset, recovery.log, server.cursor(), namespace_.name(),
                                                 id_, attempt_->session->rooms);
  if (missed && bytes_of(*missed) > recovery.rules.session_bytes_max) return std::nullopt;
  return missed;
}

// In one go with what follows, so that nothing live comes in between.
bool SocketCore::replay() {
  const auto missed = missed_events();
  if (!missed) return false;
  StoredSession session = std::move(*std::exchange(attempt_, nullptr)->session);
  recovery_ = std::move(session.state);
  recovery_->forget_ping();
  for (const Membership& membership : memberships_)
    if (std::ranges::find(session.rooms, membership.room->name()) == session.rooms.end())
      recovery_->joined(membership.room->name(), namespace_.server().cursor());
  recovered_ = true;
  data_ = merged(std::move(session.data), std::move(data_));
  // The client keeps them until it has its CONNECT, and hands them over before its connect event.
  for (const engineio::FramesPtr& frames : *missed) send(frames);
  namespace_.server().stats().recovered.add();
  return true;
}

// As if the client had not asked: another id, and the middleware sees the new socket.
void SocketCore::start_afresh() {
  namespace_.server().stats().recoveries_failed.add();
  attempt_.reset();
  client_.replace(*this);
}

void SocketCore::open_session() {
  if (stream_) {
    if (client_.recoverable()) open_stream_session(true);
    return;
  }
  const auto& surroundings = namespace_.server().surroundings();
  if (surroundings.recovery == nullptr || !client_.recoverable()) return;
  if (!recovery_)
    recovery_ =
        std::make_unique<RecoveryState>(random_id(surroundings.random, pid_characters), namespace_.server().cursor(),
                                        surroundings.recovery->rules.session_bytes_max, surroundings.recovery->budget);
  surroundings.recovery->store.opened(recovery_->pid(), namespace_.name(), id_, identity_, surroundings.shard,
                                      [weak = weak_from_this()] {
                                        if (const auto socket = weak.lock()) socket->give_way();
                                      });
}

// --- until it comes back ---

void SocketCore::give_way() {
  if (state_ != State::connected) return;
  const auto keep = shared_from_this();
  gives_way_ = true;
  client_.forget(*this);
  end(DisconnectReason::transport_close);
  client_.close_if_unused();
}

void SocketCore::park(DisconnectReason reason) {
  ServerCore& server = namespace_.server();
  RecoveryStore& store = server.surroundings().recovery->store;
  if (!comes_back(reason)) return store.closed(recovery_->pid());
  std::vector<std::string> rooms;
  for (const Membership& membership : memberships_) rooms.push_back(membership.room->name());
  StoredSession session{id_, namespace_.name(), identity_, rooms, data_, std::move(recovery_), nullptr};
  rooms.push_back(id_);
  session.hold = namespace_.hold(std::move(rooms));
  store.keep(std::move(session), server.now());
  server.watch_recovery();
}

void SocketCore::on_ping_sent() {
  if (recovery_) recovery_->ping_sent(namespace_.server().cursor());
  if (stream_ && !stream_->is_catching_up) stream_->pinged = stream_shard()->position(namespace_.name());
  // What is held goes out behind the ping, which proves nothing of it.
  if (watcher_ && !(stream_ && stream_->holds())) watcher_->on_ping_sent();
}

void SocketCore::on_pong() {
  if (recovery_) recovery_->pong();
  if (stream_ && stream_->pinged) stream_->proven = *std::exchange(stream_->pinged, std::nullopt);
  if (watcher_) watcher_->on_pong();
}

void SocketCore::note_joined(std::string_view room) {
  if (recovery_) recovery_->joined(room, namespace_.server().cursor());
  write_session_soon();
}

void SocketCore::note_left(std::string_view room) {
  if (recovery_) recovery_->left(room, namespace_.server().cursor());
  write_session_soon();
}

}  // namespace carillon::socketio
