#include "socketio/socket_core.hpp"

#include <algorithm>

#include "socketio/application_call.hpp"
#include "socketio/broadcast_answers.hpp"
#include "socketio/client.hpp"
#include "socketio/decoder.hpp"
#include "socketio/event_target.hpp"
#include "socketio/namespace_core.hpp"
#include "socketio/next_target.hpp"
#include "socketio/server_core.hpp"
#include "socketio/socket_extras.hpp"

namespace carillon::socketio {
struct SocketCore::PendingAck final : Timer {
  PendingAck(SocketCore& owner, std::uint64_t number, std::string_view name, AckHandler on_result)
      : socket(owner), id(number), event(name), handler(std::move(on_result)) {}
  void on_deadline(TimePoint now) override {
    socket.namespace_.server().set_time(now);
    socket.settle_ack(id, std::unexpected(AckError::timeout));
  }
  SocketCore& socket;
  std::uint64_t id;
  std::string event;
  AckHandler handler;
};

SocketCore::SocketCore(Client& client, NamespaceCore& name_space, std::string id, Value auth)
    : client_(client),
      namespace_(name_space),
      session_(client.session()),
      id_(std::move(id)),
      handshake_(std::move(auth), client.session().request()) {
  if (name_space.server().stream_shard() != nullptr) stream_ = std::make_unique<SocketStream>();
  name_space.attach();
}

SocketCore::~SocketCore() { namespace_.detach(); }

Stats& SocketCore::stats() const { return namespace_.server().stats(); }

// --- connecting ---

void SocketCore::run_middleware(std::size_t index) {
  const auto& middlewares = namespace_.handlers().middlewares;
  if (index == middlewares.size()) return connect();
  const auto next = std::make_shared<NextTarget>(weak_from_this(), index, namespace_.server().shard_link());
  const bool returned =
      call_application(stats(), "middleware of", namespace_.name(), [&] { middlewares[index](face_, Next(next)); });
  // Fails closed. Where it had answered before it threw, its answer stands.
  if (!returned) next->resume(ConnectError{"Internal server error", nullptr});
}

void SocketCore::resume(std::size_t index, std::optional<ConnectError> error) {
  if (state_ != State::connecting) return;
  if (!error) return run_middleware(index + 1);
  refuse(*error);
}

void SocketCore::refuse(const ConnectError& error) {
  const auto keep = shared_from_this();
  stats().connect_errors.add();
  client_.send_connect_error(namespace_.name(), error);
  client_.forget(*this);
  end(DisconnectReason::server_namespace_disconnect);
}

// The socket's own id is a room like others: the client hears of its connection when messages to it arrive.
void SocketCore::connect() {
  if (attempt_) return stream_ ? take_stream_session() : take_session();
  namespace_.open_own_room(*this, [weak = weak_from_this()] {
    if (const auto socket = weak.lock()) socket->finish_connect();
  });
}

void SocketCore::finish_connect() {
  if (state_ != State::connecting) return;
  const auto keep = shared_from_this();
  if (attempt_ && !replay()) return start_afresh();
  state_ = State::connected;
  namespace_.add(*this);
  client_.connected();
  open_session();
  const std::string_view pid = stream_ ? std::string_view(stream_->pid) : std::string_view();
  client_.send_connect(*this, recovery_ ? recovery_->pid() : pid);
  tell_connected();
}

void SocketCore::tell_connected() {
  watch();
  for (const ConnectionHandler& handler : namespace_.handlers().connection_handlers) {
    if (state_ != State::connected) break;
    call_application(stats(), "connection to", namespace_.name(), [&] { handler(face_); });
  }
}

// --- packets ---

void SocketCore::on_ack(IncomingPacket& packet) {
  stats().acks_received.add();
  if (!packet.id) return;
  if (*packet.id >= broadcast_ack_id_min) {
    settle_broadcast(*packet.id, packet.args);
  } else {
    settle_ack(*packet.id, AckResult(std::move(packet.args)));
  }
}

// --- to the client ---

void SocketCore::emit(std::string_view event, const Args& args, const BroadcastFlags& flags) {
  check_event(event, args);
  if (is_over()) return;  // the connection may still be there, for other namespaces
  if (watches_outgoing()) tell_outgoing(event, args);
  if (stream_) return emit_by_stream(event, args, flags);
  const ServerCore& server = namespace_.server();
  if (!server.format().offsets) return transmit(encode_event(server.format(), namespace_.name(), event, args), flags);
  if (flags.is_volatile || !recovery_) return transmit(encode_unkept(event, args), flags);
  const RecoveryOffset offset = recovery_->next(server.cursor());
  auto frames = encode_event(server.format(), namespace_.name(), event, args, to_string(offset));
  transmit(frames, flags);
  recovery_->keep(offset, std::move(frames));
}

engineio::FramesPtr SocketCore::encode_unkept(std::string_view event, const Args& args) const {
  const ServerCore& server = namespace_.server();
  if (!server.format().offsets) return encode_event(server.format(), namespace_.name(), event, args);
  const RecoveryOffset offset = recovery_ ? recovery_->current(server.cursor()) : RecoveryOffset{server.cursor(), 0};
  return encode_event(server.format(), namespace_.name(), event, args, to_string(offset));
}

void SocketCore::emit_unkept(std::string_view event, const Args& args) {
  check_event(event, args);
  if (is_over()) return;
  if (watches_outgoing()) tell_outgoing(event, args);
  if (stream_) {
    Broadcast message;
    message.name_space = namespace_.name();
    set_event(namespace_.server().format(), message, event, args);
    hold_behind(message.frames, false, message.offset_at);
    return send_held();
  }
  send(encode_unkept(event, args));
}

void SocketCore::transmit(const engineio::FramesPtr& frames, const BroadcastFlags& flags) {
  const auto sent = flags.compress ? frames : engineio::Frames::without_compression(*frames);
  if (flags.is_volatile) {
    send_volatile(sent);
  } else {
    send(sent);
  }
}

void SocketCore::emit_with_ack(std::string_view event, const Args& args, AckHandler handler, Milliseconds timeout) {
  check_event(event, args);
  if (watches_outgoing()) tell_outgoing(event, args);
  if (is_over()) {
    const AckResult gone = std::unexpected(AckError::disconnected);
    if (handler) call_application(stats(), "the answer to", event, [&] { handler(gone); });
    return;
  }
  const std::uint64_t id = take_ack_id();
  auto pending = std::make_unique<PendingAck>(*this, id, event, std::move(handler));
  ServerCore& server = namespace_.server();
  if (timeout > Milliseconds::zero()) server.surroundings().timers.set(*pending, server.now() + timeout);
  pending_acks_.emplace(id, std::move(pending));
  send(encode_event(server.format(), namespace_.name(), event, args, id));
  if (pending_acks_.size() > server.options().pending_acks_per_socket_max) give_up_oldest_ack();
}

// Ids are given in turn, so the oldest is the next one there is from where it was last time.
void SocketCore::give_up_oldest_ack() {
  while (!pending_acks_.contains(oldest_ack_id_)) oldest_ack_id_ = (oldest_ack_id_ + 1) % broadcast_ack_id_min;
  stats().acks_given_up.add();
  settle_ack(oldest_ack_id_, std::unexpected(AckError::timeout));
}

std::uint64_t SocketCore::take_ack_id() {
  std::uint64_t id = 0;
  do {
    id = next_ack_id_++ % broadcast_ack_id_min;
  } while (pending_acks_.contains(id));
  return id;
}

void SocketCore::await_answer(std::shared_ptr<BroadcastAnswers> answers, std::size_t place) {
  awaited_answers_.push_back({std::move(answers), place});
}

void SocketCore::forget_answer(const BroadcastAnswers& answers) {
  std::erase_if(awaited_answers_, [&](const AwaitedAnswer& entry) { return entry.answers.get() == &answers; });
}

void SocketCore::settle_broadcast(std::uint64_t id, const Args& args) {
  const auto found = std::find_if(awaited_answers_.begin(), awaited_answers_.end(),
                                  [&](const AwaitedAnswer& entry) { return entry.answers->id() == id; });
  if (found == awaited_answers_.end()) return;  // unknown, or answered before
  const auto keep = shared_from_this();
  const AwaitedAnswer entry = std::move(*found);
  awaited_answers_.erase(found);
  entry.answers->answered(entry.place, args);
}

void SocketCore::settle_ack(std::uint64_t id, const AckResult& result) {
  const auto found = pending_acks_.find(id);
  if (found == pending_acks_.end()) return;  // unknown, or answered before
  const auto keep = shared_from_this();
  const auto pending = std::move(found->second);
  pending_acks_.erase(found);
  call_application(stats(), "the answer to", pending->event, [&] {
    if (pending->handler) pending->handler(result);
  });
}

// --- the application's calls ---

bool SocketCore::join(std::string_view room, std::function<void()> done) {
  if (is_over()) return true;
  Task task;
  if (done) {
    task = [weak = weak_from_this(), done = std::move(done)] {
      const auto socket = weak.lock();
      if (!socket || socket->is_over()) return;
      call_application(socket->stats(), "a join in", socket->name_space().name(), done);
    };
  }
  return namespace_.join(*this, room, std::move(task));
}

void SocketCore::leave(std::string_view room) { namespace_.leave(*this, room); }

std::vector<std::string> SocketCore::rooms() const {
  std::vector<std::string> names{id_};
  for (const Membership& membership : memberships_) names.push_back(membership.room->name());
  return names;
}

void SocketCore::on_disconnect(std::function<void(DisconnectReason)> handler) {
  disconnect_handlers_.push_back(std::move(handler));
}

void SocketCore::disconnect(bool close) {
  if (state_ == State::disconnected) return;
  if (close) return client_.disconnect();
  if (state_ == State::disconnecting) return;
  // In middleware: the client must not wait for an answer that never comes.
  if (state_ == State::connecting) return refuse({"Disconnected by the server", nullptr});
  const auto keep = shared_from_this();
  send(encode_control(namespace_.server().format(), PacketType::disconnect, namespace_.name()));
  send_all_held();
  client_.forget(*this);
  end(DisconnectReason::server_namespace_disconnect);
}

void SocketCore::tell_disconnecting(DisconnectReason reason) {
  if (!extras_) return;
  const auto handlers = std::exchange(extras_->disconnecting_handlers, {});
  for (const auto& handler : handlers)
    call_application(stats(), "the coming disconnect from", namespace_.name(), [&] { handler(reason); });
}

void SocketCore::watch() {
  SocketWatchers* watchers = namespace_.server().surroundings().watchers;
  if (watchers != nullptr && !identity_.empty() && namespace_.name() == "/") watcher_ = watchers->watch(*this);
}

void SocketCore::end(DisconnectReason reason) {
  if (is_over()) return;
  const auto keep = shared_from_this();
  const bool was_connected = state_ == State::connected;
  if (was_connected) {
    state_ = State::disconnecting;
    tell_disconnecting(reason);
  }
  state_ = State::disconnected;
  watcher_.reset();
  while (!pending_acks_.empty()) settle_ack(pending_acks_.begin()->first, std::unexpected(AckError::disconnected));
  for (const AwaitedAnswer& entry : std::exchange(awaited_answers_, {})) entry.answers->gone(entry.place);
  if (recovery_) park(reason);
  if (stream_ && was_connected) close_stream_session(reason);
  if (attempt_ && attempt_->session) {  // the connection broke again before it was back
    ServerCore& server = namespace_.server();
    server.surroundings().recovery->store.keep(std::move(*attempt_->session), server.now());
  }
  if (was_connected || is_catching_up()) namespace_.remove(*this);
  namespace_.leave_all(*this);
  if (watches_outgoing()) namespace_.count_watchers(-1);
  // Handlers may hold what refers to this socket: all are gone with it.
  const auto extras = std::move(extras_);
  listeners_.clear();
  const auto handlers = std::exchange(disconnect_handlers_, {});  // they may add others
  if (!was_connected) return;
  for (const auto& handler : handlers)
    call_application(stats(), "disconnect from", namespace_.name(), [&] { handler(reason); });
  listeners_.clear();
  disconnect_handlers_.clear();
}

}  // namespace carillon::socketio
