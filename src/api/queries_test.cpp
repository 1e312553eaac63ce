#include "api/queries.hpp"

#include <gtest/gtest.h>

#include "api/api.hpp"
#include "base/json.hpp"

namespace carillon::api {
namespace {

class FakeExchange final : public http::Exchange {
 public:
  void respond(http::Response response) override { responses.push_back(std::move(response)); }
  std::vector<http::Response> responses;
};

class FakeCluster final : public socketio::BroadcastPort, public ClusterPort {
 public:
  void broadcast(socketio::BroadcastPtr) override {}
  void operate(socketio::OperationPtr operation, socketio::OperationDone done) override {
    operations.push_back(operation);
    done(result);
  }
  void list_nodes(NodesDone done) override { done({Object{{"name", "one"}}, Object{{"name", "two"}}}, 1); }

  void add_socket(const std::string& id, std::vector<std::string> rooms) {
    auto request = std::make_shared<HandshakeRequest>();
    request->address = "10.0.0.1";
    request->headers = {{"Cookie", "secret"}};
    rooms.insert(rooms.begin(), id);
    result.sockets.emplace_back(*this, "/",
                                RemoteSocket::Facts{id, Handshake(Object{{"token", "secret"}}, request),
                                                    std::move(rooms), Object{{"bytes", Binary{"abc"}}}});
  }

  std::vector<socketio::OperationPtr> operations;
  socketio::OperationResult result;
};

class QueriesTest : public testing::Test {
 protected:
  QueriesTest() { add_query_routes(router, cluster, cluster); }

  http::Response ask(std::string target) {
    http::Request request;
    request.method = "GET";
    request.target = std::move(target);
    FakeExchange exchange;
    if (router.on_request(exchange, request)) router.on_body(exchange, {});
    EXPECT_EQ(exchange.responses.size(), 1U);
    return exchange.responses.at(0);
  }
  std::string body_of(std::string target) { return ask(std::move(target)).body; }

  FakeCluster cluster;
  http::Router router{router_policy(Keys({}))};
};

TEST_F(QueriesTest, CountsSockets) {
  cluster.add_socket("b", {"r"});
  cluster.add_socket("a", {});
  cluster.result.missing_servers = 2;
  EXPECT_EQ(body_of("/v1/sockets"), R"({"total":2,"missing_servers":2})");
  EXPECT_EQ(cluster.operations[0]->kind, socketio::Operation::Kind::fetch);
  EXPECT_EQ(cluster.operations[0]->selection.name_space, "/");
  EXPECT_FALSE(cluster.operations[0]->selection.flags.local);
}

TEST_F(QueriesTest, PagesIdsInTheirOrder) {
  for (const char* id : {"d", "b", "a", "c"}) cluster.add_socket(id, {});
  EXPECT_EQ(body_of("/v1/sockets?view=ids&limit=3"),
            R"({"total":4,"sockets":["a","b","c"],"next":"c","missing_servers":0})");
  EXPECT_EQ(body_of("/v1/sockets?view=ids&limit=3&after=c"),
            R"({"total":4,"sockets":["d"],"next":null,"missing_servers":0})");
  EXPECT_EQ(body_of("/v1/sockets?view=ids&after=z"), R"({"total":4,"sockets":[],"next":null,"missing_servers":0})");
}

TEST_F(QueriesTest, FullEntriesHoldNoSecrets) {
  cluster.add_socket("a", {"r"});
  const std::string body = body_of("/v1/sockets?view=full&namespace=orders&room=r&room=s&local=true");
  EXPECT_EQ(body.find("secret"), std::string::npos);
  const Value entry = parse_json(body).value().find("sockets")->as_array()->at(0);
  EXPECT_EQ(*entry.find("rooms"), Value(Array{"a", "r"}));
  EXPECT_EQ(*entry.find("data"), Value(Object{{"bytes", "YWJj"}}));
  EXPECT_EQ(*entry.find("address"), Value("10.0.0.1"));
  const socketio::Selection& whom = cluster.operations[0]->selection;
  EXPECT_EQ(whom.name_space, "/orders");
  EXPECT_EQ(whom.rooms, (std::vector<std::string>{"r", "s"}));
  EXPECT_TRUE(whom.flags.local);
}

TEST_F(QueriesTest, ListsRooms) {
  cluster.result.rooms = {"b", "a", "b"};
  EXPECT_EQ(body_of("/v1/rooms"), R"({"total":2,"missing_servers":0})");
  EXPECT_EQ(body_of("/v1/rooms?view=ids"), R"({"total":2,"rooms":["a","b"],"next":null,"missing_servers":0})");
  EXPECT_EQ(cluster.operations[0]->kind, socketio::Operation::Kind::all_rooms);
}

TEST_F(QueriesTest, FullRoomsCountTheirSockets) {
  cluster.add_socket("s1", {"a"});
  cluster.add_socket("s2", {"a", "b"});
  EXPECT_EQ(
      body_of("/v1/rooms?view=full&limit=2"),
      R"({"total":4,"rooms":[{"room":"a","sockets":2},{"room":"b","sockets":1}],"next":"b","missing_servers":0})");
  EXPECT_EQ(cluster.operations[0]->kind, socketio::Operation::Kind::fetch);
}

TEST_F(QueriesTest, ListsNodes) {
  cluster.result.count = 5;
  EXPECT_EQ(body_of("/v1/nodes"), R"({"nodes":[{"name":"one"},{"name":"two"}],"missing":1,"servers":5})");
}

TEST_F(QueriesTest, RefusesWhatItDoesNotKnow) {
  for (const char* query :
       {"view=all", "limit=0", "limit=1001", "limit=x", "limit=", "local=1", "colour=red", "after=%ff", "room=%80"}) {
    const auto answer = ask("/v1/sockets?" + std::string(query));
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_NE(answer.body.find("invalid_query"), std::string::npos) << query;
  }
  EXPECT_EQ(ask("/v1/rooms?room=r").status, 400);
  EXPECT_EQ(ask("/v1/nodes?x=1").status, 400);
  EXPECT_TRUE(cluster.operations.empty());
}

}  // namespace
}  // namespace carillon::api
