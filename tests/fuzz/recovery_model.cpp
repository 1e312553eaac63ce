// Connection state recovery against a model: connections break where they like, unnoticed too, and clients come back with
// the last offset that they have seen or an earlier one. Who is recovered has got every event that is not volatile
// exactly once and in order; who cannot be has a new session and nothing of the old one. Nobody is refused without a
// reason: see must_recover().
//
//   input = setup(1) *step       ; a step is a byte that chooses, a byte for the client, and the bytes that it needs
//
// Covers: src/socketio/recovery_log.cpp src/socketio/recovery_state.cpp
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
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

constexpr std::size_t clients_max = 3;
constexpr std::size_t steps_max = 400;
constexpr Milliseconds session_age{120'000};  // as the bench has it
constexpr Milliseconds event_age{165'000};
constexpr std::size_t changes_max = 200;  // that a session remembers
const std::vector<std::string> room_names{"a", "b", "c"};

struct Client;

// How far a session is, for who has an offset: so many events of its history, as of then.
struct Mark {
  std::size_t had = 0;
  TimePoint at;
};

// What a client reads from its connection.
struct Message {
  enum class Kind { event, ping, connect };
  Kind kind;
  std::string offset;                     // of an event
  std::optional<std::size_t> place = {};  // of an event in the history; none: volatile
  Mark mark = {};                         // of an event or a ping: what who has got it has had
};

// A session as the server should see it.
struct Session {
  std::string sid;
  std::string pid;
  std::set<std::string> rooms;
  std::size_t changes = 0;              // of rooms
  std::vector<int> history;             // numbers of its events that are not volatile
  std::map<std::string, Mark> offsets;  // that were sent
  Mark proven;                          // by a pong, or by its beginning
  Socket* face = nullptr;               // while the server believes it connected
  engineio::FakePeer* peer = nullptr;   // its connection then
  Client* reader = nullptr;             // who reads from that, or nobody
  std::deque<int> due;                  // events that are to be written there now; volatile ones are negative
  TimePoint lost_at;                    // since when it has no connection
  bool over = false;                    // left by somebody's will, or gone
};

struct Client {
  std::shared_ptr<Session> known;    // as it has been told
  std::shared_ptr<Session> current;  // of its connection
  std::unique_ptr<TestClient> connection;
  std::deque<Message> unread;
  std::string offset;                    // of its last event
  std::size_t had = 0;                   // of the known session's history
  std::vector<std::string> old_offsets;  // of that session
};

class Model {
 public:
  explicit Model(std::uint8_t setup) : generous_((setup & 1U) == 0) {
    bench_.recovers = true;
    bench_.clustered = (setup & 2U) != 0;
    if (!generous_) {
      bench_.log_limits.bytes_max = 3'000;
      bench_.recovery_rules.session_bytes_max = 400;
      bench_.store_limits.sessions_max = 2;
    }
    bench_.root().on_connection([this](Socket& socket) {
      opened_ = &socket;
      socket.on_disconnect([this, id = socket.id()](DisconnectReason reason) { closed(id, reason); });
    });
    bench_.core();
    clients_.resize(clients_max);
  }
  ~Model() { ending_ = true; }

  void step(Input& input) {
    const std::uint8_t choice = input.byte();
    Client& client = clients_[input.below(clients_max)];
    switch (choice % 16) {
      case 0:
      case 1:
      case 2:
        broadcast(client, input, (choice & 16U) != 0);
        break;
      case 3:
      case 4:
        emit(client, (choice & 16U) != 0);
        break;
      case 5:
        change_rooms(client, input);
        break;
      case 6:
      case 7:
      case 8:
        read(client, input.below(8));
        break;
      case 9:
        lose(client, input.flag());
        break;
      case 10:
        abandon(client);
        break;
      case 11:
      case 12:
        come_back(client, client.offset);
        break;
      case 13:
        come_back(client, earlier_offset(client, input));
        break;
      case 14:
        advance(Milliseconds(input.byte() * 200));
        break;
      default:
        rare(client, input);
    }
    settle();
  }

  void end() {
    for (Client& client : clients_) lose(client, true);
    for (int i = 0; i < 20; ++i) advance(Milliseconds(20'000));
    bench_.expect_empty();
    check(bench_.store().stored_count() == 0 && bench_.log().bytes() == 0, "nothing is kept for ever");
  }

 private:
  // --- the server's side ---

  std::vector<std::shared_ptr<Session>> living() const {
    std::vector<std::shared_ptr<Session>> all;
    for (const auto& session : sessions_)
      if (!session->over) all.push_back(session);
    return all;
  }

  void due(Session& session, int number, bool is_volatile) {
    if (!is_volatile) session.history.push_back(number);
    if (session.face != nullptr) session.due.push_back(is_volatile ? -number : number);
  }

  void broadcast(Client& client, Input& input, bool is_volatile) {
    const std::uint8_t bits = input.byte();
    BroadcastOperator whom = bench_.root().everyone();
    std::set<std::string> rooms;
    std::set<std::string> except;
    for (std::size_t i = 0; i < room_names.size(); ++i) {
      if ((bits >> i & 1U) != 0) rooms.insert(room_names[i]);
      if ((bits >> (i + 3) & 1U) != 0) except.insert(room_names[i]);
    }
    if ((bits & 64U) != 0 && client.known) rooms.insert(client.known->sid);
    if ((bits & 128U) != 0 && client.known) except.insert(client.known->sid);
    for (const std::string& room : rooms) whom = whom.to(room);
    for (const std::string& room : except) whom = whom.except(room);
    if (is_volatile) whom = whom.volatile_();
    ++number_;
    for (const auto& session : living()) {
      const auto in = [&](const std::string& room) { return room == session->sid || session->rooms.contains(room); };
      if (std::ranges::any_of(except, in)) continue;
      if (rooms.empty() || std::ranges::any_of(rooms, in)) due(*session, number_, is_volatile);
    }
    whom.emit("e", number_);
    check(bench_.log().head() == ++broadcasts_, "every broadcast has its place in the log");
  }

  void emit(Client& client, bool is_volatile) {
    if (!client.current || client.current->face == nullptr) return;
    ++number_;
    due(*client.current, number_, is_volatile);
    if (is_volatile) {
      client.current->face->emit_volatile("e", make_args(number_));
    } else {
      client.current->face->emit("e", number_);
    }
  }

  void change_rooms(Client& client, Input& input) {
    if (!client.current || client.current->face == nullptr) return;
    const std::string& room = room_names[input.below(room_names.size())];
    ++client.current->changes;
    if (client.current->rooms.insert(room).second) {
      client.current->face->join(room);
    } else {
      client.current->face->leave(room);
      client.current->rooms.erase(room);
    }
  }

  void closed(const std::string& sid, DisconnectReason reason) {
    if (ending_) return;
    for (const auto& session : sessions_) {
      if (session->sid != sid || session->face == nullptr) continue;
      take_written(*session);
      session->face = nullptr;
      session->peer = nullptr;
      session->reader = nullptr;
      session->lost_at = bench_.world.now;
      session->over = reason == DisconnectReason::client_namespace_disconnect ||
                      reason == DisconnectReason::server_namespace_disconnect;
    }
  }

  void rare(Client& client, Input& input) {
    switch (input.below(4)) {
      case 0:  // leaves by its own will
        if (client.current && client.current->reader == &client) client.connection->send("1");
        break;
      case 1:
        if (client.current && client.current->face != nullptr) client.current->face->disconnect();
        break;
      case 2:
        bench_.log().note_gap();
        gapped_ = true;
        break;
      default:
        come_back(client, input.flag() ? "zzzzzzzzzz" : "nonsense");
    }
  }

  void advance(Milliseconds by) {
    for (TimePoint end = bench_.world.now + by; bench_.world.now < end;) {
      bench_.advance(std::min(Milliseconds(5'000), end - bench_.world.now));
      settle();
    }
  }

  // --- what is written ---

  void settle() {
    bench_.turn();
    for (const auto& session : sessions_)
      if (session->face != nullptr) take_written(*session);
    bench_.turn();
    for (const auto& session : sessions_)
      if (session->face != nullptr) check(session->due.empty(), "what is live is written at once");
  }

  static std::pair<int, std::string> event_of(const std::string& packet) {
    const std::size_t quote = packet.rfind(",\"");
    check(packet.starts_with(R"(42["e",)") && packet.ends_with("\"]") && quote != std::string::npos,
          "an event is an event");
    return {std::stoi(packet.substr(7)), packet.substr(quote + 2, packet.size() - quote - 4)};
  }

  Message note_event(Session& session, const std::string& offset, std::optional<std::size_t> place) {
    const Mark mark{place ? *place + 1 : session.history.size(), bench_.world.now};
    const auto [found, fresh] = session.offsets.emplace(offset, mark);
    check(fresh || found->second.had == mark.had, "an offset means one thing");
    return {Message::Kind::event, offset, place, mark};
  }

  // Live events, in the order in which they were due.
  void take_written(Session& session) {
    for (const std::string& packet : session.peer->take()) {
      if (packet == "2") {
        put(session, {Message::Kind::ping, "", {}, {had_when_written(session), bench_.world.now}});
        continue;
      }
      if (packet == "41" || packet == "1") continue;  // the end
      const auto [number, offset] = event_of(packet);
      check(!session.due.empty() && std::abs(session.due.front()) == number, "live events come once and in order");
      const bool is_volatile = session.due.front() < 0;
      session.due.pop_front();
      const auto place = std::ranges::find(session.history, number) - session.history.begin();
      put(session, note_event(session, offset, is_volatile ? std::nullopt : std::optional<std::size_t>(place)));
    }
  }

  static std::size_t had_when_written(const Session& session) {
    const auto unwritten = std::ranges::count_if(session.due, [](int number) { return number > 0; });
    return session.history.size() - static_cast<std::size_t>(unwritten);
  }

  static void put(Session& session, Message message) {
    if (session.reader != nullptr) session.reader->unread.push_back(std::move(message));
  }

  // --- the client's side ---

  void read(Client& client, std::size_t count) {
    for (; count > 0 && !client.unread.empty(); --count) {
      const Message message = client.unread.front();
      client.unread.pop_front();
      switch (message.kind) {
        case Message::Kind::ping:
          if (!client.current || client.current->reader != &client) break;
          client.current->proven = {std::max(client.current->proven.had, message.mark.had), message.mark.at};
          bench_.engine().message(client.connection->peer, "3");
          break;
        case Message::Kind::connect:
          if (client.known != client.current) client.had = 0, client.offset.clear(), client.old_offsets.clear();
          client.known = client.current;
          break;
        case Message::Kind::event:
          client.offset = message.offset;
          client.old_offsets.push_back(message.offset);
          if (!message.place) break;
          check(*message.place == client.had, "every event comes exactly once and in order");
          ++client.had;
      }
    }
  }

  // The connection is lost with all that has not been read, and the server notices.
  void lose(Client& client, bool clean) {
    if (!client.connection) return;
    if (client.connection->open()) client.connection->hang_up(clean);
    drop(client);
  }

  // The same, and the server does not notice.
  void abandon(Client& client) {
    if (!client.connection) return;
    if (client.current && client.current->reader == &client) client.current->reader = nullptr;
    drop(client);
  }

  static void drop(Client& client) {
    client.connection.reset();
    client.current.reset();
    client.unread.clear();
  }

  static std::string earlier_offset(const Client& client, Input& input) {
    if (client.old_offsets.empty()) return client.offset;
    return client.old_offsets[input.byte() % client.old_offsets.size()];
  }

  // Where the server has to go on, or none: no such session, or an offset that it never gave.
  static std::optional<Mark> start_of(const Session& session, const std::string& offset) {
    Mark start = session.proven;
    if (offset.empty()) return start;
    const auto found = session.offsets.find(offset);
    if (found == session.offsets.end()) return std::nullopt;
    start.had = std::max(start.had, found->second.had);
    start.at = std::max(start.at, found->second.at);
    return start;
  }

  bool must_recover(const Session& session, const Mark& start) const {
    if (!generous_ || gapped_ || session.over || session.changes > changes_max) return false;
    const bool stored = session.face == nullptr;
    return bench_.world.now - start.at < event_age && (!stored || bench_.world.now - session.lost_at < session_age);
  }

  void come_back(Client& client, const std::string& offset) {
    abandon(client);
    const std::shared_ptr<Session> old = client.known;
    Object auth;
    if (old) auth.set("pid", old->pid);
    if (old && !offset.empty()) auth.set("offset", offset);
    const auto start = old ? start_of(*old, offset) : std::nullopt;
    const bool must = old && start && must_recover(*old, *start);
    const bool readable = offset.empty() || parse_recovery_offset(offset);

    client.connection = std::make_unique<TestClient>(bench_);
    client.connection->send("0" + to_json(auth));
    bench_.turn();
    std::vector<std::string> packets = client.connection->peer.take();
    const auto connect = std::ranges::find_if(packets, [](const auto& packet) { return packet.starts_with("40"); });
    check(connect != packets.end() && connect + 1 == packets.end(), "CONNECT is the last");
    const Value body = *parse_json(connect->substr(2));
    packets.pop_back();
    const std::string& sid = *body.find("sid")->as_string();
    const std::string& pid = *body.find("pid")->as_string();
    const bool recovered = old && pid == old->pid;
    check(recovered || !must, "who can be recovered is");
    check(opened_ != nullptr && opened_->id() == sid && opened_->recovered() == recovered, "both sides say the same");
    if (recovered) {
      check(start.has_value() && !old->over && sid == old->sid, "who is recovered is who it was");
      client.current = old;
    } else {
      check(packets.empty(), "nothing of an old session comes to a new one");
      if (old && readable && start_gone(*old)) old->over = true;
      client.current = std::make_shared<Session>();
      client.current->sid = sid;
      client.current->pid = pid;
      client.current->proven.at = bench_.world.now;
      sessions_.push_back(client.current);
    }
    Session& session = *client.current;
    check(session.face == nullptr, "the connection before is at its end");
    session.face = std::exchange(opened_, nullptr);
    session.peer = &client.connection->peer;
    session.reader = &client;
    if (recovered) take_missed(client, session, packets, start->had, offset);
    client.unread.push_front({Message::Kind::connect, "", {}, {}});
    const auto rooms = session.face->rooms();
    std::set<std::string> expected = session.rooms;
    expected.insert(sid);
    check(std::set<std::string>(rooms.begin(), rooms.end()) == expected, "rooms come back");
  }

  // Its session was taken and could not go on: then it is gone.
  static bool start_gone(const Session& session) { return session.face == nullptr; }

  void take_missed(Client& client, Session& session, std::vector<std::string> packets, std::size_t had,
                   const std::string& offset) {
    if (canary() && packets.size() > 2) packets.erase(packets.begin() + 1);
    check(packets.size() == session.history.size() - had, "as much comes as was missed");
    for (const std::string& packet : packets) {
      const auto [number, its_offset] = event_of(packet);
      check(number == session.history[had], "what was missed comes in order");
      put(session, note_event(session, its_offset, had));
      ++had;
    }
    // Who says to have less than it has, gets it again.
    if (offset != client.offset) client.had = session.history.size() - packets.size();
    client.offset = offset;
    check(client.had == session.history.size() - packets.size(), "nothing is missing in between");
  }

  const bool generous_;
  bool gapped_ = false;
  bool ending_ = false;
  Socket* opened_ = nullptr;
  std::vector<std::shared_ptr<Session>> sessions_;
  std::vector<Client> clients_;
  int number_ = 0;
  std::uint64_t broadcasts_ = 0;
  Bench bench_;
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
