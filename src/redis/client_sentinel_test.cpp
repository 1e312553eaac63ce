// A master that sentinels know.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/log.hpp"
#include "redis/client.hpp"
#include "redis/fake_redis.hpp"

namespace carillon::redis {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Rig;
using testing::Words;
using Network = Rig::Network;

class ClientSentinelTest : public ::testing::Test {
 protected:
  ClientSentinelTest() { configure_log(LogLevel::off, LogFormat::text); }

  static ClientOptions options(std::string_view url = "redis+sentinel://s1,s2:1,s3/main") {
    ClientOptions made;
    made.url = parse_url(url).value();
    return made;
  }
  // What a sentinel tells its subscribers.
  static void announce(Rig& rig, const std::string& host, std::string_view master = "main") {
    rig.redis.publish("+switch-master", std::string(master) + " 10.0.0.1 7001 " + host + " 7001");
  }
};

TEST_F(ClientSentinelTest, TheMasterIsAskedForAndConnectedTo) {
  Rig rig(options());
  rig.client.subscribe("a");
  rig.client.follow("stream");
  rig.run();
  EXPECT_TRUE(rig.client.ready());
  EXPECT_THAT(rig.dialled, ElementsAre("s1:26379", "10.0.0.1:7001", "10.0.0.1:7001", "10.0.0.1:7001"));
  EXPECT_THAT(rig.redis.commands("SENTINEL"), ElementsAre(Words{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"}));
  EXPECT_THAT(rig.redis.commands("ROLE"), ::testing::SizeIs(3));
  rig.redis.publish("a", "hello");
  rig.run();
  EXPECT_EQ(rig.listener.messages.size(), 1U);
}

TEST_F(ClientSentinelTest, SentinelsAndServersHaveTheirOwnLogins) {
  Rig rig(options("redis+sentinel://me:pw@s1/main/3?sentinel_password=other"));
  rig.run();
  ASSERT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.redis.log[0], (Words{"AUTH", "other"}));
  EXPECT_THAT(rig.redis.commands("AUTH"),
              ElementsAre(Words{"AUTH", "other"}, Words{"AUTH", "me", "pw"}, Words{"AUTH", "me", "pw"}));
  EXPECT_THAT(rig.redis.commands("SELECT"), Each(Words{"SELECT", "3"}));
}

TEST_F(ClientSentinelTest, AFailoverIsFollowedAtOnce) {
  Rig rig(options());
  rig.client.subscribe("a");
  rig.run();
  rig.dialled.clear();
  announce(rig, "10.0.0.9", "another");
  rig.redis.publish("+switch-master", "main");
  rig.redis.publish("+switch-master", "main 1 2 3 x");
  rig.run();
  EXPECT_TRUE(rig.client.ready());
  announce(rig, "10.0.0.2");
  rig.run();
  EXPECT_FALSE(rig.client.ready());
  rig.redis.master = {"10.0.0.2", "7001"};
  rig.advance(Milliseconds{100});
  EXPECT_TRUE(rig.client.ready());
  EXPECT_THAT(rig.dialled, ElementsAre("10.0.0.2:7001", "10.0.0.2:7001"));
  EXPECT_THAT(rig.subscriptions(), ElementsAre("a"));
}

// The old master is gone for longer than a wait between attempts may be: the news cuts that short.
TEST_F(ClientSentinelTest, LongWaitsEndWhenThereIsANewMaster) {
  Rig rig(options());
  rig.run();
  rig.network = Network::refused;
  for (const Role role : {Role::commands, Role::subscriber}) rig.drop(role);
  rig.advance(Milliseconds{60'000});
  rig.network = Network::up;
  rig.redis.master = {"10.0.0.2", "7001"};
  announce(rig, "10.0.0.2");
  rig.advance(Milliseconds{250});
  EXPECT_TRUE(rig.client.ready());
}

TEST_F(ClientSentinelTest, BeforeEachDialTheSentinelIsAskedAgain) {
  Rig rig(options());
  rig.run();
  rig.dialled.clear();
  rig.redis.master = {"10.0.0.3", "7001"};  // without any news
  rig.drop(Role::commands);
  rig.advance(Milliseconds{400});
  EXPECT_TRUE(rig.client.ready());
  // The subscriber was still connected to the old one.
  EXPECT_THAT(rig.dialled, Each("10.0.0.3:7001"));
  EXPECT_EQ(rig.dialled.size(), 2U);
}

TEST_F(ClientSentinelTest, AReplicaThatWasTakenForTheMasterIsLeft) {
  Rig rig(options());
  rig.redis.role = "slave";
  rig.advance(Milliseconds{3'000});
  EXPECT_FALSE(rig.client.ready());
  EXPECT_THAT(rig.redis.commands("PUBLISH"), IsEmpty());
  rig.redis.role = "master";
  rig.advance(Milliseconds{6'000});
  EXPECT_TRUE(rig.client.ready());
}

TEST_F(ClientSentinelTest, ASentinelThatIsOfNoUseIsFollowedByTheNext) {
  for (const std::string answer :
       {"*-1\r\n", "-IDONTKNOW I have not enough information\r\n", "*1\r\n$1\r\nx\r\n", "+OK\r\n",
        "*2\r\n$8\r\n10.0.0.1\r\n$1\r\n0\r\n", "*2\r\n$0\r\n\r\n$1\r\n1\r\n", "nonsense\r\n", ":"}) {
    Rig rig(options());
    rig.redis.override_answer = [&](const Words& words) { return words[0] == "SENTINEL" ? answer : ""; };
    rig.advance(Milliseconds{10'000});
    EXPECT_FALSE(rig.client.ready());
    EXPECT_THAT(rig.dialled, Contains("s2:1"));
    EXPECT_THAT(rig.dialled, Contains("s3:26379"));
    EXPECT_THAT(rig.dialled, Not(Contains("10.0.0.1:7001")));
    rig.redis.override_answer = nullptr;
    rig.advance(Milliseconds{6'000});
    EXPECT_TRUE(rig.client.ready()) << answer;
  }
}

TEST_F(ClientSentinelTest, AHangingSentinelIsNoticedSoonAndHarmsNobody) {
  Rig rig(options());
  rig.run();
  rig.dialled.clear();
  rig.silent_roles.insert(Role::sentinel);
  rig.advance(Milliseconds{2'500});
  EXPECT_TRUE(rig.client.ready());
  EXPECT_THAT(rig.dialled, Contains("s2:1"));
  EXPECT_THAT(rig.listener.ready, ElementsAre(true));
}

TEST_F(ClientSentinelTest, LosingTheSentinelDoesNotMatterUntilItIsNeeded) {
  Rig rig(options());
  rig.run();
  rig.network = Network::refused;
  rig.drop(Role::sentinel);
  rig.advance(Milliseconds{30'000});
  EXPECT_TRUE(rig.client.ready());
  rig.network = Network::up;
  rig.advance(Milliseconds{6'000});
  announce(rig, "10.0.0.2");
  rig.redis.master = {"10.0.0.2", "7001"};
  rig.advance(Milliseconds{300});
  EXPECT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.dialled.back(), "10.0.0.2:7001");
}

TEST_F(ClientSentinelTest, WithoutSentinelsThereIsNoSuchConnection) {
  Rig rig;
  rig.run();
  EXPECT_FALSE(rig.client.wants_connection(Role::sentinel));
  EXPECT_THAT(rig.dialled, ElementsAre("127.0.0.1:6379", "127.0.0.1:6379"));
}

}  // namespace
}  // namespace carillon::redis
