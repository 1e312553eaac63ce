#include "http/router.hpp"

#include <gtest/gtest.h>

namespace carillon::http {
namespace {

class FakeExchange final : public Exchange {
 public:
  void respond(Response response) override { responses.push_back(std::move(response)); }
  std::vector<Response> responses;
};

Response response(int status, std::string body) {
  Response made;
  made.status = status;
  made.body = std::move(body);
  return made;
}

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    add("GET", "/page", true);
    add("GET", "/facts", false);
    add("POST", "/facts", false);
    router_.add({.method = "POST", .path = "/picky", .open = true, .refuse = [](const Request&) {
                   return response(415, "picky");
                 }});
    router_.add({.method = "POST",
                 .path = "/slow",
                 .open = true,
                 .refuse = nullptr,
                 .answer_later = [this](const Request&, std::string_view, Route::Respond respond) {
                   respond_ = std::move(respond);
                 }});
  }

  void add(std::string method, std::string path, bool open) {
    router_.add({.method = std::move(method),
                 .path = std::move(path),
                 .open = open,
                 .refuse = nullptr,
                 .answer = [](const Request& request, std::string_view body) {
                   return response(200, request.method + " " + std::string(request.path()) + " " + std::string(body));
                 }});
  }

  // The answer to a request, as a connection would bring it about.
  Response ask(std::string method, std::string target, std::string_view body = {}) {
    Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    FakeExchange exchange;
    body_wanted_ = router_.on_request(exchange, request);
    EXPECT_EQ(exchange.responses.size(), body_wanted_ ? 0U : 1U);
    if (body_wanted_) router_.on_body(exchange, body);
    EXPECT_EQ(exchange.responses.size(), 1U);
    return exchange.responses.at(0);
  }

  // Asks /slow, whose answer is in `respond_` afterwards.
  void ask_slowly(FakeExchange& exchange, std::string target = "/slow") {
    Request request;
    request.method = "POST";
    request.target = std::move(target);
    ASSERT_TRUE(router_.on_request(exchange, request));
    router_.on_body(exchange, "");
  }

  Route::Respond respond_;
  bool guarded_ = false;
  bool body_wanted_ = false;
  Router router_{
      {.guard = [this](const Request&) -> std::optional<Response> {
         return guarded_ ? std::optional(response(401, "guard")) : std::nullopt;
       },
       .error = [](int status, std::string_view message) { return response(status, std::string(message)); }}};
};

TEST_F(RouterTest, chooses_by_path_and_method) {
  EXPECT_EQ(ask("GET", "/facts?x=1").body, "GET /facts ");
  EXPECT_EQ(ask("POST", "/facts", "body").body, "POST /facts body");
  EXPECT_EQ(ask("GET", "/page").body, "GET /page ");
}

TEST_F(RouterTest, segments_in_braces_stand_for_any) {
  add("GET", "/users/{id}/inbox", false);
  add("GET", "/users/me/inbox", false);
  add("GET", "/things/{id}", false);
  EXPECT_EQ(ask("GET", "/users/a%2Fb/inbox?x=/").body, "GET /users/a%2Fb/inbox ");
  EXPECT_EQ(ask("GET", "/users/me/inbox").body, "GET /users/me/inbox ");
  EXPECT_EQ(ask("GET", "/things/1").status, 200);
  EXPECT_EQ(ask("POST", "/things/1").status, 405);
  for (const char* path :
       {"/users//inbox", "/users/a/inbox/", "/users/a", "/users/a/b/inbox", "/things/", "/things", ""})
    EXPECT_EQ(ask("GET", path).status, 404) << path;
}

TEST_F(RouterTest, segments_of_a_path_are_decoded) {
  EXPECT_EQ(path_segment("/users/a%2Fb+c/inbox", 1), "a/b+c");
  EXPECT_EQ(path_segment("/users/a", 2), "");
  EXPECT_EQ(path_segment("", 0), "");
}

TEST_F(RouterTest, answers_head_as_get_without_the_body) {
  const Response answer = ask("HEAD", "/page");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.omit_body);
  EXPECT_FALSE(answer.body.empty());  // for content-length
  EXPECT_FALSE(ask("GET", "/page").omit_body);
  EXPECT_TRUE(ask("HEAD", "/nowhere").omit_body);
}

TEST_F(RouterTest, unknown_path_is_404_before_the_body) {
  EXPECT_EQ(ask("GET", "/fact").status, 404);
  EXPECT_EQ(ask("POST", "/facts/").status, 404);
  EXPECT_FALSE(body_wanted_);
}

TEST_F(RouterTest, other_method_is_405_and_lists_those_allowed) {
  const Response answer = ask("DELETE", "/facts");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(find_header(answer.headers, "allow"), "GET, HEAD, POST");
  EXPECT_FALSE(body_wanted_);
}

TEST_F(RouterTest, guard_comes_before_everything_that_is_not_open) {
  guarded_ = true;
  EXPECT_EQ(ask("GET", "/facts").status, 401);
  EXPECT_EQ(ask("DELETE", "/facts").status, 401);
  EXPECT_EQ(ask("GET", "/nowhere").status, 401);
  EXPECT_EQ(ask("GET", "/page").status, 200);
  EXPECT_EQ(ask("POST", "/page").status, 405);
}

TEST_F(RouterTest, route_may_refuse_before_the_body) {
  EXPECT_EQ(ask("POST", "/picky", "body").status, 415);
  EXPECT_FALSE(body_wanted_);
}

TEST_F(RouterTest, forgets_a_request_whose_connection_ended) {
  Request request;
  request.method = "POST";
  request.target = "/facts";
  FakeExchange exchange;
  ASSERT_TRUE(router_.on_request(exchange, request));
  router_.on_closed(exchange);
  router_.on_body(exchange, "late");
  EXPECT_TRUE(exchange.responses.empty());
}

TEST_F(RouterTest, an_answer_may_come_later) {
  FakeExchange exchange;
  ask_slowly(exchange);
  EXPECT_TRUE(exchange.responses.empty());
  respond_(response(200, "at last"));
  ASSERT_EQ(exchange.responses.size(), 1U);
  EXPECT_EQ(exchange.responses[0].body, "at last");
  respond_(response(200, "once more"));
  EXPECT_EQ(exchange.responses.size(), 1U);
}

TEST_F(RouterTest, an_answer_for_a_client_that_has_gone_is_dropped) {
  FakeExchange exchange;
  ask_slowly(exchange);
  router_.on_closed(exchange);
  const auto late = respond_;
  ask_slowly(exchange);  // another connection, in the same place
  late(response(200, "late"));
  EXPECT_TRUE(exchange.responses.empty());
  respond_(response(200, "in time"));
  EXPECT_EQ(exchange.responses.size(), 1U);
}

}  // namespace
}  // namespace carillon::http
