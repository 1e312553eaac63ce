// Who is in which room, on one shard: the in-memory adapter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/text_hash.hpp"

namespace carillon::socketio {

class SocketCore;

class Room {
 public:
  struct Member {
    SocketCore* socket;
    std::uint32_t place;  // of the room in the socket's memberships
  };
  explicit Room(std::string name) : name_(std::move(name)) {}
  const std::string& name() const { return name_; }
  const std::vector<Member>& members() const { return members_; }

 private:
  friend class Rooms;
  std::string name_;
  std::vector<Member> members_;
};

// A socket's side of the relation; lives in the socket.
struct Membership {
  Room* room;
  std::uint32_t place;  // of the socket in the room's members
};
using Memberships = std::vector<Membership>;

// Joining and leaving take constant time, apart from the look-up of the name. Owned by one shard, one per namespace.
class Rooms {
 public:
  enum class Joined { opened, added, already };  // opened: the socket is the room's first member here

  Joined join(SocketCore& socket, std::string_view room);
  enum class Left { no_member, left, closed };  // closed: it was the last one here, the room is gone
  Left leave(SocketCore& socket, std::string_view room);
  // Leaves all; the names of the rooms that are gone.
  std::vector<std::string> leave_all(SocketCore& socket);

  const Room* find(std::string_view room) const;
  std::vector<std::string> names() const;
  bool contains(const SocketCore& socket, std::string_view room) const;
  std::size_t size() const { return rooms_.size(); }

 private:
  void remove(SocketCore& socket, std::size_t place);

  std::unordered_map<std::string_view, std::unique_ptr<Room>, TextHash, std::equal_to<>> rooms_;  // keyed by own name
};

}  // namespace carillon::socketio
