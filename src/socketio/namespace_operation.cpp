#include "socketio/namespace_operation.hpp"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "socketio/namespace_core.hpp"
#include "socketio/server_core.hpp"
#include "socketio/socket_core.hpp"

namespace carillon::socketio {
namespace {

using Sockets = std::vector<std::shared_ptr<SocketCore>>;

OperationResult count_of(const Sockets& sockets) {
  OperationResult result;
  result.count = sockets.size();
  return result;
}

void fetch(NamespaceCore& name_space, const Sockets& sockets, OperationPartDone done) {
  OperationResult result = count_of(sockets);
  result.sockets.reserve(sockets.size());
  for (const auto& socket : sockets) {
    result.sockets.emplace_back(
        name_space.server().surroundings().broadcasts, name_space.name(),
        RemoteSocket::Facts{socket->id(), socket->handshake(), socket->rooms(), socket->data()});
  }
  done(std::move(result));
}

// A room that was empty here is opened by its first member; then one question per room is enough to know that all are.
void join(NamespaceCore& name_space, const Sockets& sockets, const std::vector<std::string>& rooms,
          OperationPartDone done) {
  for (const std::string& room : rooms)
    for (const auto& socket : sockets) name_space.join(*socket, room, nullptr);
  struct Countdown {
    std::size_t open;
    OperationResult result;
    OperationPartDone done;
  };
  const auto countdown = std::make_shared<Countdown>(rooms.size() + 1, count_of(sockets), std::move(done));
  const auto settle = [countdown] {
    if (--countdown->open == 0) countdown->done(std::move(countdown->result));
  };
  for (const std::string& room : rooms) name_space.await_room(room, settle);
  settle();
}

void leave(NamespaceCore& name_space, const Sockets& sockets, const std::vector<std::string>& rooms) {
  for (const std::string& room : rooms)
    for (const auto& socket : sockets) name_space.leave(*socket, room);
}

}  // namespace

void operate_on_namespace(NamespaceCore& name_space, const Operation& operation, OperationPartDone done) {
  if (operation.kind == Operation::Kind::emit_with_ack)
    return name_space.deliver_with_ack(*operation.message, operation.observer, std::move(done));
  if (operation.kind == Operation::Kind::all_rooms) {
    OperationResult result;
    result.rooms = name_space.room_names();
    return done(std::move(result));
  }
  const Sockets sockets = name_space.match(operation.whom());  // held: handlers may end any of them
  switch (operation.kind) {
    case Operation::Kind::emit_with_ack:
    case Operation::Kind::all_rooms:
      return;  // above
    case Operation::Kind::server_side_emit:
    case Operation::Kind::server_count:
      break;  // of servers, not of sockets
    case Operation::Kind::fetch:
      return fetch(name_space, sockets, std::move(done));
    case Operation::Kind::join:
      return join(name_space, sockets, operation.target_rooms, std::move(done));
    case Operation::Kind::leave:
      leave(name_space, sockets, operation.target_rooms);
      break;
    case Operation::Kind::disconnect:
      for (const auto& socket : sockets) socket->disconnect(operation.close);
      break;
  }
  done(count_of(sockets));
}

}  // namespace carillon::socketio
