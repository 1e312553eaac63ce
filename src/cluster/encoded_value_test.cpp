#include "cluster/encoded_value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/msgpack.hpp"

namespace carillon::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> members_of(const EncodedValue& object) {
  std::vector<std::string> members;
  for (MemberReader reader(object); reader.next();)
    members.push_back(std::string(reader.name()) + "=" + std::string(reader.value().bytes));
  return members;
}

std::string packed(const Value& value) {
  std::string bytes;
  append_msgpack(bytes, value);
  return bytes;
}

TEST(EncodedValueTest, MembersOfJson) {
  const auto value = check_json_value(
      " { \"a\" : 1 , \"b\":[1,{\"x\":\"]}\"}] ,\"c\":\"q\\\"}\",\n\"d\":{\"e\":{}},\"f\":null,\"g\" : -1.5e3 } ");
  ASSERT_TRUE(value);
  EXPECT_THAT(members_of(*value),
              ElementsAre("a=1", R"(b=[1,{"x":"]}"}])", R"(c="q\"}")", R"(d={"e":{}})", "f=null", "g=-1.5e3"));
  EXPECT_THAT(members_of(*check_json_value("{}")), IsEmpty());
  for (const char* other : {"[1,2]", "1", "\"text\"", "null"})
    EXPECT_THAT(members_of(*check_json_value(other)), IsEmpty());
}

TEST(EncodedValueTest, MembersOfMessagePack) {
  const std::string bytes = packed(Object{{"a", 1}, {"b", Array{1, Object{{"x", 2}}}}, {"c", Binary{"\x01"}}});
  const auto value = check_msgpack_value(bytes);
  ASSERT_TRUE(value);
  EXPECT_THAT(members_of(*value),
              ElementsAre("a=\x01", "b=" + packed(Array{1, Object{{"x", 2}}}), "c=" + packed(Binary{"\x01"})));
  EXPECT_THAT(members_of(*check_msgpack_value(packed(Array{1, 2}))), IsEmpty());
  // {1: 2, "a": 3}: a number as a key is passed over
  EXPECT_THAT(members_of(*check_msgpack_value("\x82\x01\x02\xa1\x61\x03")), ElementsAre("a=\x03"));
  // {[1]: 2, "a": 3}: an array is no key
  EXPECT_THAT(members_of(*check_msgpack_value("\x82\x91\x01\x02\xa1\x61\x03")), IsEmpty());
}

TEST(EncodedValueTest, TheLastOfRepeatedMembersCounts) {
  EXPECT_EQ(find_member(*check_json_value(R"({"a":1,"a":2})"), "a").bytes, "2");
  EXPECT_FALSE(find_member(*check_json_value(R"({"a":1})"), "b").exists());
}

TEST(EncodedValueTest, TheWholeIsChecked) {
  EXPECT_EQ(check_json_value("{\"a\":1").error(), Malformed::not_json);
  EXPECT_EQ(check_json_value("{} x").error(), Malformed::not_json);
  EXPECT_EQ(check_json_value("{\"a\":\"\xff\"}").error(), Malformed::not_json);
  EXPECT_EQ(check_json_value(std::string(5'000, '[')).error(), Malformed::nested_too_deep);
  EXPECT_EQ(check_msgpack_value("\x81\xa1").error(), Malformed::not_msgpack);
  EXPECT_EQ(check_msgpack_value("\x01\x02").error(), Malformed::not_msgpack);
  EXPECT_EQ(check_msgpack_value("").error(), Malformed::not_msgpack);
}

TEST(EncodedValueTest, Values) {
  EXPECT_EQ(to_value(*check_json_value(R"({"a":[1]})")), Value(Object{{"a", Array{1}}}));
  const std::string bytes = packed(Array{Binary{"b"}, "t"});
  EXPECT_EQ(to_value(*check_msgpack_value(bytes)), Value(Array{Binary{"b"}, "t"}));
  EXPECT_EQ(to_value({}), Value());
  const std::string deep = std::string(2'000, '\x91') + "\x01";
  ASSERT_TRUE(check_msgpack_value(deep));
  EXPECT_EQ(to_value(*check_msgpack_value(deep)).error(), Malformed::nested_too_deep);
}

TEST(EncodedValueTest, EventsHaveANameThatIsAllowed) {
  for (const char* event : {R"(["a"])", R"([ "a" , 1])", "[42]", "[-1,2]", R"(["\u0061"])"})
    EXPECT_TRUE(is_event_data(*check_json_value(event))) << event;
  for (const char* none : {"[]", "{}", "[null]", "[[\"a\"]]", "[{}]", "\"a\"", R"(["connect"])", R"(["\u0063onnect"])",
                           R"(["disconnect",1])", "[true]"})
    EXPECT_FALSE(is_event_data(*check_json_value(none))) << none;
  for (const Value& event : {Value(Array{"a"}), Value(Array{42, "x"}), Value(Array{1.5})})
    EXPECT_TRUE(is_event_data({EncodedValue::Form::msgpack, packed(event)}));
  for (const Value& none : {Value(Array{}), Value("a"), Value(Array{nullptr}), Value(Array{"newListener"})})
    EXPECT_FALSE(is_event_data({EncodedValue::Form::msgpack, packed(none)}));
  EXPECT_FALSE(is_event_data({}));
}

}  // namespace
}  // namespace carillon::cluster
