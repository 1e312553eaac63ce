#include "base/msgpack.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/hex.hpp"
#include "base/json.hpp"

namespace carillon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string encoded(const Value& value) {
  std::string out;
  append_msgpack(out, value);
  return to_hex(out);
}

Result<std::string, MsgpackError> json_of(std::string_view hex) {
  std::string json;
  std::vector<Binary> attachments;
  const auto done = append_json_of_msgpack(from_hex(hex), json, attachments);
  if (!done) return Failure(done.error());
  return json;
}

bool skippable(std::string_view bytes) {
  MsgpackReader reader(bytes);
  std::string_view value;
  return reader.skip(value) && value == bytes;
}

// --- encoding: bytes captured from notepack.io 3.0.1 ---

TEST(MsgpackTest, NumbersHaveTheirSmallestForm) {
  // From io.emit("n", ...) of a Node.js server.
  const Value numbers(
      Array{0,  127, 128, 255,  256,  65'535,  65'536,  4'294'967'295,  4'294'967'296,  9'007'199'254'740'991,
            -1, -32, -33, -128, -129, -32'768, -32'769, -2'147'483'648, -2'147'483'649, -9'007'199'254'740'991,
            0.1});
  EXPECT_EQ(
      encoded(numbers),
      "dc0015007fcc80ccffcd0100cdffffce00010000ceffffffffcf0000000100000000cf001fffffffffffffffe0d0dfd080d1ff7fd18000"
      "d2ffff7fffd280000000d3ffffffff7fffffffd3ffe0000000000001cb3fb999999999999a");
}

