#include "api/notifications.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/api.hpp"
#include "api/batch.hpp"
#include "base/json.hpp"
#include "inbox/memory_store.hpp"

namespace carillon::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FakeExchange final : public http::Exchange {
 public:
  void respond(http::Response response) override { responses.push_back(std::move(response)); }
  std::vector<http::Response> responses;
};

// A room holds these sockets.
class FakeSockets final : public socketio::BroadcastPort {
 public:
  void broadcast(socketio::BroadcastPtr message) override { events.push_back(message->event); }
  void operate(socketio::OperationPtr operation, socketio::OperationDone done) override {
    asked = operation->selection.rooms;
    socketio::OperationResult result;
    for (const auto& rooms : members)
      result.sockets.emplace_back(*this, "/",
                                  RemoteSocket::Facts{rooms.front(), Handshake(Object{}, nullptr), rooms, Object{}});
    done(result);
  }
  std::vector<std::vector<std::string>> members;
  std::vector<std::string> asked;
  std::vector<std::string> events;
};

class FakeInbox final : public NotificationPort {
 public:
  void accept(inbox::Acceptance acceptance, inbox::Store::Done<inbox::Accepted> done) override {
    memory.accept(std::move(acceptance), std::move(done));
  }
  inbox::Store& store() override { return memory; }
  std::string new_id(UnixMs) override { return "id" + std::to_string(++ids); }

  inbox::MemoryStore memory{"epoch"};
  int ids = 0;
};

class NotificationsTest : public testing::Test {
 protected:
  NotificationsTest() {
    add_notification_routes(router, inbox, sockets, {});
    add_batch_route(router, &inbox, sockets, {});
  }

  http::Response ask(std::string method, std::string target, std::string_view body = {}) {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.received_unix_ms = now;
    FakeExchange exchange;
    if (router.on_request(exchange, request)) router.on_body(exchange, body);
    inbox.memory.run();
    EXPECT_EQ(exchange.responses.size(), 1U);
    return exchange.responses.at(0);
  }
  http::Response notify(std::string_view body) { return ask("POST", "/v1/notifications", body); }

  UnixMs now = 1'700'000'000'000;
  FakeInbox inbox;
  FakeSockets sockets;
  http::Router router{router_policy(Keys({}))};
};

TEST_F(NotificationsTest, AnAcceptedOneIsAnsweredWithItsId) {
  const auto answer = notify(R"({"to":{"users":["a","b"]},"data":1})");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, R"({"id":"id1","recipients":2})");
}

TEST_F(NotificationsTest, ItIsNotAnsweredBeforeItIsDurable) {
  http::Request request;
  request.method = "POST";
  request.target = "/v1/notifications";
  FakeExchange exchange;
  ASSERT_TRUE(router.on_request(exchange, request));
  router.on_body(exchange, R"({"to":{"users":["a"]},"data":1})");
  EXPECT_TRUE(exchange.responses.empty());
  inbox.memory.run();
  EXPECT_EQ(exchange.responses.size(), 1U);
}

TEST_F(NotificationsTest, ARoomMeansTheUsersInItEachOnce) {
  sockets.members = {{"s1", "user:a", "news"}, {"s2", "user:a"}, {"s3", "news"}, {"s4", "user:b", "user:"}};
  EXPECT_EQ(notify(R"({"to":{"room":"news"},"data":1})").body, R"({"id":"id1","recipients":2})");
  EXPECT_THAT(sockets.asked, ElementsAre("news"));
  EXPECT_THAT(ask("GET", "/v1/users/b/inbox").body, HasSubstr(R"("position":"epoch-1")"));
}

