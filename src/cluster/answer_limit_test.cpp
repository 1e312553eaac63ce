#include "cluster/answer_limit.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace carillon::cluster {
namespace {

TEST(AnswerLimitTest, WhatFitsIsSaidAndHowMuchDoesNot) {
  const Array items{"aaaa", "bbbb", "cccc"};  // of seven bytes each, with quotes and comma
  EXPECT_EQ(to_json(limited_answer("rooms", items, 21)), R"({"rooms":["aaaa","bbbb","cccc"]})");
  EXPECT_EQ(to_json(limited_answer("rooms", items, 20)), R"({"rooms":["aaaa","bbbb"],"leftOut":1})");
  EXPECT_EQ(to_json(limited_answer("rooms", items, 0)), R"({"rooms":[],"leftOut":3})");
  EXPECT_EQ(to_json(limited_answer("rooms", {}, 0)), R"({"rooms":[]})");
}

}  // namespace
}  // namespace carillon::cluster
