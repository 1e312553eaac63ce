#include "api/json_members.hpp"

#include <gtest/gtest.h>

namespace carillon::api {
namespace {

std::string listed(std::string_view object) {
  EXPECT_TRUE(check_json(object)) << object;
  std::string list;
  for (const auto& [name, text] : json_members(object)) list += name + "=" + std::string(text) + ";";
  return list;
}

TEST(JsonMembers, gives_values_as_they_stand) {
  EXPECT_EQ(listed("{}"), "");
  EXPECT_EQ(listed("{ }"), "");
  EXPECT_EQ(listed(R"({"a":1})"), "a=1;");
  EXPECT_EQ(listed("{ \"a\" : 1.50e3 ,\n\"b\":\t[ 1, {\"c\":[]} ] , \"d\" : null }"),
            "a=1.50e3;b=[ 1, {\"c\":[]} ];d=null;");
}

TEST(JsonMembers, is_not_misled_by_what_strings_hold) {
  EXPECT_EQ(listed(R"({"a":"}],{\"","b,:":{"x":"]}"},"c":"\\"})"), R"(a="}],{\"";b,:={"x":"]}"};c="\\";)");
}

TEST(JsonMembers, decodes_names) { EXPECT_EQ(listed(R"({"\u0061\n":true})"), "a\n=true;"); }

TEST(JsonMembers, tells_kinds) {
  EXPECT_EQ(kind_of("{}"), JsonKind::object);
  EXPECT_EQ(kind_of("[]"), JsonKind::array);
  EXPECT_EQ(kind_of("\"\""), JsonKind::string);
  EXPECT_EQ(kind_of("-1"), JsonKind::number);
  EXPECT_EQ(kind_of("false"), JsonKind::boolean);
  EXPECT_EQ(kind_of("null"), JsonKind::null);
  EXPECT_EQ(describe(JsonKind::array), "an array");
}

TEST(JsonMembers, trims) {
  EXPECT_EQ(trim_json(" \n\t[ ]\r "), "[ ]");
  EXPECT_EQ(trim_json(" "), "");
}

}  // namespace
}  // namespace carillon::api