TEST_F(NotificationsTest, EveryErrorOfTheStoreIsSaid) {
  using enum inbox::StoreError;
  const std::pair<inbox::StoreError, std::string> cases[] = {
      {unavailable, "store_unavailable"}, {overloaded, "store_overloaded"}, {full, "store_full"},
      {read_only, "store_read_only"},     {corrupt, "store_corrupt"},       {failed, "store_failed"}};
  for (const auto& [error, code] : cases) {
    inbox.memory.set_faults(
        [error](std::string_view) { return inbox::MemoryStore::Faults{inbox::MemoryStore::Fault::refused, error}; });
    for (const auto& answer : {notify(R"({"to":{"users":["a"]},"data":1})"), ask("GET", "/v1/notifications/x"),
                               ask("GET", "/v1/users/a/inbox")}) {
      EXPECT_EQ(answer.status, 503);
      EXPECT_EQ(http::find_header(answer.headers, "retry-after"), "1");
      EXPECT_THAT(answer.body, HasSubstr(code));
    }
  }
}

TEST_F(NotificationsTest, AKnownKeyIsAnsweredAsTheFirstTimeAndAnotherRequestRefused) {
  const std::string body = R"({"to":{"users":["a"]},"data":1,"idempotency_key":"k"})";
  EXPECT_EQ(notify(body).status, 202);
  const auto again = notify(body);
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.body, R"({"id":"id1","recipients":1})");
  EXPECT_EQ(http::find_header(again.headers, "idempotent-replayed"), "true");
  EXPECT_EQ(notify(R"({"to":{"users":["a"]},"data":2,"idempotency_key":"k"})").status, 409);
}

TEST_F(NotificationsTest, ItsStateCanBeAskedFor) {
  notify(R"({"to":{"users":["a"]},"data":1})");
  EXPECT_THAT(ask("GET", "/v1/notifications/id1").body, HasSubstr(R"("state":"accepted")"));
  EXPECT_EQ(ask("GET", "/v1/notifications/other").status, 404);
  EXPECT_EQ(ask("GET", "/v1/notifications/id1?what=1").status, 400);
  EXPECT_EQ(ask("GET", "/v1/notifications/id1?skip=1").status, 200);
}

TEST_F(NotificationsTest, AUserIdStandsInThePathAsAnyText) {
  notify(R"({"to":{"users":["a/b c?"]},"data":1})");
  EXPECT_THAT(ask("GET", "/v1/users/a%2Fb%20c%3F/inbox").body, HasSubstr(R"("unread":1)"));
  EXPECT_EQ(ask("GET", "/v1/users/%00/inbox").status, 400);
  EXPECT_EQ(ask("GET", "/v1/users//inbox").status, 404);
}

TEST_F(NotificationsTest, APageAfterAPositionOfAnotherEpochBeginsAtTheBeginning) {
  notify(R"({"to":{"users":["a"]},"data":1})");
  EXPECT_THAT(ask("GET", "/v1/users/a/inbox?after=epoch-1").body, HasSubstr(R"({"items":[],)"));
  const auto page = ask("GET", "/v1/users/a/inbox?after=other-1").body;
  EXPECT_THAT(page, HasSubstr(R"("epoch_changed":true)"));
  EXPECT_THAT(page, HasSubstr(R"("id":"id1")"));
}

TEST_F(NotificationsTest, ABatchAnswersEachItem) {
  const auto answer = ask("POST", "/v1/batch",
                          R"({"items":[{"op":"notify","to":{"users":["a"]},"data":1},{"op":"emit","event":"e"},)"
                          R"({"op":"notify","data":1},{"op":"notify","to":{"users":["a"]},"data":2}]})");
  EXPECT_EQ(answer.status, 200);
  const auto body = parse_json(answer.body);
  ASSERT_TRUE(body) << answer.body;
  const Array& results = *body->find("results")->as_array();
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results[0], (Value(Object{{"status", 202}, {"id", "id1"}, {"recipients", 1}})));
  EXPECT_EQ(results[1], (Value(Object{{"status", 202}})));
  EXPECT_EQ(results[2].find("status")->as_int64(), 400);
  EXPECT_THAT(*results[2].find("error")->find("message")->as_string(), HasSubstr("to: the field is missing"));
  EXPECT_EQ(results[3].find("id")->as_string() != nullptr, true);
  EXPECT_THAT(sockets.events, ElementsAre("e"));
}

}  // namespace
}  // namespace carillon::api
