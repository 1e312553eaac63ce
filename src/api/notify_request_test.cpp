#include "api/notify_request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon::api {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

NotifyRequest parsed(std::string_view body) {
  auto request = parse_notify_request(body, {.ttl_s = 77});
  EXPECT_TRUE(request) << (request ? "" : request.error().message);
  return request ? *request : NotifyRequest{};
}

Error refused(std::string_view body) {
  const auto request = parse_notify_request(body, {});
  EXPECT_FALSE(request) << body;
  return request ? Error{} : request.error();
}

TEST(NotifyRequest, ReadsEveryField) {
  const NotifyRequest request = parsed(
      R"({"to":{"users":["b","a","b",42,18446744073709551615]},"event":"e","data":{"x": [1]},"ttl_s":5,"idempotency_key":"i","collapse_key":"c"})");
  EXPECT_THAT(request.users, ElementsAre("b", "a", "42", "18446744073709551615"));
  EXPECT_EQ(request.event, "e");
  EXPECT_EQ(request.data, R"({"x": [1]})");
  EXPECT_EQ(request.ttl_s, 5);
  EXPECT_EQ(request.idempotency_key, "i");
  EXPECT_EQ(request.collapse_key, "c");
  EXPECT_EQ(request.fingerprint.size(), 64U);
}

TEST(NotifyRequest, HasDefaults) {
  const NotifyRequest request = parsed(R"({"to":{"room":"news"},"data":null})");
  EXPECT_EQ(request.room, "news");
  EXPECT_EQ(request.event, "notification");
  EXPECT_EQ(request.data, "null");
  EXPECT_EQ(request.ttl_s, 77);
  EXPECT_EQ(request.fingerprint, "");
}

TEST(NotifyRequest, BodiesThatAreEqualAsJsonHaveOneFingerprint) {
  const std::string one =
      parsed(R"({"to":{"users":["a"]},"data":{"x":1,"y":[{"p":1,"q":2}]},"idempotency_key":"k"})").fingerprint;
  EXPECT_EQ(one, parsed(R"( {"idempotency_key":"k", "data":{"y":[{"q":2,"p":1}],"x":1}, "to":{"users":["\u0061"]}} )")
                     .fingerprint);
  EXPECT_NE(one,
            parsed(R"({"to":{"users":["a"]},"data":{"x":1,"y":[{"p":2,"q":1}]},"idempotency_key":"k"})").fingerprint);
  EXPECT_NE(one, parsed(R"({"to":{"users":["a"]},"data":{"x":1,"y":[{"p":1,"q":2}]},"idempotency_key":"k","ttl_s":9})")
                     .fingerprint);
}

TEST(NotifyRequest, RefusalsNameTheField) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "the body is not JSON"},
      {"[]", "the body: expected a JSON object"},
      {"{}", "to: the field is missing"},
      {R"({"to":{"users":["a"]}})", "data: the field is missing"},
      {R"({"to":["a"],"data":1})", "to: expected"},
      {R"({"to":{},"data":1})", "to: expected"},
      {R"({"to":{"users":[]},"data":1})", "to.users: expected 1 to 10000"},
      {R"({"to":{"users":"a"},"data":1})", "to.users: expected an array"},
      {R"({"to":{"users":["a",""]},"data":1})", "to.users[1]: a user id"},
      {R"({"to":{"users":["\u0085"]},"data":1})", "to.users[0]: a user id"},
      {R"({"to":{"users":[1.5]},"data":1})", "to.users[0]: a user id"},
      {R"({"to":{"room":""},"data":1})", "to.room:"},
      {R"({"to":{"room":1},"data":1})", "to.room:"},
      {R"({"to":{"room":"r"},"data":1,"data":2})", "data: the field is given twice"},
      {R"({"to":{"room":"r"},"data":1,"x":2})", "x: there is no such field"},
      {R"({"to":{"room":"r"},"data":1,"event":"disconnect"})", "event: "},
      {R"({"to":{"room":"r"},"data":1,"event":""})", "event: "},
      {R"({"to":{"room":"r"},"data":1,"ttl_s":0})", "ttl_s: expected"},
      {R"({"to":{"room":"r"},"data":1,"ttl_s":31536001})", "ttl_s: expected"},
      {R"({"to":{"room":"r"},"data":1,"ttl_s":1.5})", "ttl_s: expected"},
      {R"({"to":{"room":"r"},"data":1,"ttl_s":"1"})", "ttl_s: expected"},
      {R"({"to":{"room":"r"},"data":1,"idempotency_key":""})", "idempotency_key: expected"},
  };
  for (const auto& [body, message] : cases) EXPECT_THAT(refused(body).message, StartsWith(message)) << body;
}

TEST(NotifyRequest, DataIsMeasuredAsItStands) {
  const auto body = [](std::size_t size) {
    return R"({"to":{"room":"r"},"data":")" + std::string(size - 2, 'x') + "\"}";
  };
  EXPECT_EQ(parsed(body(data_bytes_max)).data.size(), data_bytes_max);
  EXPECT_EQ(refused(body(data_bytes_max + 1)).status, 413);
}

}  // namespace
}  // namespace carillon::api
