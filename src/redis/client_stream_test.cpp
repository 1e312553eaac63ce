// Streams that are followed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/log.hpp"
#include "redis/client.hpp"
#include "redis/fake_redis.hpp"

namespace carillon::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Rig;
using ::testing::SizeIs;
using testing::Words;
using Network = Rig::Network;

class ClientStreamTest : public ::testing::Test {
 protected:
  ClientStreamTest() { configure_log(LogLevel::off, LogFormat::text); }

  static Words entry(int number) { return {"n", std::to_string(number)}; }
};

TEST_F(ClientStreamTest, EntriesFromNowOnCome) {
  Rig rig;
  rig.redis.add("s", entry(1));
  rig.client.follow("s");
  rig.client.follow("none yet");
  rig.client.follow("s");
  EXPECT_FALSE(rig.client.ready());
  rig.run();
  EXPECT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.dials, 3);
  rig.redis.add("s", entry(2));
  rig.run();
  rig.redis.add("none yet", {"a", "b", "c", ""});
  rig.run();
  rig.redis.add("s", entry(3));
  rig.run();
  EXPECT_THAT(rig.listener.entries, ElementsAre("s 1000-2 n=2", "none yet 1000-1 a=b c=", "s 1000-3 n=3"));
  EXPECT_EQ(rig.client.statistics().entries.value(), 3U);
}

// Between two reads nothing is missed: each goes on from the last id.
TEST_F(ClientStreamTest, EntriesThatComeWhileTheAnswerIsOnItsWayAreRead) {
  Rig rig;
  rig.client.follow("s");
  rig.run();
  rig.answering = false;
  for (int i = 0; i < 10; ++i) {
    rig.redis.add("s", entry(i));
    rig.run();
  }
  rig.answering = true;
  rig.run();
  EXPECT_THAT(rig.listener.entries, SizeIs(10));
}

TEST_F(ClientStreamTest, NothingIsFollowedWithoutBeingAsked) {
  Rig rig;
  rig.run();
  EXPECT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.dials, 2);
  EXPECT_FALSE(rig.client.wants_connection(Role::reader));
}

TEST_F(ClientStreamTest, TheLinkIsReadyOnlyWhenTheFirstReadWasAnswered) {
  Rig rig;
  rig.client.follow("s");
  rig.redis.override_answer = [](const Words& words) { return words[0] == "XREAD" ? ":" : ""; };
  rig.run();
  EXPECT_FALSE(rig.client.ready());
  rig.redis.override_answer = nullptr;
  rig.drop(Role::reader);
  rig.advance(Milliseconds{200});
  EXPECT_TRUE(rig.client.ready());
}

