#include "http/chunked_body.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace carillon::http {
namespace {

// In one piece, then byte by byte; both must agree.
Result<std::string, ChunkError> decode(std::string_view bytes, std::size_t line_bytes_max = 100,
                                       std::size_t body_bytes_max = 100) {
  ChunkedBody whole(line_bytes_max, body_bytes_max);
  ChunkedBody single(line_bytes_max, body_bytes_max);
  const auto used = whole.feed(bytes);
  Result<std::size_t, ChunkError> step = 0;
  std::size_t at = 0;
  for (; at < bytes.size() && !single.done() && step; ++at) step = single.feed(bytes.substr(at, 1));
  EXPECT_EQ(used.has_value(), step.has_value());
  EXPECT_EQ(whole.done(), single.done());
  EXPECT_EQ(whole.body(), single.body());
  if (!used) {
    EXPECT_EQ(Failure(used.error()), step);
    return Failure(used.error());
  }
  EXPECT_EQ(*used, at);
  return whole.body() + (whole.done() ? "" : "...") + std::string(bytes.substr(*used));
}

TEST(ChunkedBody, is_put_together) {
  EXPECT_EQ(decode("5\r\nhello\r\n1\r\n \r\n00a\r\n0123456789\r\n0\r\n\r\n"), "hello 0123456789");
  EXPECT_EQ(decode("0\r\n\r\n"), "");
}

TEST(ChunkedBody, leaves_what_follows) { EXPECT_EQ(decode("1\r\nx\r\n0\r\n\r\nGET /"), "xGET /"); }

TEST(ChunkedBody, waits_for_the_rest) {
  const std::string_view bytes = "2 ; a = \"b\"\r\nxy\r\n0\r\nT: u\r\n\r\n";
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto begin = decode(bytes.substr(0, cut));
    ASSERT_TRUE(begin) << cut;
    EXPECT_TRUE(begin->ends_with("...")) << cut;
  }
  EXPECT_EQ(decode(bytes), "xy");
}

TEST(ChunkedBody, chunks_hold_whatever_bytes) {
  EXPECT_EQ(decode("8\r\n\r\n0\r\n\r\n\n\r\n0\r\n\r\n"), "\r\n0\r\n\r\n\n");
}

TEST(ChunkedBody, refuses_what_another_reader_might_read_in_another_way) {
  for (const std::string_view bytes : {"\r\n",
                                       " 1\r\n",
                                       "+1\r\n",
                                       "0x1\r\n",
                                       "1 2\r\n",
                                       "1;\r\n",
                                       "1\n",
                                       "1\r\r\n",
                                       "1;a=\"\n",
                                       "1;a=\"\rb\"\r\n",
                                       "1;a\x01\r\n",
                                       "1;a\x7f\r\n",
                                       "1\r\nxy",
                                       "1\r\nx\n",
                                       "1\r\nx\rx",
                                       "10000000000000000\r\n",
                                       "0\r\n:v\r\n",
                                       "0\r\nno colon\r\n",
                                       "0\r\nn ame: v\r\n",
                                       "0\r\n folded: v\r\n",
                                       "0\r\nContent-Length: 1\r\n",
                                       "0\r\ntransfer-encoding: chunked\r\n",
                                       "0\r\nHost: other\r\n"})
    EXPECT_EQ(decode(bytes), Failure(ChunkError::malformed)) << bytes;
  EXPECT_EQ(decode(std::string_view("1;\0\r\n", 5)), Failure(ChunkError::malformed));
}

TEST(ChunkedBody, lines_have_a_limit) {
  EXPECT_EQ(decode("1;a=xyz\r\nx\r\n0\r\n\r\n", 9), "x");
  EXPECT_EQ(decode("1;a=xyzz\r\n", 9), Failure(ChunkError::line_too_long));
  EXPECT_EQ(decode("0000000001", 9), Failure(ChunkError::line_too_long));
}

TEST(ChunkedBody, trailers_share_a_limit) {
  EXPECT_EQ(decode("0\r\nA: 1\r\nB: 2\r\n\r\n", 14), "");
  EXPECT_EQ(decode("0\r\nA: 1\r\nB: 2\r\n\r\n", 13), Failure(ChunkError::line_too_long));
}

TEST(ChunkedBody, body_has_a_limit) {
  EXPECT_EQ(decode("3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", 20, 4), "abcd");
  EXPECT_EQ(decode("3\r\nabc\r\n2\r\n", 20, 4), Failure(ChunkError::body_too_large));
  EXPECT_EQ(decode("ffffffffffffffff\r\n", 20, 4), Failure(ChunkError::body_too_large));
}

}  // namespace
}  // namespace carillon::http
