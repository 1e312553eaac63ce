#include "api/api.hpp"

#include <gtest/gtest.h>

#include "api/error.hpp"
#include "base/json.hpp"

namespace carillon::api {
namespace {

class FakeExchange final : public http::Exchange {
 public:
  void respond(http::Response response) override { responses.push_back(std::move(response)); }
  std::vector<http::Response> responses;
};

class FakePort final : public socketio::BroadcastPort {
 public:
  void broadcast(socketio::BroadcastPtr message) override { broadcasts.push_back(std::move(message)); }
  void operate(socketio::OperationPtr operation, socketio::OperationDone done) override {
    operations.push_back(std::move(operation));
    dones.push_back(std::move(done));
  }
  std::vector<socketio::BroadcastPtr> broadcasts;
  std::vector<socketio::OperationPtr> operations;
  std::vector<socketio::OperationDone> dones;
};

class ApiTest : public testing::Test {
 protected:
  explicit ApiTest(const std::vector<std::string>& keys = {}) : router_(router_policy(Keys(keys))) {
    add_routes(router_, port_);
  }

  http::Response ask(std::string method, std::string target, std::string_view body = {},
                     std::vector<http::Header> headers = {}) {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers = std::move(headers);
    FakeExchange exchange;
    if (router_.on_request(exchange, request)) router_.on_body(exchange, body);
    EXPECT_EQ(exchange.responses.size(), 1U);
    return exchange.responses.at(0);
  }

  // The code of an error, whose whole shape is checked.
  static std::string code_of(const http::Response& response) {
    EXPECT_EQ(http::find_header(response.headers, "content-type"), "application/json");
    const auto body = parse_json(response.body);
    EXPECT_TRUE(body) << response.body;
    const Value* error = body->find("error");
    EXPECT_EQ(body->as_object()->size(), 1U) << response.body;
    EXPECT_EQ(error->as_object()->size(), 2U) << response.body;
    EXPECT_FALSE(error->find("message")->as_string()->empty());
    return *error->find("code")->as_string();
  }

