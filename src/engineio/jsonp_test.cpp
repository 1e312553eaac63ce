#include "engineio/jsonp.hpp"

#include <gtest/gtest.h>

namespace carillon::engineio {
namespace {

TEST(JsonpTest, AnAnswerIsAScript) {
  EXPECT_EQ(jsonp_answer(jsonp_head("4"), "packet data"), R"(___eio[4]("packet data");)");
  EXPECT_EQ(jsonp_answer(jsonp_head("0"), "2:4\"\n\\"), R"(___eio[0]("2:4\"\n\\");)");
}

TEST(JsonpTest, NothingButDigitsGetsIntoTheScript) {
  EXPECT_EQ(jsonp_head("1](alert(1));//2"), "___eio[112](");
  EXPECT_EQ(jsonp_head(""), "___eio[](");
}

TEST(JsonpTest, LineSeparatorsThatAreNoneInJsonAreEscaped) {
  EXPECT_EQ(jsonp_answer("f(", "a\u2028\u2029\u2027b\u2028"), "f(\"a\\u2028\\u2029\u2027b\\u2028\");");
}

TEST(JsonpTest, ReadsTheFieldOfTheForm) {
  EXPECT_EQ(decode_jsonp_form("d=6%3A4hello"), "6:4hello");
  EXPECT_EQ(decode_jsonp_form("x=1&d=4%3A4+%E2%82%AC%26"), "4:4 \u20ac&");
  EXPECT_EQ(decode_jsonp_form("d="), "");
  for (const char* body : {"", "x=1", "6:4hello", "D=1"}) EXPECT_EQ(decode_jsonp_form(body), std::nullopt) << body;
}

TEST(JsonpTest, LineFeedsComeAsEscapes) {
  EXPECT_EQ(decode_jsonp_form(R"(d=a\nb)"), "a\nb");
  EXPECT_EQ(decode_jsonp_form(R"(d=a\\nb)"), R"(a\nb)");
  EXPECT_EQ(decode_jsonp_form(R"(d=a\\\nb)"), R"(a\\nb)");
  EXPECT_EQ(decode_jsonp_form(R"(d=\t\\)"), R"(\t\\)");
}

}  // namespace
}  // namespace carillon::engineio
