#include "socketio/rooms.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "socketio/client.hpp"
#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

// Rooms beside a model that cannot be wrong.
class RoomsTest : public ::testing::Test {
 protected:
  RoomsTest() {
    const std::string sid = bench.engine().open_polling();
    auto& client = static_cast<Client&>(*bench.engine().engine.find(sid)->attachment);
    for (int i = 0; i < 40; ++i)
      sockets.push_back(std::make_shared<SocketCore>(client, *bench.core().find_namespace("/"),
                                                     "id" + std::to_string(i), Value(Object{})));
  }

  void join(SocketCore& socket, const std::string& room) {
    auto& members = model[room];
    const auto expected = members.empty()             ? Rooms::Joined::opened
                          : members.contains(&socket) ? Rooms::Joined::already
                                                      : Rooms::Joined::added;
    members.insert(&socket);
    EXPECT_EQ(rooms.join(socket, room), expected);
  }
  void leave(SocketCore& socket, const std::string& room) {
    const auto found = model.find(room);
    Rooms::Left expected = Rooms::Left::no_member;
    if (found != model.end() && found->second.erase(&socket) > 0)
      expected = found->second.empty() ? Rooms::Left::closed : Rooms::Left::left;
    if (expected == Rooms::Left::closed) model.erase(found);
    EXPECT_EQ(rooms.leave(socket, room), expected);
  }
  void leave_all(SocketCore& socket) {
    std::set<std::string> expected;
    for (auto entry = model.begin(); entry != model.end();) {
      entry->second.erase(&socket);
      if (entry->second.empty()) expected.insert(entry->first);
      entry = entry->second.empty() ? model.erase(entry) : std::next(entry);
    }
    const auto gone = rooms.leave_all(socket);
    EXPECT_EQ(std::set<std::string>(gone.begin(), gone.end()), expected);
    EXPECT_EQ(gone.size(), expected.size());
    EXPECT_TRUE(socket.memberships().empty());
  }
  // Both sides of the relation, and the places by which they know each other.
  void expect_same() {
    ASSERT_EQ(rooms.size(), model.size());
    for (const auto& [name, members] : model) {
      const Room* room = rooms.find(name);
      ASSERT_NE(room, nullptr) << name;
      EXPECT_EQ(room->name(), name);
      std::set<SocketCore*> found;
      for (std::size_t place = 0; place < room->members().size(); ++place) {
        const Room::Member& member = room->members()[place];
        found.insert(member.socket);
        ASSERT_LT(member.place, member.socket->memberships().size());
        EXPECT_EQ(member.socket->memberships()[member.place].room, room);
        EXPECT_EQ(member.socket->memberships()[member.place].place, place);
      }
      EXPECT_EQ(found, members);
      EXPECT_EQ(room->members().size(), members.size());
    }
    std::size_t of_sockets = 0;
    std::size_t of_rooms = 0;
    for (const auto& socket : sockets) of_sockets += socket->memberships().size();
    for (const auto& [name, members] : model) of_rooms += members.size();
    EXPECT_EQ(of_sockets, of_rooms);
  }

  Bench bench;
  std::vector<std::shared_ptr<SocketCore>> sockets;
  Rooms rooms;
  std::map<std::string, std::set<SocketCore*>> model;
};

TEST_F(RoomsTest, OpenWithTheFirstMemberAndGoWithTheLast) {
  join(*sockets[0], "a");
  join(*sockets[0], "a");
  join(*sockets[1], "a");
  leave(*sockets[0], "a");
  leave(*sockets[0], "a");
  leave(*sockets[2], "b");
  leave(*sockets[1], "a");
  EXPECT_EQ(rooms.size(), 0U);
  EXPECT_EQ(rooms.find("a"), nullptr);
}

TEST_F(RoomsTest, NamesAreBytes) {
  for (const std::string& name :
       {std::string(), std::string("a\0b", 3), std::string(1'024, 'x'), std::string("🔔*?[]#{}")})
    join(*sockets[0], name);
  EXPECT_EQ(rooms.size(), 4U);
  EXPECT_EQ(rooms.find("a"), nullptr);
  expect_same();
  leave_all(*sockets[0]);
  expect_same();
}

TEST_F(RoomsTest, BehaveAsTheirModelWhateverHappens) {
  std::mt19937 random(7);
  const auto below = [&](unsigned bound) { return static_cast<unsigned>(random() % bound); };
  for (int step = 0; step < 20'000; ++step) {
    // Rooms of all sizes: a socket in many small ones, and some that hold everybody.
    const std::string room = "r" + std::to_string(below(below(2) == 0 ? 3 : 60));
    SocketCore& socket = *sockets[below(static_cast<unsigned>(sockets.size()))];
    const unsigned what = below(100);
    if (what < 60) {
      join(socket, room);
    } else if (what < 98) {
      leave(socket, room);
    } else {
      leave_all(socket);
    }
    if (step % 100 == 0) expect_same();
    if (HasFailure()) return;
  }
  for (const auto& socket : sockets) leave_all(*socket);
  EXPECT_EQ(rooms.size(), 0U);
  EXPECT_TRUE(model.empty());
}

}  // namespace
}  // namespace carillon::socketio
