#include "http/response.hpp"

#include <gtest/gtest.h>

namespace carillon::http {
namespace {

TEST(Serialize, status_headers_and_body) {
  const Response response{.status = 200, .headers = {{"Content-Type", "text/html"}, {"X", ""}}, .body = "ok"};
  EXPECT_EQ(
      serialize(response, true),
      "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX: \r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok");
}

TEST(Serialize, closes_where_the_request_or_the_response_says_so) {
  Response response{.status = 400};
  EXPECT_EQ(serialize(response, false), "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  response.close = true;
  EXPECT_EQ(serialize(response, true), serialize(response, false));
}

TEST(Serialize, no_length_where_there_can_be_no_body) {
  EXPECT_EQ(serialize({.status = 204}, true), "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(serialize({.status = 304, .body = "x"}, true),
            "HTTP/1.1 304 Not Modified\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(serialize({.status = 101, .headers = {{"Upgrade", "websocket"}}}, true),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
}

TEST(Serialize, the_answer_to_head_tells_the_length) {
  EXPECT_EQ(serialize({.status = 200, .body = "page", .omit_body = true}, true),
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: keep-alive\r\n\r\n");
}

TEST(Serialize, a_line_break_in_a_header_starts_no_new_one) {
  const std::string bytes = serialize({.headers = {{"A\r\nB", std::string("1\r\nEvil: 1\n\0", 12)}}}, true);
  EXPECT_EQ(bytes, "HTTP/1.1 200 OK\r\nA  B: 1  Evil: 1  \r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

TEST(Serialize, bodies_of_any_bytes) {
  const std::string body("\0\r\n\xff", 4);
  EXPECT_TRUE(serialize({.body = body}, true).ends_with("\r\n\r\n" + body));
}

TEST(ReasonPhrase, of_known_and_unknown_statuses) {
  EXPECT_EQ(reason_phrase(413), "Payload Too Large");
  EXPECT_EQ(reason_phrase(426), "Upgrade Required");
  EXPECT_EQ(reason_phrase(599), "Unknown");
}

}  // namespace
}  // namespace carillon::http
