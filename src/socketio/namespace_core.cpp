#include "socketio/namespace_core.hpp"

#include <utility>

#include "base/log.hpp"
#include "socketio/broadcast_answers.hpp"
#include "socketio/server_core.hpp"
#include "socketio/socket_core.hpp"

namespace carillon::socketio {

NamespaceCore::NamespaceCore(ServerCore& server, std::string name, std::shared_ptr<const NamespaceHandlers> handlers,
                             Kind kind)
    : server_(server), name_(std::move(name)), handlers_(std::move(handlers)), kind_(kind) {}

void NamespaceCore::detach() {
  --population_;
  if (is_unused()) server_.forget_later(name_);
}

SocketCore* NamespaceCore::find_socket(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

// A socket's id is a room with one member, which needs no entry in rooms_.
template <class Visitor>
void NamespaceCore::for_each_in(const std::string& room, Visitor visit) {
  if (SocketCore* socket = find_socket(room)) visit(*socket);
  if (const Room* found = rooms_.find(room))
    for (const Room::Member& member : found->members()) visit(*member.socket);
}

template <class Visitor>
void NamespaceCore::for_each_match(const Selection& whom, Visitor visit, bool also_catching_up) {
  const std::uint64_t mark = ++mark_;
  const auto visit_once = [&](SocketCore& socket) {
    if (socket.mark_ == mark) return;
    socket.mark_ = mark;
    if (socket.state_ == SocketCore::State::connected || (also_catching_up && socket.is_catching_up())) visit(socket);
  };
  for (const std::string& room : whom.except) for_each_in(room, [&](SocketCore& socket) { socket.mark_ = mark; });
  if (whom.rooms.empty()) {
    for (SocketCore* socket : sockets_) visit_once(*socket);
  } else {
    for (const std::string& room : whom.rooms) for_each_in(room, visit_once);
  }
}

// Before anything is sent, since the application may do what it likes.
void NamespaceCore::tell_watchers(const Broadcast& message) {
  std::vector<std::shared_ptr<SocketCore>> watchers;
  for_each_match(message, [&](SocketCore& socket) {
    if (socket.watches_outgoing()) watchers.push_back(socket.shared_from_this());
  });
  if (watchers.empty()) return;
  const BroadcastEvent event = event_of(server_.format(), message);
  for (const auto& socket : watchers) socket->tell_outgoing(event.name, event.args);
}

// The hot path: one pass over the receivers, no allocation, nothing encoded. Sessions queue a reference each and write
// at the end of the turn; none of them calls back from here.
void NamespaceCore::deliver(const Broadcast& message) {
  if (watchers_ > 0) tell_watchers(message);
  std::uint64_t delivered = 0;
  const auto deliver_to = [&](SocketCore& socket) {
    if (socket.deliver(message)) ++delivered;
  };
  for_each_match(message, deliver_to, true);
  server_.stats().broadcasts.add();
  server_.stats().deliveries.add(delivered);
}

void NamespaceCore::hold(const Broadcast& message, std::vector<std::weak_ptr<SocketCore>>& receivers) {
  if (watchers_ > 0) tell_watchers(message);
  const auto hold_for = [&](SocketCore& socket) {
    socket.hold(message);
    receivers.push_back(socket.weak_from_this());
  };
  for_each_match(message, hold_for, true);
  server_.stats().broadcasts.add();
  server_.stats().deliveries.add(receivers.size());
}

void NamespaceCore::deliver_with_ack(const Broadcast& message, std::shared_ptr<AckObserver> observer,
                                     OperationPartDone done) {
  if (watchers_ > 0) tell_watchers(message);
  std::uint64_t delivered = 0;
  const auto answers = std::make_shared<BroadcastAnswers>(
      server_, *message.ack_id, std::move(observer),
      [done = std::move(done)](BroadcastAcks acks) mutable { done(OperationResult{std::move(acks)}); });
  for_each_match(message, [&](SocketCore& socket) {
    if (message.flags.is_volatile) {
      if (!socket.send_volatile(message.frames)) return answers->missed(socket);
    } else {
      socket.send(message.frames);
    }
    ++delivered;
    answers->expect(socket);
  });
  server_.stats().broadcasts.add();
  server_.stats().deliveries.add(delivered);
  const Milliseconds timeout = message.flags.timeout;
  answers->start(timeout > Milliseconds::zero() ? timeout : server_.options().broadcast_ack_timeout);
}

std::vector<std::string> NamespaceCore::room_names() const {
  std::vector<std::string> names = rooms_.names();
  for (const SocketCore* socket : sockets_) names.push_back(socket->id());
  return names;
}

std::vector<std::shared_ptr<SocketCore>> NamespaceCore::match(const Selection& whom) {
  std::vector<std::shared_ptr<SocketCore>> sockets;
  for_each_match(whom, [&](SocketCore& socket) { sockets.push_back(socket.shared_from_this()); });
  return sockets;
}

void NamespaceCore::add(SocketCore& socket) {
  socket.place_ = static_cast<std::uint32_t>(sockets_.size());
  sockets_.push_back(&socket);
  server_.stats().sockets.add(1);
  server_.stats().connects.add();
}

void NamespaceCore::remove(SocketCore& socket) {
  sockets_[socket.place_] = sockets_.back();
  sockets_[socket.place_]->place_ = socket.place_;
  sockets_.pop_back();
  server_.stats().sockets.add(-1);
}

bool NamespaceCore::join(SocketCore& socket, std::string_view room, Task done) {
  ClusterPort* cluster = server_.surroundings().cluster;
  if (room == socket.id()) {
    if (done) done();
    return true;
  }
  if (socket.memberships().size() >= server_.options().rooms_per_socket_max && !rooms_.contains(socket, room)) {
    refuse_join(socket);
    return false;
  }
  const Rooms::Joined joined = rooms_.join(socket, room);
  if (joined != Rooms::Joined::already) socket.note_joined(room);
  if (joined == Rooms::Joined::opened) server_.stats().rooms.add(1);
  if (cluster == nullptr) {
    if (done) done();
  } else if (joined == Rooms::Joined::opened && find_socket(room) == nullptr && !held_.contains(room)) {
    cluster->open_room(name_, room, std::move(done));
  } else if (done) {
    cluster->await_room(name_, room, std::move(done));
  }
  return true;
}

void NamespaceCore::refuse_join(const SocketCore& socket) {
  server_.stats().joins_refused.add();
  if (server_.stats().joins_refused.value() == 1)
    log_warn("socket " + socket.id() + " in namespace '" + name_ +
             "' was refused a room: it is in limits.rooms_per_socket_max of them. Further ones are only counted.");
}

void NamespaceCore::leave(SocketCore& socket, std::string_view room) {
  const Rooms::Left left = rooms_.leave(socket, room);
  if (left != Rooms::Left::no_member) socket.note_left(room);
  if (left != Rooms::Left::closed) return;
  server_.stats().rooms.add(-1);
  close_unless_used(room);
}

void NamespaceCore::await_room(std::string_view room, Task done) {
  ClusterPort* cluster = server_.surroundings().cluster;
  if (cluster == nullptr || (find_socket(room) == nullptr && rooms_.find(room) == nullptr)) return done();
  cluster->await_room(name_, room, std::move(done));
}

void NamespaceCore::open_own_room(SocketCore& socket, Task done) {
  by_id_.emplace(socket.id(), &socket);
  ClusterPort* cluster = server_.surroundings().cluster;
  if (cluster == nullptr) return done();
  if (rooms_.find(socket.id()) != nullptr || held_.contains(socket.id()))
    return cluster->await_room(name_, socket.id(), std::move(done));
  cluster->open_room(name_, socket.id(), std::move(done));
}

void NamespaceCore::leave_all(SocketCore& socket) {
  // Whoever asks to come back has the id of a socket that may still be there.
  const auto own = by_id_.find(socket.id());
  const bool had_own_room = own != by_id_.end() && own->second == &socket;
  if (had_own_room) by_id_.erase(own);
  const auto gone = rooms_.leave_all(socket);
  server_.stats().rooms.add(-static_cast<std::int64_t>(gone.size()));
  for (const std::string& room : gone) close_unless_used(room);
  if (had_own_room) close_unless_used(socket.id());
}

// Others may have joined a room that is called like a socket: to the cluster both are one.
void NamespaceCore::close_unless_used(std::string_view room) {
  ClusterPort* cluster = server_.surroundings().cluster;
  if (cluster != nullptr && find_socket(room) == nullptr && rooms_.find(room) == nullptr && !held_.contains(room))
    cluster->close_room(name_, room);
}

std::shared_ptr<void> NamespaceCore::hold(std::vector<std::string> rooms) {
  if (server_.surroundings().cluster == nullptr) return nullptr;
  for (const std::string& room : rooms) ++held_[room];
  ShardPort& shard = server_.surroundings().shard;
  const auto let_go = [this, &shard](std::vector<std::string>* held) {
    shard.post([this, held = std::unique_ptr<std::vector<std::string>>(held)] { release(*held); });
  };
  return {new std::vector<std::string>(std::move(rooms)), let_go};
}

void NamespaceCore::release(const std::vector<std::string>& rooms) {
  for (const std::string& room : rooms) {
    const auto found = held_.find(room);
    if (--found->second > 0) continue;
    held_.erase(found);
    close_unless_used(room);
  }
  if (is_unused()) server_.forget_later(name_);
}

}  // namespace carillon::socketio