TEST_F(ClientStreamTest, GoesOnAfterAnOutageWithWhatWasAddedMeanwhile) {
  Rig rig;
  rig.client.follow("s");
  rig.run();
  rig.redis.add("s", entry(1));
  rig.run();
  rig.network = Network::refused;
  rig.drop_all();
  for (int i = 2; i < 300; ++i) rig.redis.add("s", entry(i));
  rig.network = Network::up;
  rig.advance(Milliseconds{1'000});
  ASSERT_THAT(rig.listener.entries, SizeIs(299));
  for (int i = 1; i < 300; ++i)
    EXPECT_EQ(rig.listener.entries[static_cast<std::size_t>(i) - 1],
              "s 1000-" + std::to_string(i) + " n=" + std::to_string(i));
  EXPECT_THAT(rig.listener.lost, IsEmpty());
  EXPECT_THAT(rig.listener.ready, ElementsAre(true, false, true));
}

TEST_F(ClientStreamTest, LosingTheReaderDoesNotStopPublishing) {
  Rig rig;
  rig.client.follow("s");
  rig.client.subscribe("a");
  rig.run();
  rig.network = Network::refused;
  rig.drop(Role::reader);
  EXPECT_FALSE(rig.client.ready());
  rig.client.publish("c", "1");
  rig.run();
  EXPECT_THAT(rig.published(), ElementsAre("1"));
  rig.network = Network::up;
  rig.advance(Milliseconds{1'000});
  EXPECT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.dials, 4);
}

// --- what is lost ---

TEST_F(ClientStreamTest, EntriesThatWereTrimmedBeforeTheyWereReadAreTold) {
  Rig rig;
  rig.client.follow("s");
  rig.run();
  for (int i = 0; i < 5; ++i) rig.redis.add("s", entry(i));
  rig.run();
  rig.network = Network::refused;
  rig.drop_all();
  for (int i = 5; i < 20; ++i) rig.redis.add("s", entry(i));
  rig.redis.trim("s", 3);
  rig.network = Network::up;
  rig.advance(Milliseconds{1'000});
  EXPECT_THAT(rig.listener.lost, ElementsAre("s"));
  EXPECT_THAT(rig.listener.entries, SizeIs(5 + 3));
  EXPECT_EQ(rig.client.statistics().entries_lost.value(), 1U);
}

TEST_F(ClientStreamTest, ATrimThatSparesWhatIsUnreadLosesNothing) {
  Rig rig;
  rig.client.follow("s");
  rig.run();
  for (int i = 0; i < 5; ++i) rig.redis.add("s", entry(i));
  rig.run();
  rig.network = Network::refused;
  rig.drop_all();
  rig.redis.trim("s", 1);
  rig.redis.add("s", entry(5));
  rig.network = Network::up;
  rig.advance(Milliseconds{1'000});
  EXPECT_THAT(rig.listener.lost, IsEmpty());
  EXPECT_THAT(rig.listener.entries, SizeIs(6));
}

TEST_F(ClientStreamTest, AStreamThatWasEmptyAtTheStartMayGrowDuringAnOutage) {
  for (const bool counts : {true, false}) {
    for (const bool trimmed : {true, false}) {
      Rig rig;
      rig.redis.counts_entries = counts;
      rig.client.follow("s");
      rig.run();
      rig.network = Network::refused;
      rig.drop_all();
      for (int i = 0; i < 5; ++i) rig.redis.add("s", entry(i));
      if (trimmed) rig.redis.trim("s", 2);
      rig.network = Network::up;
      rig.advance(Milliseconds{1'000});
      EXPECT_THAT(rig.listener.entries, SizeIs(trimmed ? 2 : 5));
      EXPECT_THAT(rig.listener.lost, SizeIs(trimmed && counts ? 1 : 0)) << "Redis 6 does not count what was added";
    }
  }
}

// Deleted, or a failover to a replica that had less of it.
TEST_F(ClientStreamTest, AStreamThatWentBackIsToldAndFollowedFromItsEnd) {
  Rig rig;
  rig.client.follow("s");
  rig.run();
  for (int i = 0; i < 5; ++i) rig.redis.add("s", entry(i));
  rig.run();
  rig.drop_all();
  rig.redis.streams["s"].entries.resize(2);
  rig.redis.streams["s"].last = {1'000, 2};
  rig.advance(Milliseconds{1'000});
  EXPECT_THAT(rig.listener.lost, ElementsAre("s"));
  EXPECT_THAT(rig.listener.entries, SizeIs(5));  // none of them again
  rig.drop_all();
  rig.redis.streams.erase("s");
  rig.advance(Milliseconds{1'000});
  EXPECT_THAT(rig.listener.lost, ElementsAre("s", "s"));
  rig.redis.add("s", entry(7));
  rig.run();
  EXPECT_EQ(rig.listener.entries.back(), "s 1000-1 n=7");
  EXPECT_TRUE(rig.client.ready());
}

TEST_F(ClientStreamTest, AReaderThatIsSlowerThanTheTrimmingIsTold) {
  ClientOptions options;
  options.stream_read_count_max = 10;
  Rig rig(options);
  rig.client.follow("s");
  rig.run();
  rig.answering = false;
  for (int i = 0; i < 50; ++i) rig.redis.add("s", entry(i));
  rig.run();
  rig.answering = true;
  rig.redis.override_answer = [&](const Words& words) -> std::string {
    // Others add and trim between two reads.
    if (words[0] == "XINFO" && rig.redis.streams["s"].entries.size() > 5) rig.redis.trim("s", 5);
    return "";
  };
  rig.run();
  EXPECT_THAT(rig.listener.lost, ElementsAre("s"));
  EXPECT_EQ(rig.listener.entries.back(), "s 1000-50 n=49");
}

// --- a Redis that misbehaves ---

TEST_F(ClientStreamTest, AHangingRedisIsNoticedOnTheReaderToo) {
  Rig rig;
  rig.client.follow("s");
  rig.run();
  rig.advance(Milliseconds{600'000});  // ten minutes of silence are fine: reads that wait are answered
  EXPECT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.dials, 3);
  EXPECT_THAT(rig.redis.commands("XREAD").back(),
              ElementsAre("XREAD", "COUNT", "100", "BLOCK", "5000", "STREAMS", "s", "0-0"));
  rig.answering = false;
  rig.advance(Milliseconds{10'001});
  EXPECT_FALSE(rig.client.ready());
  EXPECT_EQ(rig.client.statistics().timeouts.value(), 3U);
}

TEST_F(ClientStreamTest, NonsenseAndErrorsAreOvercome) {
  for (const std::string answer :
       {"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", "-NOPERM no\r\n", "+OK\r\n",
        "*1\r\n:1\r\n", "*2\r\n$17\r\nlast-generated-id\r\n$1\r\nx\r\n", "*1\r\n*2\r\n$5\r\nother\r\n*0\r\n",
        "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n0-0\r\n*0\r\n", "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*1\r\n$3\r\n5-1\r\n",
        "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n5-1\r\n*1\r\n$1\r\nx\r\n"}) {
    for (const std::string verb : {"XINFO", "XREAD"}) {
      Rig rig;
      rig.redis.add("s", entry(1));
      rig.client.follow("s");
      rig.redis.override_answer = [&](const Words& words) { return words[0] == verb ? answer : ""; };
      rig.advance(Milliseconds{20'000});
      EXPECT_FALSE(rig.client.ready()) << answer;
      EXPECT_LE(rig.dials, 30);
      rig.redis.override_answer = nullptr;
      rig.advance(Milliseconds{6'000});
      EXPECT_TRUE(rig.client.ready()) << answer;
      rig.redis.add("s", entry(2));
      rig.run();
      EXPECT_THAT(rig.listener.entries, ElementsAre("s 1000-2 n=2"));
    }
  }
}

// A hundred large entries in one answer may be more than is taken at once.
TEST_F(ClientStreamTest, AnswersThatAreTooLongAreAskedForInSmallerParts) {
  ClientOptions options;
  options.reply_bytes_max = 100'000;
  Rig rig(options);
  rig.client.follow("s");
  rig.run();
  rig.network = Network::refused;
  rig.drop_all();
  for (int i = 0; i < 50; ++i) rig.redis.add("s", {"n", std::string(10'000, 'x')});
  rig.network = Network::up;
  rig.advance(Milliseconds{60'000});
  EXPECT_THAT(rig.listener.entries, SizeIs(50));
  EXPECT_THAT(rig.listener.lost, IsEmpty());
  EXPECT_TRUE(rig.client.ready());
}

TEST_F(ClientStreamTest, AnEntryThatCannotBeReadIsSkippedAndTold) {
  ClientOptions options;
  options.reply_bytes_max = 100'000;
  Rig rig(options);
  rig.client.follow("s");
  rig.run();
  rig.redis.add("s", {"n", std::string(200'000, 'x')});
  rig.advance(Milliseconds{60'000});
  EXPECT_THAT(rig.listener.lost, ElementsAre("s"));
  rig.redis.add("s", entry(2));
  rig.run();
  EXPECT_THAT(rig.listener.entries, ElementsAre("s 1000-2 n=2"));
}

TEST_F(ClientStreamTest, AListenerMayFollowAnotherOne) {
  Rig rig;
  rig.client.follow("s");
  rig.run();
  rig.listener.on_any = [&] { rig.client.follow("other"); };
  rig.redis.add("s", entry(1));
  rig.run();
  rig.listener.on_any = nullptr;
  rig.advance(Milliseconds{6'000});
  rig.redis.add("other", entry(2));
  rig.run();
  EXPECT_THAT(rig.listener.entries, ElementsAre("s 1000-1 n=1", "other 1000-1 n=2"));
}

}  // namespace
}  // namespace carillon::redis
