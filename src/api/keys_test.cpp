#include "api/keys.hpp"

#include <gtest/gtest.h>

namespace carillon::api {
namespace {

http::Request request_with(std::vector<http::Header> headers) {
  http::Request request;
  request.method = "POST";
  request.target = "/v1/emit";
  request.headers = std::move(headers);
  return request;
}

int status(const Keys& keys, std::vector<http::Header> headers) {
  const auto refused = keys.refuse(request_with(std::move(headers)));
  return refused ? refused->status : 0;
}

TEST(Keys, any_of_them_is_accepted) {
  const Keys keys({"first", "second"});
  EXPECT_EQ(status(keys, {{"Authorization", "Bearer first"}}), 0);
  EXPECT_EQ(status(keys, {{"authorization", "bearer   second "}}), 0);
}

TEST(Keys, anything_else_is_refused) {
  const Keys keys({"first", "second"});
  EXPECT_EQ(status(keys, {}), 401);
  for (const char* value : {"", "Bearer", "Bearer ", "Bearer firs", "Bearer first2", "Bearer First", "first",
                            "Basic first", "Bearer first second", "Bearer, first"}) {
    EXPECT_EQ(status(keys, {{"Authorization", value}}), 401) << value;
  }
}

TEST(Keys, a_refusal_says_how_to_ask) {
  const auto refused = Keys({"first"}).refuse(request_with({}));
  ASSERT_TRUE(refused);
  EXPECT_EQ(http::find_header(refused->headers, "www-authenticate"), "Bearer");
  EXPECT_NE(refused->body.find(R"("code":"unauthorized")"), std::string::npos);
  EXPECT_EQ(refused->body.find("first"), std::string::npos);
}

TEST(Keys, without_any_only_pages_of_other_sites_are_refused) {
  const Keys none({});
  EXPECT_EQ(status(none, {}), 0);
  EXPECT_EQ(status(none, {{"Authorization", "Bearer whatever"}}), 0);
  for (const char* origin :
       {"http://127.0.0.1:3001", "http://localhost:3001", "http://[::1]:3001", "http://localhost", "https://[::1]"}) {
    EXPECT_EQ(status(none, {{"Origin", origin}}), 0) << origin;
  }
  for (const char* origin :
       {"http://example.com", "null", "", "http://localhost.example.com", "http://127.0.0.1.nip.io:3001",
        "http://localhost:3001.example.com", "http://evil@localhost"}) {
    EXPECT_EQ(status(none, {{"Origin", origin}}), 403) << origin;
  }
}

TEST(Keys, with_a_key_the_origin_does_not_matter) {
  EXPECT_EQ(status(Keys({"k"}), {{"Origin", "http://example.com"}, {"Authorization", "Bearer k"}}), 0);
}

}  // namespace
}  // namespace carillon::api
