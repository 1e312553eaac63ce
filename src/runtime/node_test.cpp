// Several shards and many clients over loopback: broadcasts, and what other threads may call.
#include "runtime/node.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <charconv>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "runtime/testing_socketio.hpp"

namespace carillon {
namespace {

using namespace runtime::testing;
using ::testing::HasSubstr;

constexpr unsigned shards = 4;

ServerOptions options() {
  ServerOptions settings;
  settings.listen = "127.0.0.1:0";
  settings.shards = shards;
  settings.drain_timeout_ms = 300;  // these clients do not answer close frames
  return settings;
}

// ["n",PUBLISHER,NUMBER]
struct Numbered {
  int publisher = -1;
  int number = -1;
};
Numbered numbered(const std::string& event) {
  Numbered result;
  if (!event.starts_with("[\"n\",")) return result;
  const char* end = event.data() + event.size();
  const auto first = std::from_chars(event.data() + 5, end, result.publisher);
  std::from_chars(first.ptr + 1, end, result.number);
  return result;
}

// Reads `count` numbered events: each publisher's must be 0, 1, 2, ... without gap or repeat.
void expect_in_order(SocketIoClient& client, int count) {
  std::map<int, int> next;
  for (int i = 0; i < count; ++i) {
    const std::string event = client.next();
    const Numbered message = numbered(event);
    ASSERT_EQ(message.number, next[message.publisher]++) << event << " as number " << i << " of " << count;
  }
}

// Half over WebSocket, a quarter over polling, a quarter that will upgrade.
std::vector<std::unique_ptr<SocketIoClient>> connect_many(const std::string& address, std::size_t count) {
  std::vector<std::unique_ptr<SocketIoClient>> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<SocketIoClient>(i % 2 == 0 ? SocketIoClient::over_websocket(address)
                                                                  : SocketIoClient::over_polling(address)));
  }
  return clients;
}

// Something for each client, in a few threads.
void for_each_client(std::vector<std::unique_ptr<SocketIoClient>>& clients,
                     const std::function<void(std::size_t, SocketIoClient&)>& action) {
  constexpr std::size_t threads = 4;
  std::vector<std::jthread> workers;
  for (std::size_t worker = 0; worker < threads; ++worker) {
    workers.emplace_back([&, worker] {
      for (std::size_t i = worker; i < clients.size(); i += threads) action(i, *clients[i]);
    });
  }
}

// Runs tasks on a thread that is no shard's.
class Worker {
 public:
  ~Worker() { tasks_.add(nullptr); }
  void post(std::function<void()> task) { tasks_.add(std::move(task)); }

 private:
  Log<std::function<void()>> tasks_;
  std::jthread thread_{[this] {
    while (const auto task = tasks_.next(std::chrono::hours(1))) {
      if (*task == nullptr) return;
      (*task)();
    }
  }};
};

TEST(NodeTest, ClientsAreSpreadOverTheShards) {
  Server server(options());
  server.start();
  auto clients = connect_many(server.address(), 64);
  const auto& node = server.node();
  std::int64_t sum = 0;
  for (unsigned i = 0; i < shards; ++i) {
    const std::int64_t here = node.socketio_stats(i).sockets.value();
    EXPECT_GT(here, 0) << "shard " << i;
    sum += here;
  }
  EXPECT_EQ(sum, 64);
}

TEST(NodeTest, BroadcastsOfManyThreadsReachEveryoneOnceAndInOrder) {
  constexpr int publishers = 3;
  constexpr int messages = 150;
  Server server(options());
  server.start();
  auto clients = connect_many(server.address(), 32);
  std::vector<std::jthread> threads;
  for (int publisher = 0; publisher < publishers; ++publisher) {
    threads.emplace_back([&, publisher] {
      for (int i = 0; i < messages; ++i) server.emit("n", publisher, i);
    });
  }
  for_each_client(clients, [](std::size_t i, SocketIoClient& client) {
    if (i % 4 == 1) client.upgrade();
    expect_in_order(client, publishers * messages);
  });
}

