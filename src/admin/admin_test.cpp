#include "admin/admin.hpp"

#include <gtest/gtest.h>

#include <carillon/version.hpp>

#include "base/json.hpp"

namespace carillon::admin {
namespace {

class FakeExchange final : public http::Exchange {
 public:
  void respond(http::Response response) override { last = std::move(response); }
  http::Response last;
};

class FakeNode final : public MetricsSource, public ReadinessSource, public InfoSource {
 public:
  std::vector<Sample> collect() const override { return {{"carillon_up", "Up.", Sample::Type::gauge, {}, 1}}; }
  Readiness readiness() const override { return state; }
  Info info() const override { return {"bell-1", "http://127.0.0.1:3000", true, false}; }
  Readiness state;
};

constexpr PageFile page[] = {{"/", "text/html; charset=utf-8", "\"tag1\"", "<!doctype html>"},
                             {"/page.css", "text/css; charset=utf-8", "\"tag2\"", "body{}"}};

class AdminTest : public testing::Test {
 protected:
  AdminTest() { add_routes(router_, {node_, node_, node_}, page); }

  http::Response get(std::string target, std::vector<http::Header> headers = {}, std::string method = "GET") {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers = std::move(headers);
    FakeExchange exchange;
    if (router_.on_request(exchange, request)) router_.on_body(exchange, {});
    return exchange.last;
  }
  static std::string header(const http::Response& response, std::string_view name) {
    return std::string(http::find_header(response.headers, name).value_or(""));
  }

  static http::Response status_only(int status) {
    http::Response response;
    response.status = status;
    return response;
  }

  FakeNode node_;
  bool guarded_ = false;
  http::Router router_{{.guard = [this](const http::Request&) -> std::optional<http::Response> {
                          return guarded_ ? std::optional(status_only(401)) : std::nullopt;
                        },
                        .error = [](int status, std::string_view) { return status_only(status); }}};
};

TEST_F(AdminTest, healthz_is_ok) {
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/healthz").body, "ok");
}

TEST_F(AdminTest, readyz_tells_why_not) {
  EXPECT_EQ(get("/readyz").status, 200);
  EXPECT_EQ(get("/readyz").body, R"({"ready":true})");
  node_.state = {false, "Redis is away"};
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_EQ(get("/readyz").body, R"({"error":{"code":"not_ready","message":"Redis is away"}})");
}

TEST_F(AdminTest, metrics_are_text) {
  EXPECT_EQ(header(get("/metrics"), "content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(get("/metrics").body.find("carillon_up 1\n"), std::string::npos);
}

TEST_F(AdminTest, info_tells_what_the_page_shows) {
  const auto info = parse_json(get("/info.json").body);
  ASSERT_TRUE(info);
  EXPECT_EQ(*info, Value(Object{{"node", "bell-1"},
                                {"version", version()},
                                {"clients", "http://127.0.0.1:3000"},
                                {"redis", true},
                                {"keys", false}}));
}

TEST_F(AdminTest, only_metrics_are_guarded) {
  guarded_ = true;
  EXPECT_EQ(get("/metrics").status, 401);
  for (const char* path : {"/healthz", "/readyz", "/info.json", "/", "/page.css"})
    EXPECT_EQ(get(path).status, 200) << path;
}

TEST_F(AdminTest, page_comes_with_its_type_and_with_strict_headers) {
  const auto index = get("/?user=ada");
  EXPECT_EQ(index.status, 200);
  EXPECT_EQ(index.body, "<!doctype html>");
  EXPECT_EQ(header(index, "content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(header(index, "cache-control"), "no-cache");
  EXPECT_EQ(header(index, "x-content-type-options"), "nosniff");
  const std::string policy = header(index, "content-security-policy");
  for (const char* part : {"default-src 'none'", "script-src 'self'",
                           "connect-src 'self' http: https: ws: wss:", "frame-ancestors 'none'"}) {
    EXPECT_NE(policy.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
}

TEST_F(AdminTest, page_known_to_the_browser_is_not_sent_again) {
  EXPECT_EQ(header(get("/page.css"), "etag"), "\"tag2\"");
  for (const char* known : {"\"tag2\"", "\"tag1\", \"tag2\"", "W/\"tag2\"", "*"}) {
    const auto answer = get("/page.css", {{"If-None-Match", known}});
    EXPECT_EQ(answer.status, 304) << known;
    EXPECT_TRUE(answer.body.empty());
  }
  EXPECT_EQ(get("/page.css", {{"If-None-Match", "\"tag1\""}}).status, 200);
}

TEST_F(AdminTest, head_and_other_methods) {
  EXPECT_TRUE(get("/", {}, "HEAD").omit_body);
  EXPECT_EQ(get("/", {}, "HEAD").status, 200);
  EXPECT_EQ(get("/", {}, "POST").status, 405);
  EXPECT_EQ(get("/page.html").status, 404);
}

}  // namespace
}  // namespace carillon::admin
