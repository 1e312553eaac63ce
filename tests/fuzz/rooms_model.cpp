// Rooms and broadcasts against a model of sets: whatever sockets do, exactly those get a broadcast who are meant, once and
// in order; operators concern the same sockets; the cluster is told of exactly the rooms that are not empty; and nothing
// is left at the end.
//
//   input = setup(1) *step       ; a step is a byte that chooses, and the bytes that it needs
//
// Covers: src/socketio/rooms.cpp src/socketio/namespace_operation.cpp
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "fuzz.hpp"
#include "socketio/testing.hpp"

namespace carillon::fuzz {
namespace {

using namespace carillon::socketio;
using Names = std::set<std::string>;

constexpr std::size_t clients_max = 5;
constexpr std::size_t steps_max = 150;
const std::vector<std::string> name_spaces{"/", "/other"};

// A socket as it should be.
struct Member {
  std::string id;
  Names rooms;             // without its id
  Socket* face = nullptr;  // the real one
};

struct Client {
  std::unique_ptr<TestClient> connection;
  std::map<std::string, Member> members;  // by namespace
  std::vector<std::string> expected;      // packets that it is to get
};

class Model {
 public:
  explicit Model(std::uint8_t setup) {
    bench_.clustered = (setup & 1U) != 0;
    for (const std::string& name : name_spaces) {
      Namespace& name_space = bench_.of(name);
      if (name != "/")
        name_space.use([](Socket& socket, const Next& next) {
          socket.join("from middleware");
          next();
        });
      name_space.on_connection([this](Socket& socket) { faces_[socket.id()] = &socket; });
    }
    bench_.core();  // namespaces are complete
    clients_.resize(clients_max);
  }

  void step(Input& input) {
    const std::uint8_t choice = input.byte();
    Client& client = clients_[input.below(clients_max)];
    const std::string& name = name_spaces[choice >> 7];
    switch (choice % 14) {
      case 0:
      case 1:
        connect(client, name);
        break;
      case 2:
      case 3:
        join(client, name, room_of(input));
        break;
      case 4:
        leave(client, name, room_of(input));
        break;
      case 5:
        disconnect(client, name);
        break;
      case 6:
        hang_up(client, input.flag());
        break;
      case 7:
        stall(client);
        break;
      case 8:
      case 9:
        broadcast(client, name, input);
        break;
      case 10:
        ask(client, name, input);
        break;
      case 11:
        operate(client, name, input);
        break;
      case 12:
        disconnect_sockets(client, name, input);
        break;
      default:
        bench_.advance(Milliseconds(input.byte() * 40));
    }
    bench_.turn();
    compare();
  }

