#include "redis/url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon::redis {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Good {
  std::string_view text;
  Url url;
};

class GoodUrlTest : public ::testing::TestWithParam<Good> {};

TEST_P(GoodUrlTest, IsUnderstood) {
  const auto url = parse_url(GetParam().text);
  ASSERT_TRUE(url) << url.error();
  EXPECT_EQ(url->host, GetParam().url.host);
  EXPECT_EQ(url->port, GetParam().url.port);
  EXPECT_EQ(url->user, GetParam().url.user);
  EXPECT_EQ(url->password, GetParam().url.password);
  EXPECT_EQ(url->database, GetParam().url.database);
}

INSTANTIATE_TEST_SUITE_P(All, GoodUrlTest,
                         ::testing::Values(Good{"redis://localhost", {"localhost", 6379, "", "", 0}},
                                           Good{"redis://localhost/", {"localhost", 6379, "", "", 0}},
                                           Good{"redis://10.0.0.1:7000/15", {"10.0.0.1", 7000, "", "", 15}},
                                           Good{"redis://:secret@h", {"h", 6379, "", "secret", 0}},
                                           Good{"redis://me@h", {"h", 6379, "me", "", 0}},
                                           Good{"redis://me:p:w@h:1", {"h", 1, "me", "p:w", 0}},
                                           Good{"redis://m%40e:p%2Fw%3A%25@h", {"h", 6379, "m@e", "p/w:%", 0}},
                                           Good{"redis://:p@ss/word@h/2", {"h", 6379, "", "p@ss/word", 2}},
                                           Good{"redis://[::1]", {"::1", 6379, "", "", 0}},
                                           Good{"redis://:x@[2001:db8::7]:65535/1",
                                                {"2001:db8::7", 65535, "", "x", 1}}));

struct Bad {
  std::string_view text;
  std::string_view says;
};

class BadUrlTest : public ::testing::TestWithParam<Bad> {};

TEST_P(BadUrlTest, SaysWhatWasExpected) {
  const auto url = parse_url(GetParam().text);
  ASSERT_FALSE(url);
  EXPECT_THAT(url.error(), HasSubstr(GetParam().says));
  EXPECT_THAT(url.error(), HasSubstr("expected redis://"));
  EXPECT_THAT(url.error(), Not(HasSubstr("secret")));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadUrlTest,
    ::testing::Values(Bad{"", "does not start"}, Bad{"localhost:6379", "does not start"},
                      Bad{"http://h", "does not start"}, Bad{"redis://", "no host"}, Bad{"redis://:secret@", "no host"},
                      Bad{"redis:///1", "no host"}, Bad{"redis://user:secret", "port"}, Bad{"redis://h:0", "port"},
                      Bad{"redis://h:65536", "port"}, Bad{"redis://h:", "port"}, Bad{"redis://h:-1", "port"},
                      Bad{"redis://h/x", "database"}, Bad{"redis://h/-1", "database"}, Bad{"redis://h/1/2", "database"},
                      Bad{"redis://:secret%2@h", "%"}, Bad{"redis://:secret%zz@h", "%"}, Bad{"redis://::1", "brackets"},
                      Bad{"redis://[::1", "]"}, Bad{"redis://[::1]6379", "]"}, Bad{"redis://h h", "host"},
                      Bad{"redis://h%00", "host"}, Bad{"redis://h?db=1", "?"}, Bad{"redis://h#1", "#"}));

TEST(UrlTest, KindsOfRedisThatAreNotSupportedAreNamed) {
  for (const std::string_view scheme : {"rediss://", "redis+sentinel://", "redis+cluster://"}) {
    const auto url = parse_url(std::string(scheme) + "h1,h2/master");
    ASSERT_FALSE(url);
    EXPECT_THAT(url.error(), HasSubstr(std::string(scheme) + " is not supported in this version"));
  }
}

TEST(UrlTest, EndpointsAreShownWithBracketsWhereNeeded) {
  EXPECT_EQ(endpoint({"localhost", 6379, "me", "secret", 1}), "localhost:6379");
  EXPECT_EQ(endpoint({"::1", 7000, "", "", 0}), "[::1]:7000");
}

}  // namespace
}  // namespace carillon::redis
