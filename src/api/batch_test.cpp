#include "api/batch.hpp"

#include <gtest/gtest.h>

namespace carillon::api {
namespace {

TEST(Batch, ItemsAreTheBodiesOfSingleCalls) {
  const auto items = parse_batch(
      R"( {"items" : [ {"op":"notify","to":{"users":["a,]"]}, "data":[1,{"x":"}"}]} , {"event":"e","op":"emit"}, {"op":"emit"} ]} )");
  ASSERT_TRUE(items);
  ASSERT_EQ(items->size(), 3U);
  EXPECT_EQ((*items)[0].op, "notify");
  EXPECT_EQ((*items)[0].body, R"({"to":{"users":["a,]"]},"data":[1,{"x":"}"}]})");
  EXPECT_EQ((*items)[1].body, R"({"event":"e"})");
  EXPECT_EQ((*items)[2].body, "{}");
  for (const BatchItem& item : *items) EXPECT_EQ(item.error.message, "");
}

TEST(Batch, WhatIsWrongWithAnItemStandsInIt) {
  const auto items = parse_batch(R"({"items":[1,{"op":"what"},{},{"op":2},{"op":"emit","op":"emit"}]})");
  ASSERT_TRUE(items);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NE((*items)[i].error.message, "") << i;
  EXPECT_EQ((*items)[4].body, R"({"op":"emit"})") << "the single call refuses it";
}

TEST(Batch, WhatIsWrongWithTheWholeIsRefused) {
  std::string many = R"({"items":[0)";
  for (std::size_t i = 0; i < batch_items_max; ++i) many += ",0";
  for (const std::string& body :
       {std::string("{"), std::string("[]"), std::string("{}"), std::string(R"({"items":{}})"),
        std::string(R"({"items":[]})"), std::string(R"({"items":[1],"more":1})"), many + "]}"})
    EXPECT_FALSE(parse_batch(body)) << body.substr(0, 40);
}

}  // namespace
}  // namespace carillon::api