  void end() {
    for (Client& client : clients_) hang_up(client, true);
    bench_.turn();
    bench_.advance(Milliseconds(60'000));
    bench_.turn();
    bench_.expect_empty();
  }

 private:
  // --- the steps ---

  void connect(Client& client, const std::string& name) {
    if (!client.connection) client.connection = std::make_unique<TestClient>(bench_);
    if (client.members.contains(name)) return;
    compare();
    const std::string id = client.connection->connect(name);
    Member member{id, {}, faces_.at(id)};
    if (name != "/") member.rooms.insert("from middleware");
    client.members.emplace(name, std::move(member));
  }

  void join(Client& client, const std::string& name, const std::string& room) {
    Member* member = find(client, name);
    if (member == nullptr) return;
    bool done = false;
    member->face->join(room, [&] { done = true; });
    check(done, "a join is told of");
    if (room != member->id) member->rooms.insert(room);
  }

  void leave(Client& client, const std::string& name, const std::string& room) {
    Member* member = find(client, name);
    if (member == nullptr) return;
    member->face->leave(room);
    member->rooms.erase(room);
  }

  void disconnect(Client& client, const std::string& name) {
    if (find(client, name) == nullptr) return;
    client.connection->send(name == "/" ? "1" : "1" + name + ",");
    client.members.erase(name);
  }

  void hang_up(Client& client, bool clean) {
    if (!client.connection) return;
    compare();
    client.connection->hang_up(clean);
    client = {};
  }

  static void stall(Client& client) {
    if (!client.connection) return;
    engineio::FakePeer& peer = client.connection->peer;
    peer.stalled = !peer.stalled;
    if (!peer.stalled) peer.backlog = 0;
  }

  void broadcast(Client& client, const std::string& name, Input& input) {
    const Chosen chosen = choose(client, name, input);
    const std::string number = std::to_string(++number_);
    const std::string packet = "2" + (name == "/" ? "" : name + ",") + R"(["e",)" + number + "]";
    for (auto& [receiver, member] : receivers(chosen, name))
      if (!chosen.is_volatile || receiver->connection->peer.backlog_bytes() == 0) receiver->expected.push_back(packet);
    chosen.whom->emit("e", number_);
    check(bench_.node.broadcasts.back()->flags.local == chosen.local, "a local broadcast says so");
    if (canary() && chosen.rooms.size() > 1 && !chosen.except.empty()) lose_one(packet);
  }

  void ask(Client& client, const std::string& name, Input& input) {
    const Chosen chosen = choose(client, name, input);
    compare();
    const auto asked = receivers(chosen, name);
    std::optional<BroadcastAcks> acks;
    ++number_;
    chosen.whom->emit_with_ack("q", make_args(number_), [&](const BroadcastAcks& result) { acks = result; });
    check(!acks, "no answer comes before the question");
    bench_.turn();
    Names missing;
    std::size_t answers = 0;
    for (auto& [receiver, member] : asked) {
      const std::string head = name == "/" ? "" : name + ",";
      const auto packets = receiver->connection->take();
      if (packets.empty()) {
        check(chosen.is_volatile && receiver->connection->peer.backlog_bytes() > 0, "everybody is asked");
        missing.insert(member->id);
        continue;
      }
      check(packets.size() == 1 && packets[0].starts_with("2" + head) &&
                packets[0].ends_with(R"(["q",)" + std::to_string(number_) + "]"),
            "everybody is asked once");
      const std::string id = packets[0].substr(1 + head.size(), packets[0].find('[') - 1 - head.size());
      if (!input.flag()) {
        missing.insert(member->id);
        continue;
      }
      ++answers;
      receiver->connection->send("3" + head + id + "[" + std::to_string(answers) + "]");
      receiver->connection->send("3" + head + id + "[\"again\"]");
    }
    bench_.turn();
    if (!missing.empty() && !acks) bench_.advance(Milliseconds(10'000));
    bench_.turn();
    check(acks.has_value(), "a question has an end");
    check(acks->responses.size() == answers && acks->missing == missing.size(), "answers are counted");
    check(Names(acks->missing_ids.begin(), acks->missing_ids.end()) == missing, "who did not answer is named");
    for (std::size_t i = 0; i < answers; ++i)
      check(acks->responses[i][0] == Value(static_cast<std::int64_t>(i + 1)), "answers come in their order");
  }

  void operate(Client& client, const std::string& name, Input& input) {
    const Chosen chosen = choose(client, name, input);
    const auto concerned = receivers(chosen, name);
    std::optional<std::size_t> count;
    const auto done = [&](std::size_t sockets) { count = sockets; };
    const std::vector<std::string> rooms{room_of(input), room_of(input)};
    switch (input.below(3)) {
      case 0:
        chosen.whom->sockets_join(rooms, done);
        for (const auto& [receiver, member] : concerned)
          for (const std::string& room : rooms)
            if (room != member->id) member->rooms.insert(room);
        break;
      case 1:
        chosen.whom->sockets_leave(rooms, done);
        for (const auto& [receiver, member] : concerned)
          for (const std::string& room : rooms) member->rooms.erase(room);
        break;
      default:
        chosen.whom->fetch_sockets([&](const FetchedSockets& fetched) {
          const auto& sockets = fetched.sockets;
          count = sockets.size();
          for (const RemoteSocket& socket : sockets)
            check(std::ranges::any_of(concerned,
                                      [&](const auto& c) { return is(*c.second, socket.id(), socket.rooms()); }),
                  "sockets are as they are");
        });
    }
    bench_.turn();
    check(count == concerned.size(), "an operator concerns those who are meant");
  }

  void disconnect_sockets(Client& client, const std::string& name, Input& input) {
    const Chosen chosen = choose(client, name, input);
    compare();
    const bool close = input.flag();
    const auto concerned = receivers(chosen, name);
    std::optional<std::size_t> count;
    chosen.whom->disconnect_sockets(close, [&](std::size_t sockets) { count = sockets; });
    bench_.turn();
    check(count == concerned.size(), "those who are meant are disconnected");
    for (const auto& [receiver, member] : concerned) {
      const auto packets = receiver->connection->take();
      check(std::ranges::find(packets, name == "/" ? "1" : "1" + name + ",") != packets.end(), "they are told");
      receiver->members.erase(name);
      if (!close) {
        check(packets.size() == 1, "and nothing else");
        continue;
      }
      check(!receiver->connection->open(), "connections are closed");
      *receiver = {};
    }
  }

  // --- who is meant ---

  struct Chosen {
    std::optional<BroadcastOperator> whom;
    Names rooms;
    Names except;
    bool is_volatile = false;
    bool local = false;
  };

  std::string room_of(Input& input) {
    std::vector<std::string> names{"a", "b", "c", "d", "from middleware"};
    for (const Client& client : clients_)
      for (const auto& [name_space, member] : client.members) names.push_back(member.id);
    return names[input.below(names.size())];
  }

  Chosen choose(Client& client, const std::string& name, Input& input) {
    const std::uint8_t bits = input.byte();
    Chosen chosen;
    chosen.whom = bench_.of(name).everyone();
    const Member* member = find(client, name);
    if ((bits & 1U) != 0 && member != nullptr) {  // from a socket: to all but it
      chosen.whom = member->face->broadcast();
      chosen.except.insert(member->id);
    }
    for (unsigned rooms = bits >> 1 & 3U; rooms > 0; --rooms) {
      const std::string room = room_of(input);
      chosen.rooms.insert(room);
      chosen.whom = chosen.whom->to(room);
    }
    for (unsigned rooms = bits >> 3 & 3U; rooms > 0; --rooms) {
      const std::string room = room_of(input);
      chosen.except.insert(room);
      chosen.whom = chosen.whom->except(std::vector{room});
    }
    if ((chosen.is_volatile = (bits & 32U) != 0)) chosen.whom = chosen.whom->volatile_();
    if ((chosen.local = (bits & 64U) != 0)) chosen.whom = chosen.whom->local();
    if ((bits & 128U) != 0) chosen.whom = chosen.whom->compress(false);
    return chosen;
  }

  std::vector<std::pair<Client*, Member*>> receivers(const Chosen& chosen, const std::string& name) {
    std::vector<std::pair<Client*, Member*>> all;
    for (Client& client : clients_) {
      Member* member = find(client, name);
      if (member == nullptr) continue;
      const auto in = [&](const std::string& room) { return room == member->id || member->rooms.contains(room); };
      if (std::ranges::any_of(chosen.except, in)) continue;
      if (chosen.rooms.empty() || std::ranges::any_of(chosen.rooms, in)) all.emplace_back(&client, member);
    }
    return all;
  }

  static Member* find(Client& client, const std::string& name) {
    const auto found = client.members.find(name);
    return found == client.members.end() ? nullptr : &found->second;
  }

  // --- comparing ---

  static bool is(const Member& member, const std::string& id, const std::vector<std::string>& rooms) {
    Names expected = member.rooms;
    expected.insert(id);
    return member.id == id && rooms.size() == expected.size() && rooms[0] == id &&
           Names(rooms.begin(), rooms.end()) == expected;
  }

  void lose_one(const std::string& packet) {
    for (Client& client : clients_)
      if (client.connection) std::erase(client.connection->peer.messages, "4" + packet);
  }

  void compare() {
    Names open;
    for (Client& client : clients_) {
      if (!client.connection) continue;
      auto packets = client.connection->take();
      if (std::erase(packets, "2") > 0) bench_.engine().message(client.connection->peer, "3");
      check(packets == client.expected, "everybody gets what is meant for them, once and in order");
      client.expected.clear();
      for (const auto& [name, member] : client.members) {
        check(is(member, member.face->id(), member.face->rooms()), "sockets are in their rooms");
        open.insert(FakeCluster::key(name, member.id));
        for (const std::string& room : member.rooms) open.insert(FakeCluster::key(name, room));
      }
    }
    if (bench_.clustered) check(bench_.cluster.rooms == open, "the cluster knows the rooms that are not empty");
  }

  Bench bench_;
  std::map<std::string, Socket*> faces_;  // by id
  std::vector<Client> clients_;
  std::int64_t number_ = 0;
};

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  GTEST_FLAG_SET(break_on_failure, true);  // the fakes expect things, too
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon::fuzz;
  Input input(data, size);
  Model model(input.byte());
  for (std::size_t steps = 0; steps < steps_max && !input.done(); ++steps) model.step(input);
  model.end();
  return 0;
}