  FakePort port_;
  http::Router router_;
};

class ApiWithKeysTest : public ApiTest {
 protected:
  ApiWithKeysTest() : ApiTest({"secret"}) {}
};

TEST_F(ApiTest, emit_broadcasts_and_answers_with_an_empty_object) {
  const auto answer =
      ask("POST", "/v1/emit",
          R"({"namespace":"/orders","rooms":["a","b"],"except":["c"],"event":"e","args":[1,"x"],"volatile":true})");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, "{}");
  ASSERT_EQ(port_.broadcasts.size(), 1U);
  const auto& broadcast = *port_.broadcasts[0];
  EXPECT_EQ(broadcast.name_space, "/orders");
  EXPECT_EQ(broadcast.rooms, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(broadcast.except, std::vector<std::string>{"c"});
  EXPECT_EQ(broadcast.event, "e");
  EXPECT_EQ(broadcast.args.text(), R"(1,"x")");
  EXPECT_TRUE(broadcast.flags.is_volatile);
  EXPECT_FALSE(broadcast.flags.local);
  EXPECT_EQ(broadcast.frames->payload(broadcast.frames->parts()[0]), R"(42/orders,["e",1,"x"])");
}

TEST_F(ApiTest, emit_with_ack_is_answered_when_the_acknowledgements_are_there) {
  http::Request request;
  request.method = "POST";
  request.target = "/v1/emit";
  FakeExchange exchange;
  ASSERT_TRUE(router_.on_request(exchange, request));
  router_.on_body(exchange, R"({"rooms":["a"],"event":"e","args":[1],"ack_timeout_ms":700})");
  EXPECT_TRUE(exchange.responses.empty());
  EXPECT_TRUE(port_.broadcasts.empty());
  ASSERT_EQ(port_.operations.size(), 1U);
  const socketio::Broadcast& message = *port_.operations[0]->message;
  EXPECT_EQ(message.flags.timeout, std::chrono::milliseconds(700));
  EXPECT_EQ(message.rooms, std::vector<std::string>{"a"});
  ASSERT_TRUE(message.ack_id);
  EXPECT_EQ(message.frames->payload(message.frames->parts()[0]), "42" + std::to_string(*message.ack_id) + R"(["e",1])");

  socketio::OperationResult result;
  result.acks.responses = {make_args(1, 2), make_args(), make_args(Object{{"x", Array{Binary{"abc"}}}})};
  result.acks.missing = 2;
  port_.dones[0](result);
  ASSERT_EQ(exchange.responses.size(), 1U);
  EXPECT_EQ(exchange.responses[0].status, 200);
  EXPECT_EQ(exchange.responses[0].body, R"({"responses":[1,null,{"x":["YWJj"]}],"missing":2})");
}

TEST_F(ApiTest, content_type_is_json_or_none) {
  const std::string_view body = R"({"event":"e"})";
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8", "application/json ;x=y"}) {
    EXPECT_EQ(ask("POST", "/v1/emit", body, {{"Content-Type", type}}).status, 202) << type;
  }
  EXPECT_EQ(ask("POST", "/v1/emit", body).status, 202);
  for (const char* type : {"text/plain", "application/jsonp", "application/x-www-form-urlencoded", "json", "",
                           "text/plain, application/json"}) {
    const auto answer = ask("POST", "/v1/emit", body, {{"Content-Type", type}});
    EXPECT_EQ(answer.status, 415) << type;
    EXPECT_EQ(code_of(answer), "unsupported_media_type");
  }
}

TEST_F(ApiTest, refusals_broadcast_nothing) {
  EXPECT_EQ(code_of(ask("POST", "/v1/emit", "{")), "invalid_body");
  EXPECT_EQ(code_of(ask("POST", "/v1/emit", R"({"event":"e","ack_timeout_ms":0})")), "invalid_body");
  const auto large = ask("POST", "/v1/emit", R"({"event":"e","args":[")" + std::string(70'000, 'a') + "\"]}");
  EXPECT_EQ(large.status, 413);
  EXPECT_EQ(code_of(large), "too_large");
  EXPECT_TRUE(port_.broadcasts.empty());
}

TEST_F(ApiTest, unknown_path_and_other_method) {
  const auto unknown = ask("GET", "/v1/\xff\"");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(code_of(unknown), "not_found");
  const auto method = ask("GET", "/v1/emit");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(code_of(method), "method_not_allowed");
  EXPECT_EQ(http::find_header(method.headers, "allow"), "POST");
}

TEST_F(ApiTest, page_of_another_site_is_refused_without_keys) {
  const auto answer = ask("POST", "/v1/emit", R"({"event":"e"})", {{"Origin", "https://example.com"}});
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(code_of(answer), "forbidden");
}

TEST_F(ApiWithKeysTest, key_comes_before_everything_else) {
  for (const char* path : {"/v1/emit", "/v1/nowhere"}) {
    const auto answer = ask("GET", path);
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(code_of(answer), "unauthorized");
  }
  const std::vector<http::Header> key = {{"Authorization", "Bearer secret"}};
  EXPECT_EQ(ask("POST", "/v1/emit", R"({"event":"e"})", key).status, 202);
  EXPECT_EQ(ask("GET", "/v1/nowhere", {}, key).status, 404);
}

TEST_F(ApiTest, errors_of_the_listener_have_the_same_shape) {
  const std::vector<std::pair<int, std::string>> errors = {{400, "bad_request"},       {408, "request_timeout"},
                                                           {413, "too_large"},         {414, "target_too_long"},
                                                           {431, "headers_too_large"}, {501, "not_implemented"}};
  for (const auto& [status, code] : errors) {
    const auto answer = listener_error(status);
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(code_of(answer), code);
    EXPECT_TRUE(answer.close);
  }
}

}  // namespace
}  // namespace carillon::api
