#include "inbox/log_block.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace carillon::inbox {
namespace {

LogRecord record(std::string id, std::string data = R"({"n":1})") {
  Notification notification{std::move(id), "event", std::move(data), "score", 1'700'000'000'000, 1'700'000'060'000};
  return {std::make_shared<const Notification>(std::move(notification)),
          "key",
          "print",
          std::string("\x07\x02", 2),
          2,
          false};
}

std::string block_of(std::initializer_list<LogRecord> records) {
  std::string block;
  for (const LogRecord& one : records) append_record(block, encode_body(one));
  return block;
}

TEST(LogBlock, GivesBackWhatWasPutIn) {
  const std::string block = block_of({record("a"), record("b", std::string(70'000, 'x'))});
  const auto bodies = split_block(block);
  ASSERT_TRUE(bodies);
  ASSERT_EQ(bodies->size(), 2U);
  const auto first = decode_body((*bodies)[0]);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->notification->id, "a");
  EXPECT_EQ(first->notification->event, "event");
  EXPECT_EQ(first->notification->data, R"({"n":1})");
  EXPECT_EQ(first->notification->collapse_key, "score");
  EXPECT_EQ(first->notification->sent_at, 1'700'000'000'000);
  EXPECT_EQ(first->notification->expires_at, 1'700'000'060'000);
  EXPECT_EQ(first->key, "key");
  EXPECT_EQ(first->fingerprint, "print");
  EXPECT_EQ(first->recipients, std::string("\x07\x02", 2));
  EXPECT_EQ(first->holders, 2U);
  EXPECT_FALSE(first->expired);
  EXPECT_EQ(decode_body((*bodies)[1])->notification->data.size(), 70'000U);
}

TEST(LogBlock, KeepsThePlaceOfWhatIsForgotten) {
  std::string block;
  append_record(block, "");
  append_record(block, encode_body(record("b")));
  const auto bodies = split_block(block);
  ASSERT_TRUE(bodies);
  ASSERT_EQ(bodies->size(), 2U);
  EXPECT_TRUE((*bodies)[0].empty());
  EXPECT_EQ(decode_body((*bodies)[1])->notification->id, "b");
}

TEST(LogBlock, TheDataGoesWithTheLastHolder) {
  LogRecord both = record("a");
  both.release();
  EXPECT_FALSE(both.notification->data.empty());
  both.release();
  EXPECT_TRUE(both.notification->data.empty());
  both.release();
  EXPECT_EQ(both.holders, 0U);
  both.expired = true;
  EXPECT_TRUE(decode_body(encode_body(both))->expired);
  EXPECT_EQ(decode_body(encode_body(both))->bytes(), record("a").bytes()) << "what it counted for is still known";
}

// Each cut and each changed byte is refused or gives another record, never more.
TEST(LogBlock, DamageIsNoticedOrHarmless) {
  const std::string body = encode_body(record("a"));
  for (std::size_t size = 0; size < body.size(); ++size) EXPECT_FALSE(decode_body(body.substr(0, size))) << size;
  EXPECT_FALSE(decode_body(body + "x"));
  EXPECT_FALSE(split_block(""));
  const std::string block = block_of({record("a"), record("b")});
  for (std::size_t i = 0; i < block.size(); ++i) {
    std::string damaged = block;
    damaged[i] = '\xff';
    const auto bodies = split_block(damaged);
    if (!bodies) continue;
    for (const std::string_view one : *bodies) decode_body(one);
  }
}

}  // namespace
}  // namespace carillon::inbox
