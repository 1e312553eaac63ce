#include "redis/resp_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace carillon::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

std::string show(const Reply& reply) {
  switch (reply.type) {
    case Reply::Type::status:
      return "+" + reply.text;
    case Reply::Type::error:
      return "-" + reply.text;
    case Reply::Type::integer:
      return ":" + std::to_string(reply.number);
    case Reply::Type::text:
      return "$" + reply.text;
    case Reply::Type::nil:
      return "nil";
    case Reply::Type::array:
      break;
  }
  std::string text = "[";
  for (const Reply& item : reply.items) text += (text.size() > 1 ? " " : "") + show(item);
  return text + "]";
}

std::vector<std::string> read(RespReader& reader, std::string_view bytes) {
  std::vector<std::string> replies;
  reader.feed(bytes);
  while (const Reply* reply = reader.next()) replies.push_back(show(*reply));
  return replies;
}

constexpr std::string_view all_kinds =
    "+OK\r\n-ERR bad\r\n:-42\r\n$5\r\nhello\r\n$-1\r\n*-1\r\n*0\r\n"
    "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$4\r\n\r\n\r\n\r\n"
    "*2\r\n*2\r\n$1\r\nx\r\n*2\r\n*0\r\n:1\r\n$1\r\ny\r\n*4\r\n:1\r\n:2\r\n$-1\r\n:4\r\n*1\r\n:5\r\n+end\r\n";

TEST(RespReaderTest, ReadsEveryKindOfReply) {
  RespReader reader(1'000);
  EXPECT_THAT(read(reader, all_kinds),
              ElementsAre("+OK", "-ERR bad", ":-42", "$hello", "nil", "nil", "[]", "[$message $a $\r\n\r\n]",
                          "[[$x [[] :1]] $y]", "[:1 :2 nil :4]", "[:5]", "+end"));
  EXPECT_THAT(reader.error(), IsEmpty());
}

TEST(RespReaderTest, ReadsTheSameByteByByte) {
  RespReader whole(1'000);
  RespReader slow(1'000);
  std::vector<std::string> replies;
  for (const char byte : all_kinds)
    for (const std::string& reply : read(slow, {&byte, 1})) replies.push_back(reply);
  EXPECT_EQ(replies, read(whole, all_kinds));
}

TEST(RespReaderTest, ManyLargeReplies) {
  RespReader reader(200'000);
  std::string bytes;
  for (int i = 0; i < 50; ++i)
    bytes += "$100000\r\n" + std::string(100'000, static_cast<char>('a' + i % 26)) + "\r\n:7\r\n";
  reader.feed(bytes);
  for (int i = 0; i < 50; ++i) {
    const Reply* reply = reader.next();
    ASSERT_NE(reply, nullptr);
    EXPECT_EQ(reply->text, std::string(100'000, static_cast<char>('a' + i % 26)));
    reply = reader.next();
    ASSERT_NE(reply, nullptr);
    EXPECT_EQ(reply->number, 7);
  }
  EXPECT_EQ(reader.next(), nullptr);
}

TEST(RespReaderTest, RefusesNonsense) {
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "*1\r\n";
  for (const std::string& bytes : {std::string("HTTP/1.1 200 OK\r\n"), std::string("$x\r\n"), std::string("$-2\r\n"),
                                   std::string("*99999999999\r\n"), std::string("*-5\r\n"), std::string(":abc\r\n"),
                                   deep, std::string("\0\0\0\0", 4), std::string("\r\n")}) {
    RespReader reader(1'000);
    EXPECT_THAT(read(reader, bytes), IsEmpty()) << bytes.substr(0, 30);
    EXPECT_THAT(reader.error(), Not(IsEmpty())) << bytes.substr(0, 30);
    EXPECT_THAT(read(reader, "+OK\r\n"), IsEmpty());  // final
    reader.reset();
    EXPECT_THAT(read(reader, "+OK\r\n"), ElementsAre("+OK"));
  }
}

TEST(RespReaderTest, AReplyMayBeMovedFrom) {
  RespReader reader(1'000);
  reader.feed("*2\r\n$1\r\na\r\n*1\r\n:1\r\n*3\r\n:1\r\n:2\r\n:3\r\n");
  const Reply taken = std::move(*reader.next());
  EXPECT_EQ(show(*reader.next()), "[:1 :2 :3]");
  EXPECT_EQ(show(taken), "[$a [:1]]");
}

// Small items take more memory here than bytes on the wire.
TEST(RespReaderTest, BoundsWhatManyItemsTake) {
  RespReader reader(100'000);
  reader.feed("*50000\r\n");
  EXPECT_EQ(reader.next(), nullptr);
  std::string bytes;
  for (int i = 0; i < 10'000; ++i) bytes += ":1\r\n";
  reader.feed(bytes);
  EXPECT_EQ(reader.next(), nullptr);
  EXPECT_TRUE(reader.too_long());
  reader.reset();
  EXPECT_FALSE(reader.too_long());
  EXPECT_THAT(read(reader, "*1\r\n:1\r\n"), ElementsAre("[:1]"));
}

// Claimed lengths cost nothing; what comes is kept up to the limit.
TEST(RespReaderTest, BoundsWhatItKeeps) {
  RespReader reader(100'000);
  EXPECT_THAT(read(reader, "*1000000000\r\n$500000000\r\n"), IsEmpty());
  EXPECT_THAT(reader.error(), IsEmpty());
  const std::string chunk(10'000, 'x');
  int chunks = 0;
  for (; reader.error().empty() && chunks < 100; ++chunks) read(reader, chunk);
  EXPECT_LE(chunks, 12);
  EXPECT_TRUE(reader.too_long());
}

}  // namespace
}  // namespace carillon::redis