TEST(NodeTest, RoomsAndExceptHoldOnAllShards) {
  constexpr int messages = 100;
  Server server(options());
  server.on_connection([](Socket& socket) {
    socket.on("join", [&socket](const Args& args, const Ack& ack) {
      for (const Value& room : args.values()) socket.join(*room.as_string());
      ack();
    });
  });
  server.start();
  auto clients = connect_many(server.address(), 24);
  for_each_client(clients, [](std::size_t i, SocketIoClient& client) {
    EXPECT_EQ(client.ask(i % 3 == 0 ? R"(["join","third","all"])" : R"(["join","all"])"), "[]");
  });
  // Publisher 0: both rooms, so that some clients are in two of them. 1: one of them. 2: all but those in it.
  std::vector<std::jthread> threads;
  threads.emplace_back([&] {
    for (int i = 0; i < messages; ++i) server.to("all").to("third").emit("n", 0, i);
  });
  threads.emplace_back([&] {
    for (int i = 0; i < messages; ++i) server.to("third").emit("n", 1, i);
  });
  threads.emplace_back([&] {
    for (int i = 0; i < messages; ++i) server.to("all").except("third").emit("n", 2, i);
  });
  for_each_client(clients, [](std::size_t, SocketIoClient& client) { expect_in_order(client, 2 * messages); });
  threads.clear();
  server.emit("end");
  for_each_client(clients, [](std::size_t, SocketIoClient& client) { EXPECT_EQ(client.next(), R"(["end"])"); });
}

TEST(NodeTest, BroadcastsFromHandlersReachEveryoneOnceAndInOrder) {
  constexpr int messages = 50;
  Server server(options());
  server.on_connection([&](Socket& socket) {
    socket.on("publish", [&](const Args& args) { server.emit("n", args[0], args[1]); });
    socket.on("others", [&socket](const Args& args) { socket.broadcast().emit("n", args[0], args[1]); });
  });
  server.start();
  auto clients = connect_many(server.address(), 12);
  const std::size_t own = 4;  // of these the last does not hear its own
  for_each_client(clients, [](std::size_t i, SocketIoClient& client) {
    if (i >= own) return;
    for (int number = 0; number < messages; ++number) {
      client.emit((i == own - 1 ? R"(["others",)" : R"(["publish",)") + std::to_string(i) + "," +
                  std::to_string(number) + "]");
    }
  });
  for_each_client(clients, [](std::size_t i, SocketIoClient& client) {
    expect_in_order(client, (i == own - 1 ? 3 : 4) * messages);
  });
}

TEST(NodeTest, EventToOneSocketByItsIdComesFromAnyThread) {
  Server server(options());
  server.start();
  auto clients = connect_many(server.address(), 16);
  for (const auto& client : clients) server.to(client->id()).emit("you", client->id());
  for (const auto& client : clients) EXPECT_EQ(client->next(), "[\"you\",\"" + client->id() + "\"]");
}

TEST(NodeTest, AckAndNextMayBeCalledByOtherThreads) {
  Worker worker;
  Server server(options());
  server.use([&](Socket&, Next next) { worker.post([next] { next(); }); });
  server.use([&](Socket& socket, Next next) {
    const bool refused = socket.handshake().auth("refuse").has_value();
    worker.post([next, refused] {
      if (refused) return next(ConnectError{"not you", {}});
      next();
    });
  });
  server.on_connection([&](Socket& socket) {
    socket.on("ask", [&](const Args& args, const Ack& ack) {
      worker.post([ack, args] {
        ack(args);
        ack("only the first counts");
      });
    });
  });
  server.start();
  auto clients = connect_many(server.address(), 16);
  for_each_client(clients, [](std::size_t i, SocketIoClient& client) {
    for (int turn = 0; turn < 10; ++turn) {
      const std::string number = std::to_string(i) + "," + std::to_string(turn);
      EXPECT_EQ(client.ask("[\"ask\"," + number + "]"), "[" + number + "]");
    }
  });
  WebSocketEngine refused(server.address());
  refused.send(R"(40{"refuse":true})");
  EXPECT_EQ(refused.next(), R"(44{"message":"not you"})");
}

TEST(NodeTest, BroadcastWithAckCollectsFromAllShards) {
  Server server(options());
  server.start();
  auto clients = connect_many(server.address(), 16);
  Log<BroadcastAcks> outcomes;
  const auto collect = [&](const BroadcastAcks& acks) { outcomes.add(acks); };
  for (int i = 0; i < 3; ++i) server.emit_with_ack("q", make_args(i), collect);
  for_each_client(clients, [](std::size_t i, SocketIoClient& client) {
    for (int turn = 0; turn < 3; ++turn) {
      const std::string asked = client.next();
      client.engine().send("43" + asked.substr(0, asked.find('[')) + "[" + std::to_string(i) + "]");
    }
  });
  for (int turn = 0; turn < 3; ++turn) {
    const auto acks = outcomes.next();
    ASSERT_TRUE(acks);
    EXPECT_EQ(acks->missing, 0U);
    std::set<std::int64_t> who;
    for (const Args& args : acks->responses) who.insert(args[0].as_int64());
    EXPECT_EQ(who.size(), clients.size());
  }
}

