// SocketCore: what is held until its place in the stream is known, and how a client comes back by it.
#include <algorithm>
#include <utility>

#include "base/random.hpp"
#include "socketio/client.hpp"
#include "socketio/namespace_core.hpp"
#include "socketio/server_core.hpp"
#include "socketio/socket_core.hpp"
#include "socketio/stream_shard.hpp"

namespace carillon::socketio {
namespace {

constexpr std::size_t owner_characters = 16;
constexpr std::size_t pid_bytes_max = 64;

// Also when this server ends: others go on.
bool comes_back(DisconnectReason reason) {
  return reason != DisconnectReason::client_namespace_disconnect &&
         reason != DisconnectReason::server_namespace_disconnect;
}

}  // namespace

StreamShard* SocketCore::stream_shard() const { return namespace_.server().stream_shard(); }

// --- what is held ---

void SocketCore::hold(const Broadcast& message) {
  stream_->held.push({.frames = message.frames,
                      .offset_at = message.offset_at,
                      .is_volatile = message.flags.is_volatile,
                      .awaits = &message});
}

void SocketCore::hold_behind(engineio::FramesPtr frames, bool is_volatile, std::size_t offset_at) {
  stream_->held.push({.frames = std::move(frames), .offset_at = offset_at, .is_volatile = is_volatile});
}

void SocketCore::place(const Broadcast& message, const engineio::FramesPtr& frames, const StreamOffset& entry) {
  if (!stream_->held.take(message)) return;
  if (stream_->is_catching_up) {
    if (!message.flags.is_volatile) keep_arrival(frames, entry);
    return;
  }
  const bool is_old = entry.exists() && entry <= stream_->upto;
  if (!is_old) send_packet({.frames = frames, .is_volatile = message.flags.is_volatile});
  send_held();
}

// Of another node. Whatever is held here comes later in the stream, or has no place there.
bool SocketCore::deliver_entry(const Broadcast& message) {
  if (stream_->is_catching_up) {
    if (!message.flags.is_volatile) keep_arrival(message.frames, message.entry);
    return !message.flags.is_volatile;
  }
  if (message.entry.exists() && message.entry <= stream_->upto) return false;
  return send_packet({.frames = message.frames,
                      .offset_at = message.entry.exists() ? 0 : message.offset_at,
                      .is_volatile = message.flags.is_volatile});
}

// Too much of it, and the socket is not recovered: see ask_history().
void SocketCore::keep_arrival(engineio::FramesPtr frames, const StreamOffset& entry) {
  stream_->arrivals_bytes += frames->bytes();
  if (stream_->arrivals_bytes > stream_shard()->recovery().rules.session_bytes_max) return stream_->arrivals.clear();
  stream_->arrivals.push_back({std::move(frames), entry});
}

void SocketCore::send_held() {
  if (stream_->is_catching_up) return;
  while (HeldPackets::Packet* packet = stream_->held.next()) {
    send_packet(*packet);
    stream_->held.pop();
  }
}

bool SocketCore::send_packet(const HeldPackets::Packet& packet) {
  engineio::FramesPtr frames = packet.frames;
  if (packet.offset_at != 0)
    frames =
        engineio::Frames::with_bytes(*frames, packet.offset_at, to_string(stream_shard()->position(namespace_.name())));
  if (packet.is_volatile) return session_.send_volatile(frames);
  session_.send(frames);
  return true;
}

// It ends: what waits for the stream has to go now or never.
void SocketCore::send_all_held() {
  if (!stream_ || stream_->is_catching_up) return;
  stream_->held.take_all([this](const HeldPackets::Packet& packet) { send_packet(packet); });
}

void SocketCore::emit_by_stream(std::string_view event, const Args& args, const BroadcastFlags& flags) {
  ServerCore& server = namespace_.server();
  const PacketFormat format = server.format();
  auto message = std::make_shared<Broadcast>();
  message->name_space = namespace_.name();
  message->rooms = {id_};
  message->flags = flags;
  set_event(format, *message, event, args);
  // What nobody would be recovered by does not go through Redis.
  if (flags.is_volatile || state_ != State::connected || stream_->pid.empty()) {
    hold_behind(message->frames, flags.is_volatile, message->offset_at);
    return send_held();
  }
  message->shard_mask = std::uint64_t{1} << server.surroundings().shard_index;
  stream_shard()->hold_for(*this, message);
  server.surroundings().cluster->publish(std::move(message));
}

// --- the record ---

SessionRecord SocketCore::record() const {
  return {.pid = stream_->pid,
          .owner = stream_->owner,
          .name_space = namespace_.name(),
          .sid = id_,
          .identity = identity_,
          .rooms = rooms(),
          .data = data_,
          .proven = stream_->proven};
}

void SocketCore::write_session(SessionPort::Life life) {
  if (!stream_ || stream_->pid.empty() || state_ == State::connecting) return;
  if (life == SessionPort::Life::connected && state_ != State::connected) return;
  stream_shard()->recovery().sessions.write(record(), life);
}

// Several changes of one turn are one write.
void SocketCore::write_session_soon() {
  if (!stream_ || stream_->pid.empty() || state_ != State::connected || std::exchange(stream_->write_posted, true))
    return;
  namespace_.server().surroundings().shard.post([weak = weak_from_this()] {
    const auto socket = weak.lock();
    if (!socket || !socket->stream_) return;
    socket->stream_->write_posted = false;
    socket->write_session(SessionPort::Life::connected);
  });
}

// The record is written by the one who has connected, or has been taken over with its successor.
void SocketCore::open_stream_session(bool is_new) {
  StreamShard& shard = *stream_shard();
  if (is_new) {
    stream_->pid = random_id(namespace_.server().surroundings().random, pid_characters);
    stream_->owner = random_id(namespace_.server().surroundings().random, owner_characters);
    stream_->proven = shard.position(namespace_.name());
    write_session(SessionPort::Life::fresh);
  }
  shard.recovery().sessions.opened(stream_->pid, stream_->owner, namespace_.server().surroundings().shard,
                                   [weak = weak_from_this()] {
                                     if (const auto socket = weak.lock()) socket->give_way();
                                   });
  shard.add(*this);
}

void SocketCore::close_stream_session(DisconnectReason reason) {
  if (stream_->pid.empty()) return;
  SessionPort& sessions = stream_shard()->recovery().sessions;
  stream_shard()->remove(*this);
  sessions.closed(stream_->pid, stream_->owner);
  if (gives_way_) return;
  if (comes_back(reason)) return sessions.write(record(), SessionPort::Life::lost);
  sessions.remove(stream_->pid, stream_->owner);
}

// --- coming back ---

std::unique_ptr<RecoveryAttempt> read_stream_attempt(const Value& auth) {
  const Value* pid = auth.find("pid");
  if (pid == nullptr || pid->as_string() == nullptr || pid->as_string()->empty() ||
      pid->as_string()->size() > pid_bytes_max)
    return nullptr;
  auto attempt = std::make_unique<RecoveryAttempt>();
  attempt->pid = *pid->as_string();
  const Value* offset = auth.find("offset");
  if (offset == nullptr) return attempt;  // it has had no event yet
  if (offset->as_string() == nullptr) return nullptr;
  attempt->entry = parse_stream_offset(*offset->as_string());
  return attempt->entry ? std::move(attempt) : nullptr;
}

void SocketCore::start_by_stream() {
  if (client_.recoverable()) attempt_ = read_stream_attempt(handshake_.auth());
  if (!attempt_) return run_middleware(0);
  stream_shard()->recovery().sessions.find(
      attempt_->pid, namespace_.server().surroundings().shard,
      [weak = weak_from_this()](std::optional<SessionRecord> record) {
        const auto socket = weak.lock();
        if (!socket || socket->state() != State::connecting) return;
        if (record && !record->name_space.empty() && record->name_space != socket->name_space().name()) record.reset();
        std::optional<RecoveryStore::Facts> facts;
        if (record) facts = RecoveryStore::Facts{record->sid, record->identity};
        if (socket->attempt_) socket->attempt_->record = std::move(record);
        socket->on_found(std::move(facts));
      });
}

// The middleware has let it pass.
void SocketCore::take_stream_session() {
  if (attempt_->identity != identity_) return start_afresh();
  const SessionRecord& found = *attempt_->record;
  stream_->pid = found.pid;
  stream_->owner = random_id(namespace_.server().surroundings().random, owner_characters);
  stream_->proven = attempt_->entry ? std::max(*attempt_->entry, found.proven) : found.proven;
  SessionRecord successor = found;
  successor.owner = stream_->owner;
  successor.name_space = namespace_.name();
  successor.proven = stream_->proven;
  stream_shard()->recovery().sessions.take(found, std::move(successor), namespace_.server().surroundings().shard,
                                           [weak = weak_from_this()](bool is_ours) {
                                             const auto socket = weak.lock();
                                             if (!socket || socket->state() != State::connecting) return;
                                             if (!is_ours) return socket->start_afresh();
                                             socket->catch_up();
                                           });
}

// Entered into its rooms, with everything held: what comes from now on is behind the history, or in it.
void SocketCore::catch_up() {
  SocketCore* const before = namespace_.find_socket(id_);
  if (before != nullptr && !before->yield_session(stream_->pid))
    return forget_session();  // what Redis says is not true
  stream_->is_catching_up = true;
  namespace_.add(*this);
  for (const std::string& room : attempt_->record->rooms) namespace_.join(*this, room, nullptr);
  namespace_.open_own_room(*this, [weak = weak_from_this()] {
    if (const auto socket = weak.lock()) socket->ask_history();
  });
}

// To one that has taken the session after this one had. False: it is another session.
bool SocketCore::yield_session(std::string_view pid) {
  if (!stream_ || stream_->pid != pid) return false;
  if (state_ == State::connecting) {
    start_afresh();
  } else {
    give_way();
  }
  return true;
}

void SocketCore::ask_history() {
  if (state_ != State::connecting || !attempt_) return;
  SessionRecord record = *attempt_->record;
  record.name_space = namespace_.name();
  stream_shard()->recovery().sessions.read_history(
      std::move(record), stream_->proven, namespace_.server().surroundings().shard,
      [weak = weak_from_this()](std::optional<History> history) {
        const auto socket = weak.lock();
        if (!socket || socket->state() != State::connecting) return;
        if (!history || socket->stream_->arrivals_bytes > socket->stream_shard()->recovery().rules.session_bytes_max)
          return socket->forget_session();
        socket->finish_catching_up(*history);
      });
}

void SocketCore::forget_session() {
  stream_shard()->recovery().sessions.remove(stream_->pid, stream_->owner);
  start_afresh();
}

// In one go, so that nothing live comes in between.
void SocketCore::finish_catching_up(const History& history) {
  const auto keep = shared_from_this();
  data_ = merged(std::move(attempt_->record->data), std::move(data_));
  attempt_.reset();
  recovered_ = true;
  state_ = State::connected;
  stream_->upto = history.upto;
  client_.connected();
  // The client keeps them until it has its CONNECT, and hands them over before its connect event.
  for (const engineio::FramesPtr& frames : history.events) session_.send(frames);
  open_stream_session(false);
  client_.send_connect(*this, stream_->pid);
  stream_->is_catching_up = false;
  for (const SocketStream::Arrival& arrival : std::exchange(stream_->arrivals, {}))
    if (!arrival.entry.exists() || arrival.entry > stream_->upto) session_.send(arrival.frames);
  send_held();
  namespace_.server().stats().recovered.add();
  write_session_soon();  // the middleware may have changed it
  tell_connected();
}

}  // namespace carillon::socketio
