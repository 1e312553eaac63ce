#include "cluster/session_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.hpp"
#include "cluster/session_codec.hpp"
#include "cluster/testing.hpp"

namespace carillon::cluster {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Life = socketio::SessionPort::Life;

redis::Reply integer(std::int64_t number) { return {.type = redis::Reply::Type::integer, .number = number}; }
redis::Reply text(std::string value) { return {.type = redis::Reply::Type::text, .text = std::move(value)}; }

class SessionStoreTest : public ::testing::Test {
 protected:
  SessionStoreTest() { configure_log(LogLevel::off, LogFormat::text); }

  static socketio::SessionRecord record(std::string owner = "0123456789abcdef") {
    return {.pid = "p1", .owner = std::move(owner), .sid = "s1", .rooms = {"s1"}, .data = Object{}};
  }
  void answer(redis::Reply reply) { std::exchange(link.command_done.back(), {})(std::move(reply)); }
  void fail(redis::CommandError::Kind kind) {
    std::exchange(link.command_done.back(), {})(std::unexpected(redis::CommandError{kind, "no"}));
  }

  FakeLink link;
  Statistics statistics;
  std::vector<std::string> taken;
  SessionStore store{
      link,
      statistics,
      {.key_prefix = "sio:session:", .away_max = Milliseconds(1'000), .renew_interval = Milliseconds(100)},
      [this](const std::string& pid, const std::string& owner) { taken.push_back(pid + " of " + owner); }};
};

TEST_F(SessionStoreTest, AFreshRecordIsSet) {
  store.write(record(), Life::fresh);
  EXPECT_THAT(link.commands.back(), ElementsAre("SET", "sio:session:p1", encode_session(record()), "PX", "1100"));
  fail(redis::CommandError::Kind::unavailable);
  EXPECT_THAT(taken, IsEmpty());
}

TEST_F(SessionStoreTest, ARecordIsRenewedByItsOwnerOnly) {
  store.write(record(), Life::connected);
  const auto& words = link.commands.back();
  EXPECT_EQ(words[0], "EVAL");
  EXPECT_THAT(std::vector(words.begin() + 2, words.end()),
              ElementsAre("1", "sio:session:p1", mark_of_owner("0123456789abcdef"), encode_session(record()), "1100"));
  answer(integer(1));
  EXPECT_THAT(taken, IsEmpty());
  store.write(record(), Life::lost);
  EXPECT_EQ(link.commands.back().back(), "1000");
  answer(integer(0));
  EXPECT_THAT(taken, ElementsAre("p1 of 0123456789abcdef"));
}

TEST_F(SessionStoreTest, FindsAndTakes) {
  std::optional<socketio::SessionRecord> found;
  store.find("p1", [&](auto record) { found = std::move(record); });
  EXPECT_THAT(link.commands.back(), ElementsAre("GET", "sio:session:p1"));
  answer(text(encode_session(record())));
  ASSERT_TRUE(found);
  std::vector<bool> won;
  for (const std::int64_t answered : {1, 0}) {
    store.take(*found, record("fedcba9876543210"), [&](bool is_ours) { won.push_back(is_ours); });
    EXPECT_EQ(link.commands.back()[4], mark_of_owner("0123456789abcdef")) << "as long as it is the one that was found";
    EXPECT_EQ(link.commands.back()[5], encode_session(record("fedcba9876543210")));
    answer(integer(answered));
  }
  store.take(*found, record(), [&](bool is_ours) { won.push_back(is_ours); });
  fail(redis::CommandError::Kind::lost);
  EXPECT_THAT(won, ElementsAre(true, false, false));
}

TEST_F(SessionStoreTest, WhatIsNotThereIsNotFound) {
  int calls = 0;
  for (int i = 0; i < 3; ++i) {
    store.find("p1", [&](auto record) {
      EXPECT_FALSE(record);
      ++calls;
    });
    if (i == 0) answer({});
    if (i == 1) answer(text("rubbish"));
    if (i == 2) fail(redis::CommandError::Kind::refused);
  }
  EXPECT_EQ(calls, 3);
}

TEST_F(SessionStoreTest, IsRemovedByItsOwnerOnly) {
  store.remove("p1", "0123456789abcdef");
  const auto& words = link.commands.back();
  EXPECT_THAT(std::vector(words.begin() + 2, words.end()),
              ElementsAre("1", "sio:session:p1", mark_of_owner("0123456789abcdef")));
}

TEST_F(SessionStoreTest, ARecordThatIsTooLargeIsNotWritten) {
  auto large = record();
  large.data = std::string(2'000'000, 'x');
  store.write(large, Life::connected);
  EXPECT_THAT(link.commands, IsEmpty());
  EXPECT_EQ(statistics.sessions_refused.value(), 1U);
}

TEST_F(SessionStoreTest, RedisIsNotGivenEverythingAtOnce) {
  std::vector<std::string> found;
  const auto find = [&](SessionStore& of, const std::string& pid) {
    of.find(pid, [&, pid](auto record) { found.push_back(pid + (record ? "+" : "-")); });
  };
  SessionStore narrow{
      link, statistics, {.in_flight_max = 2, .waiting_max = 2}, [](const std::string&, const std::string&) {}};
  for (const char* pid : {"a", "b", "c", "d", "e"}) find(narrow, pid);
  EXPECT_THAT(found, ElementsAre("e-")) << "too many";
  EXPECT_EQ(statistics.sessions_refused.value(), 1U);
  EXPECT_EQ(link.commands.size(), 2U);
  std::exchange(link.command_done.at(0), {})(redis::Reply{});
  EXPECT_THAT(found, ElementsAre("e-", "a-"));
  EXPECT_EQ(link.commands.back().back(), "sio:session:c");
  for (std::size_t i = 1; i < 4; ++i) std::exchange(link.command_done.at(i), {})(redis::Reply{});
  EXPECT_THAT(found, ElementsAre("e-", "a-", "b-", "c-", "d-"));
}

TEST_F(SessionStoreTest, AnAnswerAfterItsEndIsNothing) {
  auto other = std::make_unique<SessionStore>(link, statistics, SessionStore::Settings{},
                                              [](const std::string&, const std::string&) {});
  other->find("p1", [](auto) { FAIL(); });
  other.reset();
  answer({});
}

}  // namespace
}  // namespace carillon::cluster