TEST(MsgpackTest, WholeDoublesAreIntegersAsInJavaScript) {
  EXPECT_EQ(encoded(1.0), "01");
  EXPECT_EQ(encoded(-0.0), "00");
  EXPECT_EQ(encoded(-33.0), "d0df");
  EXPECT_EQ(encoded(9'007'199'254'740'992.0), "cf0020000000000000");
  EXPECT_EQ(encoded(1e300), "cb7e37e43c8800759c");
  EXPECT_EQ(encoded(1.5), "cb3ff8000000000000");
  EXPECT_EQ(encoded(std::numeric_limits<double>::infinity()), "cb7ff0000000000000");
  EXPECT_EQ(encoded(std::numeric_limits<std::uint64_t>::max()), "cfffffffffffffffff");
  EXPECT_EQ(encoded(std::numeric_limits<std::int64_t>::min()), "d38000000000000000");
}

TEST(MsgpackTest, LengthsHaveTheirSmallestForm) {
  const auto head = [](const Value& value) { return encoded(value).substr(0, 12); };
  EXPECT_EQ(encoded(""), "a0");
  EXPECT_EQ(encoded(std::string(31, 'x')).substr(0, 4), "bf78");
  EXPECT_EQ(head(std::string(32, 'x')), "d92078787878");
  EXPECT_EQ(head(std::string(255, 'x')), "d9ff78787878");
  EXPECT_EQ(head(std::string(256, 'x')), "da0100787878");
  EXPECT_EQ(head(std::string(65'535, 'x')), "daffff787878");
  EXPECT_EQ(head(std::string(65'536, 'x')), "db0001000078");
  EXPECT_EQ(encoded(Binary{""}), "c400");
  EXPECT_EQ(head(Binary{std::string(255, '\0')}), "c4ff00000000");
  EXPECT_EQ(head(Binary{std::string(256, '\0')}), "c50100000000");
  EXPECT_EQ(head(Binary{std::string(65'536, '\0')}), "c60001000000");
  EXPECT_EQ(encoded(Array(15)).substr(0, 4), "9fc0");
  EXPECT_EQ(head(Array(16)), "dc0010c0c0c0");
  EXPECT_EQ(head(Array(65'536)), "dd00010000c0");
  Object object;
  for (int i = 0; i < 15; ++i) object.append("k" + std::to_string(i), i);
  EXPECT_EQ(head(object), "8fa26b3000a2");
  object.append("k15", 15);
  EXPECT_EQ(
      encoded(object),
      "de0010a26b3000a26b3101a26b3202a26b3303a26b3404a26b3505a26b3606a26b3707a26b3808a26b3909a36b31300aa36b31310ba3"
      "6b31320ca36b31330da36b31340ea36b31350f");
}

TEST(MsgpackTest, ValuesSurviveTheRoundTrip) {
  const Value value(Object{{"null", nullptr},
                           {"yes", true},
                           {"no", false},
                           {"text", "ü€😀\0 \"\\\n"},
                           {"numbers", Array{0, -1, 1.5, 1e300, std::numeric_limits<std::uint64_t>::max()}},
                           {"bytes", Binary{std::string("\0\xff", 2)}},
                           {"empty", Array{Array{}, Object{}, "", Binary{}}}});
  std::string bytes;
  append_msgpack(bytes, value);
  const auto parsed = parse_msgpack(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, value);

  std::string direct;
  std::string built;
  std::vector<Binary> direct_attachments;
  std::vector<Binary> built_attachments;
  ASSERT_TRUE(append_json_of_msgpack(bytes, direct, direct_attachments));
  append_json(built, value, built_attachments);
  EXPECT_EQ(direct, built);
  EXPECT_EQ(direct_attachments, built_attachments);
}

// --- decoding: what Node.js makes of these bytes (JSON.stringify of notepack.io's decode) ---

struct Decoded {
  std::string_view hex;
  std::string_view json;
};

class MsgpackDecodeTest : public ::testing::TestWithParam<Decoded> {};

TEST_P(MsgpackDecodeTest, IsWhatNodeMakesOfIt) {
  const auto json = json_of(GetParam().hex);
  ASSERT_TRUE(json) << GetParam().hex;
  EXPECT_EQ(*json, GetParam().json) << GetParam().hex;
  const auto value = parse_msgpack(from_hex(GetParam().hex));
  ASSERT_TRUE(value);
  EXPECT_EQ(to_json(*value), GetParam().json) << GetParam().hex;
}

INSTANTIATE_TEST_SUITE_P(Undefined, MsgpackDecodeTest,
                         ::testing::Values(Decoded{"d40000", "null"}, Decoded{"81a161d40000", "{}"},
                                           Decoded{"92d4000001", "[null,1]"},
                                           Decoded{"83a16101a162d40000a16302", R"({"a":1,"c":2})"}));
INSTANTIATE_TEST_SUITE_P(
    Dates, MsgpackDecodeTest,
    ::testing::Values(Decoded{"d6ff00000000", R"("1970-01-01T00:00:00.000Z")"},
                      Decoded{"d6ffffffffff", R"("2106-02-07T06:28:15.000Z")"},
                      Decoded{"d7ff1d535300499602d2", R"("2009-02-13T23:31:30.123Z")"},
                      Decoded{"d7ff0ee6b280499602d2", R"("2009-02-13T23:31:30.062Z")"},
                      Decoded{"c70cff3b8b87c0ffffffffffffffff", R"("1969-12-31T23:59:59.999Z")"},
                      Decoded{"c70cff00000000ffffffffffffffff", R"("1969-12-31T23:59:59.000Z")"},
                      Decoded{"c70cff00000000fffffff00d5d2b80", R"("-000201-06-21T16:57:36.000Z")"},
                      Decoded{"c70cff00000000000000eb57a08c00", R"("+034000-07-30T20:45:52.000Z")"},
                      Decoded{"c70cff000f42407fffffffffffffff", "null"},                 // beyond what a Date holds
                      Decoded{"d700000001234567890a", R"("2009-08-23T03:58:16.330Z")"},  // notepack.io 2
                      Decoded{"d700ffffffffffffffff", R"("1969-12-31T23:59:59.999Z")"},
                      Decoded{"d7007fffffffffffffff", "null"}));
INSTANTIATE_TEST_SUITE_P(
    Numbers, MsgpackDecodeTest,
    ::testing::Values(Decoded{"ca3f800000", "1"}, Decoded{"ca3fc00000", "1.5"}, Decoded{"ca7f800000", "null"},
                      Decoded{"cb7ff8000000000000", "null"}, Decoded{"cf0020000000000000", "9007199254740992"},
                      Decoded{"cfffffffffffffffff", "18446744073709551615"},  // exact here; Node.js rounds
                      Decoded{"d3ffe0000000000001", "-9007199254740991"}, Decoded{"d0ff", "-1"},
                      Decoded{"d1ffff", "-1"}, Decoded{"d2ffffffff", "-1"}, Decoded{"cc01", "1"}, Decoded{"e0", "-32"},
                      Decoded{"7f", "127"}));
INSTANTIATE_TEST_SUITE_P(
    Binary, MsgpackDecodeTest,
    ::testing::Values(Decoded{"c402aabb", R"({"_placeholder":true,"num":0})"},
                      Decoded{"c7020001ff", R"({"_placeholder":true,"num":0})"},  // ArrayBuffers of notepack.io 2
                      Decoded{"c8000200aabb", R"({"_placeholder":true,"num":0})"},
                      Decoded{"c90000000200aabb", R"({"_placeholder":true,"num":0})"},
                      Decoded{"92c400c401aa", R"([{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])"},
                      Decoded{"d505aabb", R"([5,{"_placeholder":true,"num":0}])"},  // unknown extensions
                      Decoded{"c70105aa", R"([5,{"_placeholder":true,"num":0}])"}));
INSTANTIATE_TEST_SUITE_P(Maps, MsgpackDecodeTest,
                         ::testing::Values(Decoded{"8101a161", R"({"1":"a"})"}, Decoded{"80", "{}"},
                                           Decoded{"82a16101d1fffe02", R"({"a":1,"-2":2})"},
                                           Decoded{"81a3c3bc2203", R"({"ü\"":3})"}));

TEST(MsgpackTest, AttachmentsKeepTheirBytesAndOrder) {
  std::string json = "x";
  std::vector<Binary> attachments{{"first"}};
  ASSERT_TRUE(append_json_of_msgpack(from_hex("92c402aabb81a161c401cc"), json, attachments));
  EXPECT_EQ(json, R"(x[{"_placeholder":true,"num":1},{"a":{"_placeholder":true,"num":2}}])");
  EXPECT_THAT(attachments, ElementsAre(Binary{"first"}, Binary{"\xaa\xbb"}, Binary{"\xcc"}));
}

TEST(MsgpackTest, TextThatIsNotUtf8IsRepaired) {
  std::string json;
  std::vector<Binary> attachments;
  // An attachment before it: the second pass must not leave it twice.
  ASSERT_TRUE(append_json_of_msgpack(from_hex("93c401aaa361ff62"
                                              "a4f09f9880"),
                                     json, attachments));
  EXPECT_EQ(json,
            "[{\"_placeholder\":true,\"num\":0},\"a\xef\xbf\xbd"
            "b\",\"😀\"]");
  EXPECT_EQ(attachments.size(), 1U);
  EXPECT_TRUE(check_json(json));
  EXPECT_EQ(*parse_msgpack(from_hex("a2c328"))->as_string(), "\xef\xbf\xbd(");
  EXPECT_EQ(json_of("81a1ff01"), "{\"\xef\xbf\xbd\":1}");
}

// --- malformed input ---

const Value sample(Object{{"a", Array{1, "two", Binary{"three"}, nullptr, true, 4.5}},
                          {"b", Object{{"c", std::string(40, 'x')}, {"d", 70'000}, {"e", -70'000}}},
                          {"f", Array(20)},
                          {"g", Binary{std::string(300, 'y')}}});

TEST(MsgpackTest, EveryPrefixOfAMessageIsRefused) {
  std::string bytes;
  append_msgpack(bytes, sample);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::string json;
    std::vector<Binary> attachments;
    const std::string_view prefix = std::string_view(bytes).substr(0, size);
    const auto done = append_json_of_msgpack(prefix, json, attachments);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error(), MsgpackError::cut_off);
    ASSERT_FALSE(parse_msgpack(prefix));
    EXPECT_EQ(parse_msgpack(prefix).error(), MsgpackError::cut_off);
    EXPECT_FALSE(skippable(prefix));
  }
}

TEST(MsgpackTest, BytesBehindTheValueAreRefused) {
  EXPECT_EQ(json_of("9001").error(), MsgpackError::trailing);
  EXPECT_EQ(parse_msgpack(from_hex("c0c0")).error(), MsgpackError::trailing);
}

TEST(MsgpackTest, MutatedMessagesAreHarmless) {
  std::string bytes;
  append_msgpack(bytes, sample);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int with : {0x00, 0x7f, 0x80, 0x90, 0xa1, 0xc0, 0xc1, 0xc6, 0xc9, 0xd4, 0xd7, 0xdb, 0xdd, 0xdf, 0xff}) {
      std::string mutated = bytes;
      mutated[i] = static_cast<char>(with);
      std::string json;
      std::vector<Binary> attachments;
      if (append_json_of_msgpack(mutated, json, attachments)) {
        EXPECT_TRUE(check_json(json)) << json;
      }
      std::ignore = parse_msgpack(mutated);
    }
  }
}

TEST(MsgpackTest, ClaimedLengthsCostNothing) {
  for (const std::string_view hex : {"dfffffffff00000000", "ddffffffff00000000", "dbffffffff00000000", "c6ffffffff0000",
                                     "c9ffffffff050000", "deffff0000", "dcffff0000", "8f00", "9f00", "bf00"}) {
    EXPECT_EQ(json_of(hex).error(), MsgpackError::cut_off) << hex;
    EXPECT_EQ(parse_msgpack(from_hex(hex)).error(), MsgpackError::cut_off) << hex;
    const std::string bytes = from_hex(hex);
    EXPECT_FALSE(skippable(bytes)) << hex;
  }
}

TEST(MsgpackTest, WhatIsNoMsgpackIsRefused) {
  EXPECT_EQ(json_of("c1").error(), MsgpackError::invalid);
  EXPECT_EQ(json_of("c702ff0000").error(), MsgpackError::invalid);  // a timestamp of two bytes
  EXPECT_EQ(json_of("81c001").error(), MsgpackError::invalid);      // nil as a key
  EXPECT_EQ(json_of("818001").error(), MsgpackError::invalid);
  EXPECT_EQ(json_of("8191d4000001").error(), MsgpackError::invalid);
  EXPECT_EQ(parse_msgpack(from_hex("81c001")).error(), MsgpackError::invalid);
}

TEST(MsgpackTest, NestingIsBounded) {
  const auto nested = [](std::string_view layer, std::size_t depth) {
    std::string bytes;
    for (std::size_t i = 0; i < depth; ++i) bytes += layer;
    return bytes + '\x01';
  };
  for (const std::string_view layer : {std::string_view("\x91"), std::string_view("\x81\xa1k")}) {
    for (const std::size_t depth : {json_depth_max, json_depth_max + 1, std::size_t{10'000}, std::size_t{1'000'000}}) {
      const std::string bytes = nested(layer, depth);
      std::string json;
      std::vector<Binary> attachments;
      const auto done = append_json_of_msgpack(bytes, json, attachments);
      EXPECT_EQ(done.has_value(), depth <= json_depth_max);
      EXPECT_EQ(parse_msgpack(bytes).has_value(), depth <= json_depth_max);
      if (!done) {
        EXPECT_EQ(done.error(), MsgpackError::too_deep);
      }
      EXPECT_TRUE(skippable(bytes));
    }
  }
}

}  // namespace
}  // namespace carillon
