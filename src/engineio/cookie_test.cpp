#include "engineio/cookie.hpp"

#include <gtest/gtest.h>

namespace carillon::engineio {
namespace {

TEST(CookieTest, TheDefaultIsThatOfTheReferenceServer) {
  EXPECT_EQ(set_cookie({}, "abc"), "io=abc; Path=/; HttpOnly; SameSite=Lax");
}

TEST(CookieTest, EveryAttribute) {
  const CookieOptions options{.name = "sid",
                              .path = "/live",
                              .domain = "example.com",
                              .max_age_s = 3600,
                              .http_only = true,
                              .secure = true,
                              .same_site = CookieOptions::SameSite::none};
  EXPECT_EQ(set_cookie(options, "abc"),
            "sid=abc; Max-Age=3600; Domain=example.com; Path=/live; HttpOnly; Secure; SameSite=None");
}

TEST(CookieTest, NoAttribute) {
  const CookieOptions options{.path = "", .http_only = false, .same_site = CookieOptions::SameSite::unsaid};
  EXPECT_EQ(set_cookie(options, "abc"), "io=abc");
}

TEST(CookieTest, WhatWouldBreakTheHeaderIsRefused) {
  EXPECT_FALSE(check_cookie({}));
  EXPECT_FALSE(check_cookie({.domain = ".sub.example.com"}));
  EXPECT_FALSE(check_cookie({.path = ""}));
  for (const char* name : {"", "a b", "a=b", "a;b", "a\r\nb", "\xc3\xb6"})
    EXPECT_TRUE(check_cookie({.name = name})) << name;
  for (const char* path : {"x", "/a;b", "/\n"}) EXPECT_TRUE(check_cookie({.path = path})) << path;
  for (const char* domain : {".", "a..b", "-a.de", "a b", "a;b", "exam_ple.com"})
    EXPECT_TRUE(check_cookie({.domain = domain})) << domain;
}

}  // namespace
}  // namespace carillon::engineio