TEST(NodeTest, BroadcastWithAckSaysWhoHasNotAnswered) {
  Server server(options());
  server.start();
  auto clients = connect_many(server.address(), 12);
  Log<BroadcastAcks> outcomes;
  server.timeout(std::chrono::milliseconds(1'000)).emit_with_ack("q", make_args(), [&](const BroadcastAcks& acks) {
    outcomes.add(acks);
  });
  std::set<std::string> silent;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const std::string asked = clients[i]->next();
    if (i % 3 == 0) {
      silent.insert(clients[i]->id());
      if (i % 6 == 0) clients[i]->engine().send("41");
    } else {
      clients[i]->engine().send("43" + asked.substr(0, asked.find('[')) + "[]");
    }
  }
  const auto acks = outcomes.next();
  ASSERT_TRUE(acks);
  EXPECT_EQ(acks->responses.size(), 8U);
  EXPECT_EQ(acks->missing, 4U);
  EXPECT_EQ(std::set<std::string>(acks->missing_ids.begin(), acks->missing_ids.end()), silent);
}

TEST(NodeTest, BroadcastWithAckFromAHandlerEndsOnItsShard) {
  Server server(options());
  server.on_connection([&](Socket& socket) {
    socket.on("ask others", [&socket](const Args&, const Ack& ack) {
      const auto shard = std::this_thread::get_id();
      socket.broadcast().emit_with_ack("q", make_args(), [shard, ack](const BroadcastAcks& acks) {
        ack(std::this_thread::get_id() == shard, acks.responses.size());
      });
    });
  });
  server.start();
  auto clients = connect_many(server.address(), 8);
  clients[0]->engine().send(R"(421["ask others"])");
  for (std::size_t i = 1; i < clients.size(); ++i) {
    const std::string asked = clients[i]->next();
    clients[i]->engine().send("43" + asked.substr(0, asked.find('[')) + "[]");
  }
  EXPECT_EQ(clients[0]->next(), "1[true,7]");
}

TEST(NodeTest, OperationsOnSocketsReachAllShardsFromAnyThread) {
  Server server(options());
  server.on_connection([](Socket& socket) { socket.data() = socket.id(); });
  server.start();
  auto clients = connect_many(server.address(), 24);
  std::set<std::string> all;
  for (const auto& client : clients) all.insert(client->id());
  Log<std::size_t> counts;
  const auto count = [&](std::size_t sockets) { counts.add(sockets); };
  server.except(clients[0]->id()).sockets_join("r", count);
  EXPECT_EQ(counts.next(), 23U);
  server.to("r").emit("n", 0, 0);
  for (std::size_t i = 1; i < clients.size(); ++i) EXPECT_EQ(clients[i]->next(), R"(["n",0,0])");

  // Several threads at once, while sockets leave.
  Log<std::vector<RemoteSocket>> found;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&] {
        for (int turn = 0; turn < 20; ++turn)
          server.fetch_sockets([&](const FetchedSockets& fetched) { found.add(fetched.sockets); });
      });
    for (int turn = 0; turn < 10; ++turn) server.to("r").sockets_leave("r", count);
  }
  EXPECT_EQ(counts.next(), 23U);
  for (int turn = 1; turn < 10; ++turn) EXPECT_EQ(counts.next(), 0U);
  for (int i = 0; i < 60; ++i) {
    const auto sockets = found.next();
    ASSERT_TRUE(sockets);
    std::set<std::string> ids;
    for (const RemoteSocket& socket : *sockets) {
      ids.insert(socket.id());
      EXPECT_EQ(socket.data(), Value(socket.id()));
    }
    EXPECT_EQ(ids, all);
  }

  server.to(clients[3]->id()).fetch_sockets([](const FetchedSockets& fetched) {
    const auto& sockets = fetched.sockets;
    for (const RemoteSocket& socket : sockets) socket.emit("you", socket.rooms().front());
  });
  EXPECT_EQ(clients[3]->next(), "[\"you\",\"" + clients[3]->id() + "\"]");
  server.disconnect_sockets(true, count);
  EXPECT_EQ(counts.next(), 24U);
  for_each_client(clients, [](std::size_t, SocketIoClient& client) { EXPECT_EQ(client.next(), ""); });
}

