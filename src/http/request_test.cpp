#include "http/request.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/testing.hpp"

namespace carillon::http {
namespace {

Request with_target(std::string target) {
  Request request;
  request.target = std::move(target);
  return request;
}

TEST(Request, path_and_query) {
  EXPECT_EQ(with_target("/a/b?c=d&e").path(), "/a/b");
  EXPECT_EQ(with_target("/a/b?c=d&e").query(), "c=d&e");
  EXPECT_EQ(with_target("/a").query(), "");
  EXPECT_EQ(with_target("/a?").query(), "");
  EXPECT_EQ(with_target("/a?b?c").query(), "b?c");
  EXPECT_EQ(with_target("*").path(), "*");
  EXPECT_EQ(with_target("").path(), "/");
}

TEST(Request, absolute_form_targets) {
  EXPECT_EQ(with_target("http://host:80/a/b?c=d").path(), "/a/b");
  EXPECT_EQ(with_target("HTTPS://host/a").path(), "/a");
  EXPECT_EQ(with_target("http://host?c=d").path(), "/");
  EXPECT_EQ(with_target("http://host?c=d").query(), "c=d");
  EXPECT_EQ(with_target("http://host").path(), "/");
  EXPECT_EQ(with_target("/http://host/a").path(), "/http://host/a");
  EXPECT_EQ(with_target("ftp://host/a").path(), "ftp://host/a");
}

TEST(Request, parameters) {
  const Request request = with_target("/?EIO=4&transport=polling&sid=&flag&a=b=c");
  EXPECT_EQ(request.parameter("EIO"), "4");
  EXPECT_EQ(request.parameter("transport"), "polling");
  EXPECT_EQ(request.parameter("sid"), "");
  EXPECT_EQ(request.parameter("flag"), "");
  EXPECT_EQ(request.parameter("a"), "b=c");
  EXPECT_EQ(request.parameter("eio"), std::nullopt);
  EXPECT_EQ(request.parameter(""), std::nullopt);
  EXPECT_EQ(with_target("/").parameter("a"), std::nullopt);
}

TEST(QueryParameter, the_last_of_repeated_ones_counts) {
  EXPECT_EQ(query_parameter("a=1&a=2&b=3", "a"), "2");
  EXPECT_EQ(query_parameter("a=1&%61=2", "a"), "2");
  EXPECT_EQ(query_parameter("a=1&a", "a"), "");
}

TEST(QueryParameter, empty_pairs_are_skipped) {
  EXPECT_EQ(query_parameter("&&a=1&&", "a"), "1");
  EXPECT_EQ(query_parameter("&", ""), std::nullopt);
  EXPECT_EQ(query_parameter("=x", ""), "x");
}

TEST(QueryParameter, is_decoded) {
  EXPECT_EQ(query_parameter("t=a+b%20c%2Bd%26", "t"), "a b c+d&");
  EXPECT_EQ(query_parameter("na%6De=x", "name"), "x");
  EXPECT_EQ(query_parameter("a+b=x", "a b"), "x");
}

TEST(PercentDecode, broken_escapes_stay_as_they_are) {
  EXPECT_EQ(percent_decode("%", false), "%");
  EXPECT_EQ(percent_decode("%4", false), "%4");
  EXPECT_EQ(percent_decode("%4g%zz%-1", false), "%4g%zz%-1");
  EXPECT_EQ(percent_decode("%%41", false), "%A");
  EXPECT_EQ(percent_decode("100%", true), "100%");
}

TEST(PercentDecode, any_byte) {
  EXPECT_EQ(percent_decode("%00%ff%C3%bc", false), std::string("\0\xff\xc3\xbc", 4));
  EXPECT_EQ(percent_decode("a+b", false), "a+b");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
}

TEST(FindHeader, the_last_of_that_name_in_any_case) {
  const std::vector<Header> headers{{"Host", "a"}, {"x-token", "1"}, {"X-Token", "2"}};
  EXPECT_EQ(find_header(headers, "host"), "a");
  EXPECT_EQ(find_header(headers, "X-TOKEN"), "2");
  EXPECT_EQ(find_header(headers, "x-toke"), std::nullopt);
}

TEST(HasToken, in_lists) {
  EXPECT_TRUE(has_token("keep-alive, Upgrade", "upgrade"));
  EXPECT_TRUE(has_token("UPGRADE", "upgrade"));
  EXPECT_TRUE(has_token(" a ,\tb\t, c", "b"));
  EXPECT_FALSE(has_token("upgraded", "upgrade"));
  EXPECT_FALSE(has_token("not upgrade", "upgrade"));
  EXPECT_FALSE(has_token("", "upgrade"));
  EXPECT_FALSE(has_token(",,", "upgrade"));
}

TEST(QueryParameters, each_once_with_its_last_value) {
  using All = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(query_parameters("token=abc&b=%C3%A9+x&token=last&empty&&=x&%61=1"),
            (All{{"token", "last"}, {"b", "\u00e9 x"}, {"empty", ""}, {"", "x"}, {"a", "1"}}));
  EXPECT_EQ(query_parameters(""), All{});
  EXPECT_EQ(query_parameters("&&"), All{});
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += std::to_string(i % 50'000) + "&";
  EXPECT_EQ(query_parameters(many).size(), 50'000U);
}

// With std::hash this takes half a minute.
TEST(QueryParameters, names_that_were_chosen_to_collide_cost_no_more_than_others) {
  std::string query;
  for (const std::string& name : colliding_keys(100'000)) {
    for (const char c : name) query += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    query += '&';
  }
  EXPECT_EQ(query_parameters(query).size(), 100'000U);
}

TEST(WantsWebsocket, takes_both_headers) {
  Request request;
  EXPECT_FALSE(request.wants_websocket());
  request.headers = {{"Upgrade", "WebSocket"}};
  EXPECT_FALSE(request.wants_websocket());
  request.headers.emplace_back("Connection", "keep-alive, Upgrade");
  EXPECT_TRUE(request.wants_websocket());
  request.headers.emplace_back("Connection", "x-hop");
  EXPECT_TRUE(request.wants_websocket());
  request.headers[0].second = "h2c";
  EXPECT_FALSE(request.wants_websocket());
}

}  // namespace
}  // namespace carillon::http
