// A namespace on one shard: its sockets, its rooms, its fan-out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/task.hpp"
#include "base/text_hash.hpp"
#include "socketio/broadcast.hpp"
#include "socketio/namespace_handlers.hpp"
#include "socketio/rooms.hpp"

namespace carillon::socketio {

class ServerCore;

// Owned by one shard.
class NamespaceCore {
 public:
  enum class Kind : std::uint8_t { fixed, child };
  NamespaceCore(ServerCore& server, std::string name, std::shared_ptr<const NamespaceHandlers> handlers, Kind kind);

  const std::string& name() const { return name_; }
  ServerCore& server() const { return server_; }
  const NamespaceHandlers& handlers() const { return *handlers_; }

  // A socket of this namespace has been made, or destroyed.
  void attach() { ++population_; }
  void detach();
  // A child that nobody needs any more.
  bool is_unused() const { return kind_ == Kind::child && population_ == 0 && is_empty(); }

  // Sends to the matching sockets of this shard, each at most once.
  void deliver(const Broadcast& message);
  // They get it when its place in the stream is known: appends them to `receivers`.
  void hold(const Broadcast& message, std::vector<std::weak_ptr<SocketCore>>& receivers);
  // The same, and waits for what they answer. `done` may be called before this returns: when nobody is there.
  // With an observer the answers go to it.
  void deliver_with_ack(const Broadcast& message, std::shared_ptr<AckObserver> observer, OperationPartDone done);

  // Sockets come or go that want to know what is sent to them.
  void count_watchers(int difference) { watchers_ += difference; }

  // Those that somebody here is in; a socket's id is one.
  std::vector<std::string> room_names() const;

  // The connected sockets that are meant.
  std::vector<std::shared_ptr<SocketCore>> match(const Selection& whom);

  void add(SocketCore& socket);  // it is connected now and gets broadcasts
  void remove(SocketCore& socket);
  // False: the socket is in as many rooms as it may.
  bool join(SocketCore& socket, std::string_view room, Task done);
  void leave(SocketCore& socket, std::string_view room);
  // Runs `done` when messages of other nodes for the room arrive here; at once if nobody here is in it.
  void await_room(std::string_view room, Task done);
  // Leaves all rooms and the room of its own id.
  void leave_all(SocketCore& socket);
  // Makes the socket reachable by its id, cluster-wide once `done` runs.
  void open_own_room(SocketCore& socket, Task done);

  // Keeps messages for these rooms coming to this node until the last copy of what is given is gone, on any thread: for
  // sessions that wait for their client. Nothing without a cluster.
  std::shared_ptr<void> hold(std::vector<std::string> rooms);

  const std::vector<SocketCore*>& sockets() const { return sockets_; }
  SocketCore* find_socket(std::string_view id) const;
  // Neither sockets, connected or not, nor rooms, nor any that are held.
  bool is_empty() const { return sockets_.empty() && by_id_.empty() && rooms_.size() == 0 && held_.empty(); }

 private:
  void refuse_join(const SocketCore& socket);
  // Tells the cluster, unless there is still a room or a socket of that name.
  void close_unless_used(std::string_view room);
  void release(const std::vector<std::string>& rooms);

  void tell_watchers(const Broadcast& message);

  // Visits the connected sockets that are meant, each once. The visitor leaves rooms and sockets as they are.
  // `also_catching_up`: those that come back, too, which are in their rooms before they are connected.
  template <class Visitor>
  void for_each_match(const Selection& whom, Visitor visit, bool also_catching_up = false);
  template <class Visitor>
  void for_each_in(const std::string& room, Visitor visit);

  ServerCore& server_;
  std::string name_;
  std::shared_ptr<const NamespaceHandlers> handlers_;
  Rooms rooms_;
  std::vector<SocketCore*> sockets_;  // connected ones
  std::unordered_map<std::string_view, SocketCore*, TextHash, std::equal_to<>> by_id_;
  std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> held_;  // by how many
  std::uint64_t mark_ = 0;
  std::int64_t watchers_ = 0;
  std::size_t population_ = 0;  // sockets, in whatever state
  Kind kind_;
};

}  // namespace carillon::socketio