// Clients of all shards at once, in namespaces that come and go.
TEST(NodeTest, DynamicNamespacesAreOneOverAllShards) {
  Server server(options());
  std::atomic<int> made = 0;
  server.on_new_namespace([&](Namespace& name_space) {
    ++made;
    name_space.on_connection([](Socket& socket) { socket.emit("added", socket.name_space()); });
  });
  Namespace& parent = server.of(std::regex("^/room-[0-9]+$"));
  parent.use([](Socket&, const Next& next) { next(); });
  parent.on_connection([](Socket& socket) {
    socket.on("others", [&socket](const Args& args) { socket.broadcast().emit("said", args); });
  });
  server.start();
  std::vector<std::unique_ptr<WebSocketEngine>> clients;
  for (int i = 0; i < 32; ++i) clients.push_back(std::make_unique<WebSocketEngine>(server.address()));
  std::vector<std::jthread> threads;
  for (std::size_t worker = 0; worker < 4; ++worker)
    threads.emplace_back([&, worker] {
      for (std::size_t i = worker; i < clients.size(); i += 4) {
        const std::string name = i % 2 == 0 ? "/room-0" : "/room-1";
        clients[i]->send("40" + name + ",");
        EXPECT_THAT(clients[i]->next(), HasSubstr("40" + name + ",{\"sid\""));
        EXPECT_EQ(clients[i]->next(), "42" + name + ",[\"added\",\"" + name + "\"]");
      }
    });
  threads.clear();
  EXPECT_EQ(made, 2);
  EXPECT_EQ(server.node().namespaces().children().value(), 2);
  clients[0]->send(R"(42/room-0,["others",1])");
  for (std::size_t i = 2; i < clients.size(); i += 2) EXPECT_EQ(clients[i]->next(), R"(42/room-0,["said",1])");
  parent.emit("all");
  for (std::size_t i = 0; i < clients.size(); ++i)
    EXPECT_EQ(clients[i]->next(), i % 2 == 0 ? R"(42/room-0,["all"])" : R"(42/room-1,["all"])");
  Log<std::size_t> counts;
  parent.fetch_sockets([&](const FetchedSockets& fetched) { counts.add(fetched.sockets.size()); });
  EXPECT_EQ(counts.next(), 32U);
  server.everyone_in("/room-1").disconnect_sockets(false, [&](std::size_t sockets) { counts.add(sockets); });
  EXPECT_EQ(counts.next(), 16U);
  EXPECT_TRUE(eventually([&] { return server.node().namespaces().children().value() == 1; }));
  clients[1]->next();
  clients[1]->send("40/room-1,");
  EXPECT_THAT(clients[1]->next(), HasSubstr("40/room-1,"));
  EXPECT_EQ(made, 3);
  clients[0]->send("40/elsewhere,");
  EXPECT_EQ(clients[0]->next(), R"(44/elsewhere,{"message":"Invalid namespace"})");
}

TEST(NodeTest, AckOfAClientThatHasGoneIsNothing) {
  Worker worker;
  Log<Ack> acks;
  Log<std::string> gone;
  Server server(options());
  server.on_connection([&](Socket& socket) {
    socket.on("ask", [&](const Args&, const Ack& ack) { acks.add(ack); });
    socket.on_disconnect([&](DisconnectReason reason) { gone.add(std::string(to_string(reason))); });
  });
  server.start();
  for (int i = 0; i < 10; ++i) {
    SocketIoClient client = SocketIoClient::over_websocket(server.address());
    client.emit(R"(["ask"])");
    dynamic_cast<WebSocketEngine&>(client.engine()).send(R"(427["ask"])");
    EXPECT_TRUE(acks.reaches(2));
    dynamic_cast<WebSocketEngine&>(client.engine()).socket().socket().close();
    EXPECT_EQ(gone.next(), "transport close");
    while (const auto ack = acks.next(std::chrono::milliseconds(0))) worker.post([ack = *ack] { ack("late"); });
  }
}

TEST(NodeTest, TwoServersInOneProcessKeepApart) {
  Server one(options());
  Server two(options());
  for (Server* server : {&one, &two}) server->start();
  EXPECT_NE(one.address(), two.address());
  auto ones = connect_many(one.address(), 8);
  auto twos = connect_many(two.address(), 8);
  std::jthread first([&] {
    for (int i = 0; i < 100; ++i) one.emit("n", 1, i);
  });
  for (int i = 0; i < 100; ++i) two.emit("n", 2, i);
  for_each_client(ones, [](std::size_t, SocketIoClient& client) { expect_in_order(client, 100); });
  for_each_client(twos, [](std::size_t, SocketIoClient& client) { expect_in_order(client, 100); });
  one.stop();
  two.emit("last");
  for_each_client(twos, [](std::size_t, SocketIoClient& client) { EXPECT_EQ(client.next(), R"(["last"])"); });
}

}  // namespace
}  // namespace carillon
