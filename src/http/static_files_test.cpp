#include "http/static_files.hpp"

#include <gtest/gtest.h>

#include <string>

namespace carillon::http {
namespace {

const std::string script(5000, 'x');

Request asking(std::string method, std::vector<Header> headers = {}) {
  Request request;
  request.method = std::move(method);
  request.headers = std::move(headers);
  return request;
}

std::string header(const Response& response, std::string_view name) {
  return std::string(find_header(response.headers, name).value_or("(none)"));
}

class StaticFilesTest : public ::testing::Test {
 protected:
  StaticFilesTest() {
    files.add("a.js", "application/javascript; charset=utf-8", script);
    files.add_missing("b.js", "b.js is not here, because.");
  }
  StaticFiles files;
};

TEST_F(StaticFilesTest, a_file_comes_with_its_headers) {
  const auto response = files.answer("a.js", asking("GET"));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, script);
  EXPECT_EQ(header(*response, "content-type"), "application/javascript; charset=utf-8");
  EXPECT_EQ(header(*response, "cache-control"), "public, max-age=0");
  EXPECT_EQ(header(*response, "vary"), "Accept-Encoding");
  EXPECT_EQ(header(*response, "content-encoding"), "(none)");
}

TEST_F(StaticFilesTest, head_asks_for_everything_but_the_body) {
  const auto response = files.answer("a.js", asking("HEAD"));
  ASSERT_TRUE(response);
  EXPECT_TRUE(response->omit_body);
  EXPECT_EQ(response->body.size(), script.size());
}

TEST_F(StaticFilesTest, it_is_compressed_as_the_client_likes) {
  const auto gzip = files.answer("a.js", asking("GET", {{"Accept-Encoding", "gzip, deflate, br"}}));
  EXPECT_EQ(header(*gzip, "content-encoding"), "gzip");
  EXPECT_EQ(gzip->body, encode(script, Coding::gzip, 9));
  const auto deflate = files.answer("a.js", asking("GET", {{"Accept-Encoding", "deflate"}}));
  EXPECT_EQ(header(*deflate, "content-encoding"), "deflate");
  EXPECT_LT(deflate->body.size(), 100U);
  EXPECT_EQ(files.answer("a.js", asking("GET", {{"Accept-Encoding", "gzip"}}))->body, gzip->body) << "once more";
}

TEST_F(StaticFilesTest, who_has_it_already_is_told_so) {
  const std::string etag = header(*files.answer("a.js", asking("GET")), "etag");
  EXPECT_TRUE(etag.starts_with('"') && etag.ends_with('"')) << etag;
  for (const std::string& known : {etag, "W/" + etag, std::string("*"), "\"other\", " + etag}) {
    const auto response = files.answer("a.js", asking("GET", {{"If-None-Match", known}}));
    EXPECT_EQ(response->status, 304) << known;
    EXPECT_EQ(response->body, "");
    EXPECT_EQ(header(*response, "etag"), etag);
  }
  EXPECT_EQ(files.answer("a.js", asking("GET", {{"If-None-Match", "\"other\""}}))->status, 200);
}

TEST_F(StaticFilesTest, other_content_has_another_tag) {
  files.add("c.js", "text/plain", "one");
  files.add("d.js", "text/plain", "two");
  EXPECT_NE(header(*files.answer("c.js", asking("GET")), "etag"), header(*files.answer("d.js", asking("GET")), "etag"));
}

TEST_F(StaticFilesTest, what_is_missing_says_why) {
  const auto response = files.answer("b.js", asking("GET"));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->body, "b.js is not here, because.\n");
}

TEST_F(StaticFilesTest, other_names_and_methods_are_not_its_business) {
  EXPECT_FALSE(files.answer("", asking("GET")));
  EXPECT_FALSE(files.answer("a.js/", asking("GET")));
  EXPECT_FALSE(files.answer("../a.js", asking("GET")));
  EXPECT_FALSE(files.answer("a.js", asking("POST")));
}

}  // namespace
}  // namespace carillon::http
