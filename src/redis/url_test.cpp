#include "redis/url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon::redis {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Good {
  std::string_view text;
  std::string endpoint;
  std::string user = {};
  std::string password = {};
  unsigned database = 0;
};

class GoodUrlTest : public ::testing::TestWithParam<Good> {};

TEST_P(GoodUrlTest, IsUnderstood) {
  const auto url = parse_url(GetParam().text);
  ASSERT_TRUE(url) << url.error();
  EXPECT_EQ(endpoint(*url), GetParam().endpoint);
  EXPECT_EQ(url->user, GetParam().user);
  EXPECT_EQ(url->password, GetParam().password);
  EXPECT_EQ(url->database, GetParam().database);
  EXPECT_EQ(url->tls.has_value(), GetParam().text.starts_with("rediss"));
}

INSTANTIATE_TEST_SUITE_P(
    All, GoodUrlTest,
    ::testing::Values(Good{"redis://localhost", "localhost:6379"}, Good{"redis://localhost/", "localhost:6379"},
                      Good{"redis://10.0.0.1:7000/15", "10.0.0.1:7000", "", "", 15},
                      Good{"redis://:secret@h", "h:6379", "", "secret"}, Good{"redis://me@h", "h:6379", "me"},
                      Good{"redis://me:p:w@h:1", "h:1", "me", "p:w"},
                      Good{"redis://m%40e:p%2Fw%3A%25@h", "h:6379", "m@e", "p/w:%"},
                      Good{"redis://:p@ss/word@h/2", "h:6379", "", "p@ss/word", 2}, Good{"redis://[::1]", "[::1]:6379"},
                      Good{"redis://:x@[2001:db8::7]:65535/1", "[2001:db8::7]:65535", "", "x", 1},
                      Good{"rediss://me:secret@h/3?verify=true", "h:6379", "me", "secret", 3},
                      Good{"redis+unix:///run/redis.sock", "/run/redis.sock"},
                      Good{"redis+unix://me:p%2Fw@/run/a%3Fb.sock?db=4", "/run/a?b.sock", "me", "p/w", 4},
                      Good{"redis+sentinel://a,b:1,[::2]:3/main", "main of sentinels a:26379,b:1,[::2]:3"},
                      Good{"rediss+sentinel://me:pw@a/main/7", "main of sentinels a:26379", "me", "pw", 7},
                      Good{"redis+cluster://a,b:1", "a:6379,b:1"},
                      Good{"rediss+cluster://:pw@a/", "a:6379", "", "pw"}));

TEST(UrlTest, KindsAreToldApart) {
  EXPECT_EQ(parse_url("redis://h")->kind, Url::Kind::single);
  EXPECT_EQ(parse_url("rediss://h")->kind, Url::Kind::single);
  EXPECT_EQ(parse_url("redis+unix:///h")->kind, Url::Kind::single);
  EXPECT_EQ(parse_url("redis+sentinel://h/m")->kind, Url::Kind::sentinel);
  EXPECT_EQ(parse_url("redis+sentinel://h/m%2F1")->master_name, "m/1");
  EXPECT_EQ(parse_url("redis+cluster://h")->kind, Url::Kind::cluster);
}

TEST(UrlTest, TlsIsVerifiedUnlessItIsTurnedOff) {
  const auto plain = parse_url("rediss://h");
  EXPECT_TRUE(plain->tls->verify);
  EXPECT_EQ(plain->tls->ca_file, "");
  const auto all =
      parse_url("rediss://h?ca_file=/a%20b.pem&cert_file=c&key_file=d&server_name=redis.test&verify=false");
  ASSERT_TRUE(all) << all.error();
  EXPECT_FALSE(all->tls->verify);
  EXPECT_EQ(all->tls->ca_file, "/a b.pem");
  EXPECT_EQ(all->tls->cert_file, "c");
  EXPECT_EQ(all->tls->key_file, "d");
  EXPECT_EQ(all->tls->server_name, "redis.test");
}

TEST(UrlTest, SentinelsMayHaveALoginOfTheirOwn) {
  const auto url = parse_url("redis+sentinel://me:pw@h/m?sentinel_user=you&sentinel_password=p%40w");
  ASSERT_TRUE(url) << url.error();
  EXPECT_EQ(url->user, "me");
  EXPECT_EQ(url->sentinel_user, "you");
  EXPECT_EQ(url->sentinel_password, "p@w");
}

struct Bad {
  std::string text;
  std::string_view says;
};

class BadUrlTest : public ::testing::TestWithParam<Bad> {};

TEST_P(BadUrlTest, SaysWhatWasExpected) {
  const auto url = parse_url(GetParam().text);
  ASSERT_FALSE(url);
  EXPECT_THAT(url.error(), HasSubstr(GetParam().says));
  EXPECT_THAT(url.error(), HasSubstr("; expected redis"));
  EXPECT_THAT(url.error(), Not(HasSubstr("secret")));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadUrlTest,
    ::testing::Values(Bad{"", "does not start"}, Bad{"localhost:6379", "does not start"},
                      Bad{"http://h", "does not start"}, Bad{"redis+tcp://h", "does not start"},
                      Bad{"redis://", "no host"}, Bad{"redis://:secret@", "no host"}, Bad{"redis:///1", "no host"},
                      Bad{"redis://user:secret", "port"}, Bad{"redis://h:0", "port"}, Bad{"redis://h:65536", "port"},
                      Bad{"redis://h:", "port"}, Bad{"redis://h:-1", "port"}, Bad{"redis://h/x", "database"},
                      Bad{"redis://h/-1", "database"}, Bad{"redis://h/1/2", "database"},
                      Bad{"redis://:secret%2@h", "%"}, Bad{"redis://:secret%zz@h", "%"}, Bad{"redis://::1", "brackets"},
                      Bad{"redis://[::1", "]"}, Bad{"redis://[::1]6379", "]"}, Bad{"redis://h h", "host"},
                      Bad{"redis://h%00", "host"}, Bad{"redis://h?db=1", "option"}, Bad{"redis://:secret?x@h", "?"},
                      Bad{"redis://h#1", "#"}, Bad{"redis://a,b", "more than one host"},
                      Bad{"redis://h?verify=false", "option"}, Bad{"rediss://h?verify=no", "verify"},
                      Bad{"rediss://h?verify", "name=value"}, Bad{"rediss://h?", "name=value"},
                      Bad{"rediss://h?ca_file=", "empty"}, Bad{"rediss://h?ca_file=%2", "%"},
                      Bad{"rediss://h?cert_file=c", "belong together"}, Bad{"rediss://h?key_file=c", "belong together"},
                      Bad{"rediss://h?sentinel_password=secret", "option"}, Bad{"redis+unix://", "path"},
                      Bad{"redis+unix://run", "path"}, Bad{"redis+unix://secret/run", "before the path"},
                      Bad{"redis+unix:///run?db=x", "database"}, Bad{"redis+unix:///a%00b", "path"},
                      Bad{"redis+unix:///" + std::string(107, 'x'), "107"}, Bad{"redis+sentinel://h", "master"},
                      Bad{"redis+sentinel://h/", "master"}, Bad{"redis+sentinel://h//1", "master"},
                      Bad{"redis+sentinel://h/m/x", "database"}, Bad{"redis+sentinel://h,/m", "no host"},
                      Bad{"redis+sentinel://h/a%0Ab", "master"}, Bad{"redis+cluster://", "no host"},
                      Bad{"redis+cluster://a,,b", "no host"}, Bad{"redis+cluster://a/1", "no databases"}));

}  // namespace
}  // namespace carillon::redis
