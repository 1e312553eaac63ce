#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/log.hpp"
#include "redis/client.hpp"
#include "redis/fake_redis.hpp"

namespace carillon::redis {
namespace {

using testing::Rig;
using ::testing::SizeIs;
using testing::Words;

class ClientRefusalTest : public ::testing::Test {
 protected:
  ClientRefusalTest() { configure_log(LogLevel::off, LogFormat::text); }
};

struct ErrorCase {
  std::string_view verb;
  std::string_view answer;
};

class ClientErrorTest : public ClientRefusalTest, public ::testing::WithParamInterface<ErrorCase> {};

TEST_P(ClientErrorTest, IsOvercomeOnceRedisHasRecovered) {
  ClientOptions options;
  options.url.password = "secret";
  options.url.database = 1;
  Rig rig(options);
  rig.redis.override_answer = [](const Words& words) {
    return words[0] == GetParam().verb ? std::string(GetParam().answer) : "";
  };
  rig.advance(Milliseconds{20'000});
  EXPECT_FALSE(rig.client.ready());
  EXPECT_GE(rig.dials, 6);   // it tries again, ...
  EXPECT_LE(rig.dials, 60);  // ... but not all the time
  rig.redis.override_answer = nullptr;
  rig.advance(Milliseconds{12'000});
  EXPECT_TRUE(rig.client.ready());
}

INSTANTIATE_TEST_SUITE_P(
    All, ClientErrorTest,
    ::testing::Values(ErrorCase{"AUTH", "-WRONGPASS invalid username-password pair or user is disabled.\r\n"},
                      ErrorCase{"AUTH", "-ERR invalid password\r\n"},
                      ErrorCase{"AUTH", "-ERR max number of clients reached\r\n"},
                      ErrorCase{"SELECT", "-ERR DB index is out of range\r\n"},
                      ErrorCase{"SELECT", "-NOAUTH Authentication required.\r\n"},
                      ErrorCase{"CLIENT", "-NOAUTH Authentication required.\r\n"},
                      ErrorCase{"PING", "-LOADING Redis is loading the dataset in memory\r\n"},
                      ErrorCase{"PING", "-MASTERDOWN Link with MASTER is down\r\n"},
                      ErrorCase{"SUBSCRIBE", "-NOPERM this user has no permissions to access one of the channels\r\n"},
                      ErrorCase{"SUBSCRIBE", "*3\r\n$9\r\nsubscribe\r\n$5\r\nother\r\n:1\r\n"},
                      ErrorCase{"PUBLISH", "-READONLY You can't write against a read only replica.\r\n"},
                      ErrorCase{"PUBLISH", "-NOPERM this user has no permissions to run 'publish'\r\n"},
                      ErrorCase{"PUBLISH", "+OK\r\n"}, ErrorCase{"PING", "*1\r\n$4\r\noops\r\n"},
                      ErrorCase{"PING", "HTTP/1.1 400 Bad Request\r\n\r\n"}, ErrorCase{"PING", ":"},
                      ErrorCase{"PING", "$99999999999999999999\r\n"}));

TEST_F(ClientRefusalTest, ErrorsThatDoNotMatterAreIgnored) {
  ClientOptions options;
  options.url.password = "not needed";
  Rig rig(options);
  rig.redis.override_answer = [](const Words& words) -> std::string {
    if (words[0] == "AUTH") return "-ERR AUTH <password> called without any password configured\r\n";
    if (words[0] == "CLIENT") return "-ERR unknown command 'CLIENT'\r\n";
    if (words[0] == "PING") return "-NOPERM this user has no permissions to run the 'ping' command\r\n";
    return "";
  };
  rig.advance(Milliseconds{60'000});
  EXPECT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.dials, 2);
}

TEST_F(ClientRefusalTest, RefusedMessagesAreCounted) {
  Rig rig;
  rig.run();
  rig.redis.override_answer = [](const Words& words) {
    return words[0] == "PUBLISH" && words[1] == "secret" ? "-NOPERM no access to the channel\r\n" : "";
  };
  rig.client.publish("secret", "1");
  rig.client.publish("c", "2");
  rig.run();
  EXPECT_TRUE(rig.client.ready());
  EXPECT_EQ(rig.client.statistics().dropped_refused.value(), 1U);
  EXPECT_EQ(rig.client.statistics().published.value(), 1U);
}

TEST_F(ClientRefusalTest, AMessageBeyondTheLimitBreaksTheConnection) {
  ClientOptions options;
  options.reply_bytes_max = 100'000;
  Rig rig(options);
  rig.client.subscribe("a");
  rig.run();
  rig.redis.publish("a", std::string(90'000, 'x'));
  rig.run();
  EXPECT_THAT(rig.listener.messages, SizeIs(1));
  rig.redis.publish("a", std::string(1'000'000, 'x'));
  rig.slice = 4096;
  rig.advance(Milliseconds{1'000});
  EXPECT_THAT(rig.listener.messages, SizeIs(1));
  EXPECT_EQ(rig.client.statistics().protocol_errors.value(), 1U);
  EXPECT_TRUE(rig.client.ready());
}

}  // namespace
}  // namespace carillon::redis
