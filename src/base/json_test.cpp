#include "base/json.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "base/testing.hpp"

namespace carillon {
namespace {

using std::string_literals::operator""s;

// Reads and writes, or says where it failed.
std::string round_trip(std::string_view text) {
  const auto value = parse_json(text);
  EXPECT_EQ(check_json(text).has_value(), value.has_value()) << text;
  return value ? to_json(*value)
               : "error at " + std::to_string(value.error().offset) + ": " + std::string(value.error().message);
}

bool is_json(std::string_view text) {
  const bool parsed = parse_json(text).has_value();
  EXPECT_EQ(check_json(text).has_value(), parsed) << text;
  return parsed;
}

TEST(Json, literals_and_structures) {
  for (const char* text : {"null", "true", "false", "0", "-1", "12.5", "\"\"", "\"a\"", "[]", "{}", "[1,[2,[]],{}]",
                           R"({"a":1,"b":{"c":[null]}})"})
    EXPECT_EQ(round_trip(text), text);
  EXPECT_EQ(round_trip(" \t\r\n[ 1 , { \"a\" : 2 } ] \n"), R"([1,{"a":2}])");
}

TEST(Json, what_is_no_json) {
  for (const char* text : {"",
                           " ",
                           "nul",
                           "nullx",
                           "True",
                           "tru",
                           "[",
                           "]",
                           "[1",
                           "[1,",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "{",
                           "{}}",
                           "{\"a\"",
                           "{\"a\":",
                           "{\"a\":1",
                           "{\"a\":1,",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{'a':1}",
                           "{\"a\" 1}",
                           "{1:2}",
                           "{,}",
                           "\"",
                           "\"a",
                           "\"\\",
                           "'a'",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\u12g4\"",
                           "\"\\u+123\"",
                           "\"\\u-123\"",
                           "\"\\ud83d\\u12\"",
                           "\"\n\"",
                           "\"\t\"",
                           "1 2",
                           "undefined",
                           "NaN",
                           "Infinity",
                           "-Infinity",
                           "[1]x",
                           "/**/1",
                           "\xef\xbb\xbf"
                           "1",
                           "\f1"})
    EXPECT_FALSE(is_json(text)) << text;
  EXPECT_FALSE(is_json("\"\0\""s));
  EXPECT_FALSE(is_json("1\0"s));
  EXPECT_FALSE(is_json("[1,\0]"s));
}

TEST(Json, numbers_that_are_none) {
  for (const char* text :
       {"-", "+1", "01", "-01", "00", ".5", "1.", "-.5", "1e", "1e+", "1.e1", "0x1", "1e1.5", "--1", "1_0", "e1"})
    EXPECT_FALSE(is_json(text)) << text;
}

TEST(Json, errors_tell_where) {
  EXPECT_EQ(round_trip("[1,]"), "error at 3: unexpected character");
  EXPECT_EQ(round_trip("[1"), "error at 2: unexpected end");
  EXPECT_EQ(round_trip("[1 x"), "error at 3: expected ',' or ']'");
  EXPECT_EQ(round_trip("{\"a\":1;"), "error at 6: expected ',' or '}'");
  EXPECT_EQ(round_trip("{} 1"), "error at 3: unexpected text after the value");
  EXPECT_EQ(round_trip("\"\\q\""), "error at 2: unknown escape");
}

// Numbers

TEST(JsonNumbers, whole_ones_stay_exact) {
  for (const char* text : {"9007199254740993", "-9223372036854775808", "9223372036854775807", "9223372036854775808",
                           "18446744073709551615"})
    EXPECT_EQ(round_trip(text), text);
  EXPECT_TRUE(std::holds_alternative<std::int64_t>(parse_json("5")->storage()));
  EXPECT_TRUE(std::holds_alternative<std::uint64_t>(parse_json("18446744073709551615")->storage()));
  EXPECT_TRUE(std::holds_alternative<double>(parse_json("18446744073709551616")->storage()));
  EXPECT_EQ(parse_json("18446744073709551616")->as_double(), 18446744073709551616.0);
  EXPECT_TRUE(std::holds_alternative<double>(parse_json("1.0")->storage()));
}

TEST(JsonNumbers, doubles_as_javascript_writes_them) {
  EXPECT_EQ(round_trip("1.0"), "1");
  EXPECT_EQ(round_trip("0.1"), "0.1");
  EXPECT_EQ(round_trip("1e3"), "1000");
  EXPECT_EQ(round_trip("-0"), "0");
  EXPECT_EQ(round_trip("-0.0"), "0");
  EXPECT_TRUE(std::signbit(parse_json("-0")->as_double()));
  EXPECT_EQ(round_trip("1E+2"), "100");
  EXPECT_EQ(round_trip("5e-324"), "5e-324");
  EXPECT_EQ(round_trip("1.7976931348623157e308"), "1.7976931348623157e+308");
  EXPECT_EQ(to_json(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(to_json(std::nan("")), "null");
}

TEST(JsonNumbers, too_small_is_zero_and_too_large_is_null) {
  const std::string zeros(400, '0');
  for (const std::string& text : {"1e-400"s, "-1e-400"s, "1E-99999999999999999999"s, "0." + zeros + "1", "123e-500"s,
                                  "0." + zeros + "1e50", "1.5e-99999"s})
    EXPECT_EQ(round_trip(text), "0") << text;
  for (const std::string& text : {"1e400"s, "-1e400"s, "1e+99999999999999999999"s, "1" + zeros, "1" + zeros + "e-5",
                                  "1" + zeros + ".5", "1" + zeros + "0E-1"})
    EXPECT_EQ(round_trip(text), "null") << text;
  for (const char* text : {"0e400", "0e99999999999999999999", "0.0e-400", "-0e400"})
    EXPECT_EQ(round_trip(text), "0") << text;
  EXPECT_EQ(round_trip("1" + zeros + "e-400"), "1");
  EXPECT_EQ(round_trip("0." + zeros + "1e401"), "1");
}

TEST(JsonNumbers, random_doubles_survive) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 20'000; ++i) {
    const auto number = std::bit_cast<double>(random());
    if (!std::isfinite(number)) continue;
    ASSERT_EQ(parse_json(to_json(number))->as_double(), number);
  }
}

// Strings

TEST(JsonStrings, escapes) {
  EXPECT_EQ(*parse_json(R"("\"\\\/\b\f\n\r\t\u0041\u00fc\u20AC\ud83d\ude00\u0000")")->as_string(),
            "\"\\/\b\f\n\r\tA\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\0"s);
  EXPECT_EQ(to_json("\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xbc"),
            "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0001\\u001f\x7f\xc3\xbc\"");
  EXPECT_EQ(to_json("a\0b"s), "\"a\\u0000b\"");
}

TEST(JsonStrings, lone_surrogates_are_replaced) {
  const std::string mark = "\xef\xbf\xbd";
  EXPECT_EQ(*parse_json(R"("\ud83d")")->as_string(), mark);
  EXPECT_EQ(*parse_json(R"("\ude00")")->as_string(), mark);
  EXPECT_EQ(*parse_json(R"("\ud83dx")")->as_string(), mark + "x");
  EXPECT_EQ(*parse_json(R"("\ud83d\n")")->as_string(), mark + "\n");
  EXPECT_EQ(*parse_json(R"("\ud83d\u0041")")->as_string(), mark + "A");
  EXPECT_EQ(*parse_json(R"("\ud83d\ud83d\ude00")")->as_string(), mark + "\xf0\x9f\x98\x80");
  EXPECT_EQ(*parse_json(R"("\ude00\ud83d")")->as_string(), mark + mark);
}

TEST(JsonStrings, bytes_that_are_no_utf8) {
  for (const char* text : {"\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"", "\"\xc0\x80\"", "\xff"})
    EXPECT_FALSE(is_json(text));
  EXPECT_TRUE(is_json("\"\xf4\x8f\xbf\xbf\""));
}

TEST(JsonStrings, skip) {
  EXPECT_EQ(skip_json_string(R"("")"), 2U);
  EXPECT_EQ(skip_json_string(R"("a\"b",1)"), 6U);
  EXPECT_EQ(skip_json_string(R"("a\\",1)"), 5U);
  EXPECT_EQ(skip_json_string(R"("a)"), std::string_view::npos);
  EXPECT_EQ(skip_json_string(R"("a\)"), std::string_view::npos);
  EXPECT_EQ(skip_json_string(R"("a\")"), std::string_view::npos);
}

TEST(JsonStrings, every_string_survives) {
  std::mt19937 random(5);
  static constexpr std::string_view pieces[] = {
      "a", "\"", "\\", "\n", "\x01", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "/", "\x7f"};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (auto count = random() % 20; count > 0; --count) text += pieces[random() % std::size(pieces)];
    const std::string json = to_json(text);
    ASSERT_EQ(*parse_json(json)->as_string(), text);
    ASSERT_EQ(skip_json_string(json + ",\"x\""), json.size());
  }
}

// Structures

TEST(JsonDepth, at_exactly_the_limit_and_one_above) {
  const auto nested = [](std::size_t depth, std::string_view open, std::string_view close) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += open;
    text += "1";
    for (std::size_t i = 0; i < depth; ++i) text += close;
    return text;
  };
  EXPECT_TRUE(is_json(nested(json_depth_max, "[", "]")));
  EXPECT_TRUE(is_json(nested(json_depth_max, "{\"a\":", "}")));
  EXPECT_TRUE(is_json(nested(json_depth_max / 2, "[{\"a\":", "}]")));
  EXPECT_FALSE(is_json(nested(json_depth_max + 1, "[", "]")));
  EXPECT_FALSE(is_json(nested(json_depth_max + 1, "{\"a\":", "}")));
  EXPECT_FALSE(is_json(std::string(1'000'000, '[')));
  EXPECT_EQ(check_json(std::string(2000, '[')).error().message, "nested too deeply");
}

TEST(JsonObjects, keep_their_order_and_the_last_of_repeated_keys) {
  EXPECT_EQ(round_trip(R"({"b":1,"a":2,"c":3})"), R"({"b":1,"a":2,"c":3})");
  EXPECT_EQ(round_trip(R"({"b":1,"a":2,"b":3})"), R"({"b":3,"a":2})");
  EXPECT_EQ(round_trip(R"({"a":1,"\u0061":2})"), R"({"a":2})");
  EXPECT_EQ(round_trip(R"({"":1,"":2})"), R"({"":2})");
  std::string text = "{";
  for (int i = 0; i < 100; ++i) text += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  EXPECT_EQ(parse_json(text + "\"z\":1}")->as_object()->size(), 101U);
  const auto value = parse_json(text + "\"k7\":-7}");
  EXPECT_EQ(value->as_object()->size(), 100U);
  EXPECT_EQ(value->find("k7")->as_int64(), -7);
  EXPECT_EQ((value->as_object()->begin() + 7)->first, "k7");
}

// With std::hash this takes half a minute.
TEST(JsonObjects, keys_that_were_chosen_to_collide_cost_no_more_than_others) {
  const std::vector<std::string> keys = colliding_keys(100'000);
  std::string text = "{";
  for (const std::string& key : keys) {
    append_json_string(text, key);
    text += ":1,";
  }
  append_json_string(text, keys[0]);
  const auto value = parse_json(text + ":2}");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->as_object()->size(), keys.size());
  EXPECT_EQ(value->as_object()->begin()->second.as_int64(), 2);
}

TEST(JsonAttachments, take_the_place_of_placeholders) {
  const std::vector<Binary> attachments{{"zero"}, {"one"}};
  const auto value = parse_json(R"([{"_placeholder":true,"num":1},{"a":{"num":0,"_placeholder":true}}])", attachments);
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, Value(Array{Binary{"one"}, Object{{"a", Binary{"zero"}}}}));
}

TEST(JsonAttachments, placeholders_of_none_are_errors) {
  const std::vector<Binary> attachments{{"zero"}};
  for (const char* text :
       {R"({"_placeholder":true,"num":1})", R"({"_placeholder":true,"num":-1})", R"({"_placeholder":true})",
        R"({"_placeholder":true,"num":"0"})", R"({"_placeholder":true,"num":0.5})"})
    EXPECT_FALSE(parse_json(text, attachments)) << text;
  EXPECT_FALSE(parse_json(R"({"_placeholder":true,"num":0})", {}));
}

TEST(JsonAttachments, other_objects_stay) {
  const std::vector<Binary> attachments{{"zero"}};
  for (const char* text : {R"({"_placeholder":false,"num":0})", R"({"_placeholder":1,"num":0})", R"({"num":0})"})
    EXPECT_EQ(to_json(parse_json(text, attachments).value()), text);
  EXPECT_EQ(round_trip(R"({"_placeholder":true,"num":7})"), R"({"_placeholder":true,"num":7})");
}

TEST(JsonAttachments, are_numbered_in_order) {
  std::string out = "x";
  std::vector<Binary> attachments{{"before"}};
  append_json(out, Array{Binary{"a"}, Object{{"b", Binary{"b"}}}}, attachments);
  EXPECT_EQ(out, R"(x[{"_placeholder":true,"num":1},{"b":{"_placeholder":true,"num":2}}])");
  ASSERT_EQ(attachments.size(), 3U);
  EXPECT_EQ(attachments[2].bytes, "b");
}

TEST(JsonRandom, damaged_text_is_judged_alike_by_both_readers) {
  std::mt19937 random(6);
  const std::string good = R"({"a":[1,-2.5e3,true,null,"x\u00fc\n\ud83d\ude00"],"b":{"c":{},"d":[]},"a":0})";
  static constexpr std::string_view likely = "{}[],:\"\\0123456789-+.eEtrufalsn \xc3\xff";
  for (int round = 0; round < 20'000; ++round) {
    std::string text = good;
    for (auto damage = random() % 3 + 1; damage > 0; --damage)
      text[random() % text.size()] = likely[random() % likely.size()];
    const auto value = parse_json(text);
    ASSERT_EQ(check_json(text).has_value(), value.has_value()) << text;
    if (!value) continue;
    const std::string written = to_json(*value);
    ASSERT_EQ(to_json(parse_json(written).value()), written) << text;
  }
}

TEST(JsonTest, APlaceholderMayRepeatButNotMultiplyItsAttachmentWithoutEnd) {
  const std::vector<Binary> attachments{{std::string(100'000, 'x')}};
  const auto text = [](int uses) {
    std::string items;
    for (int i = 0; i < uses; ++i) items += R"({"_placeholder":true,"num":0},)";
    return "[" + items + "0]";
  };
  EXPECT_TRUE(parse_json(text(2), attachments));
  EXPECT_TRUE(parse_json(text(4), attachments));
  const auto refused = parse_json(text(30'000), attachments);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "placeholders repeat too often");
}

}  // namespace
}  // namespace carillon
