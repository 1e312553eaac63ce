#include "socketio/rooms.hpp"

#include <algorithm>

#include "socketio/socket_core.hpp"

namespace carillon::socketio {
namespace {

// Searches the shorter of the two lists: a socket may be in thousands of rooms, and a room may have thousands of members.
std::size_t place_in(const SocketCore& socket, const Room& room) {
  const Memberships& memberships = socket.memberships();
  if (memberships.size() <= room.members().size()) {
    const auto found =
        std::find_if(memberships.begin(), memberships.end(), [&](const Membership& m) { return m.room == &room; });
    return static_cast<std::size_t>(found - memberships.begin());
  }
  for (const Room::Member& member : room.members())
    if (member.socket == &socket) return member.place;
  return memberships.size();
}

}  // namespace

std::vector<std::string> Rooms::names() const {
  std::vector<std::string> names;
  names.reserve(rooms_.size());
  for (const auto& [name, room] : rooms_) names.emplace_back(name);
  return names;
}

const Room* Rooms::find(std::string_view room) const {
  const auto found = rooms_.find(room);
  return found == rooms_.end() ? nullptr : found->second.get();
}

bool Rooms::contains(const SocketCore& socket, std::string_view room) const {
  const Room* found = find(room);
  return found != nullptr && place_in(socket, *found) < socket.memberships().size();
}

Rooms::Joined Rooms::join(SocketCore& socket, std::string_view name) {
  auto found = rooms_.find(name);
  const bool opened = found == rooms_.end();
  if (opened) {
    auto room = std::make_unique<Room>(std::string(name));
    const std::string_view key = room->name();
    found = rooms_.emplace(key, std::move(room)).first;
  }
  Room& room = *found->second;
  Memberships& memberships = socket.memberships();
  if (!opened && place_in(socket, room) < memberships.size()) return Joined::already;
  memberships.push_back({&room, static_cast<std::uint32_t>(room.members_.size())});
  room.members_.push_back({&socket, static_cast<std::uint32_t>(memberships.size() - 1)});
  return opened ? Joined::opened : Joined::added;
}

// Both sides fill the gap with their last entry and tell the other side where it went.
void Rooms::remove(SocketCore& socket, std::size_t place) {
  Memberships& memberships = socket.memberships();
  const Membership gone = memberships[place];
  auto& members = gone.room->members_;
  if (gone.place + 1 != members.size()) {
    members[gone.place] = members.back();
    members[gone.place].socket->memberships()[members[gone.place].place].place = gone.place;
  }
  members.pop_back();
  if (place + 1 != memberships.size()) {
    memberships[place] = memberships.back();
    memberships[place].room->members_[memberships[place].place].place = static_cast<std::uint32_t>(place);
  }
  memberships.pop_back();
}

Rooms::Left Rooms::leave(SocketCore& socket, std::string_view name) {
  const auto found = rooms_.find(name);
  if (found == rooms_.end()) return Left::no_member;
  const std::size_t place = place_in(socket, *found->second);
  if (place == socket.memberships().size()) return Left::no_member;
  remove(socket, place);
  if (!found->second->members_.empty()) return Left::left;
  rooms_.erase(found);
  return Left::closed;
}

std::vector<std::string> Rooms::leave_all(SocketCore& socket) {
  std::vector<std::string> gone;
  while (!socket.memberships().empty()) {
    Room& room = *socket.memberships().back().room;
    remove(socket, socket.memberships().size() - 1);
    if (!room.members().empty()) continue;
    gone.push_back(room.name());
    rooms_.erase(rooms_.find(gone.back()));
  }
  socket.memberships() = {};
  return gone;
}

}  // namespace carillon::socketio
