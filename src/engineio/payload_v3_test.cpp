#include "engineio/payload_v3.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace carillon::engineio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using std::string_literals::operator""s;

// The packets as "type:data", binary ones as "b type:data"; or the error.
std::vector<std::string> described(const Result<std::vector<Packet>, PacketError>& packets) {
  if (!packets) return {"error " + std::to_string(static_cast<int>(packets.error()))};
  std::vector<std::string> result;
  for (const Packet& packet : *packets)
    result.push_back((packet.binary ? "b" : "") + std::to_string(static_cast<int>(packet.type)) + ":" +
                     std::string(packet.data));
  return result;
}

std::vector<std::string> decoded(std::string_view payload) {
  Binaries binaries;
  return described(decode_payload_v3(payload, binaries));
}

std::vector<std::string> octets(std::string_view payload) {
  Binaries binaries;
  return described(decode_octet_payload_v3(payload, binaries));
}

auto is_error(PacketError kind) { return ElementsAre("error " + std::to_string(static_cast<int>(kind))); }

FramesPtr text_and_binary() {
  auto frames = std::make_shared<Frames>();
  frames->append_text("4\u20ac");
  frames->append_binary("\x01\x02\x03\x04");
  return frames;
}

// --- text payloads ---

// The examples of the protocol document.
TEST(PayloadV3Test, ReadsTheProtocolDocumentsExamples) {
  EXPECT_THAT(decoded("6:4hello2:4\u20ac"), ElementsAre("4:hello", "4:\u20ac"));
  EXPECT_THAT(decoded("2:4\u20ac10:b4AQIDBA=="), ElementsAre("4:\u20ac", "b4:\x01\x02\x03\x04"));
}

TEST(PayloadV3Test, LengthsCountUtf16Units) {
  EXPECT_THAT(decoded("3:4\U0001f6001:2"), ElementsAre("4:\U0001f600", "2:"));
  EXPECT_THAT(decoded("2:4\U0001f6001:2"), is_error(PacketError::bad_length));
  EXPECT_THAT(decoded("5:4\U0001f6001:2"), is_error(PacketError::bad_length));
}

TEST(PayloadV3Test, ContentMayLookLikeALength) {
  EXPECT_THAT(decoded("6:412:a:4:4x:y"), ElementsAre("4:12:a:", "4:x:y"));
  EXPECT_THAT(decoded("2:4\n3:4\0x"s), ElementsAre("4:\n", "4:\0x"s));
}

TEST(PayloadV3Test, ALengthOfZeroIsNoPacket) {
  EXPECT_THAT(decoded("0:"), IsEmpty());
  EXPECT_THAT(decoded("0:1:20:"), ElementsAre("2:"));
}

TEST(PayloadV3Test, RefusesEveryMalformedForm) {
  EXPECT_THAT(decoded(""), is_error(PacketError::empty));
  for (const std::string_view payload : {"abc",
                                         ":",
                                         "1",
                                         "6",
                                         "6:",
                                         "6:4hell",
                                         ":4",
                                         "-1:4",
                                         "+1:4",
                                         " 1:4",
                                         "1 :4",
                                         "1e0:4",
                                         "0x1:4",
                                         "1.0:4",
                                         "2:4",
                                         "1:42:4",
                                         "99999999999999999999999:4",
                                         "18446744073709551615:4",
                                         "1:4\x1e",
                                         "1:4x"})
    EXPECT_THAT(decoded(payload), is_error(PacketError::bad_length)) << payload;
  for (const std::string_view payload : {"1:7", "1:x", "1: ", "3:b7A", "2:bb"})
    EXPECT_THAT(decoded(payload), is_error(PacketError::unknown_type)) << payload;
  EXPECT_THAT(decoded("1:b"), is_error(PacketError::empty));
  EXPECT_THAT(decoded("6:b4!!!!"), is_error(PacketError::bad_base64));
  EXPECT_THAT(decoded("2:4\xff"), is_error(PacketError::bad_utf8));
  EXPECT_THAT(decoded("2:4\xed\xa0\x80"), is_error(PacketError::bad_utf8));  // half an emoji
}

TEST(PayloadV3Test, WritesTheProtocolDocumentsExample) {
  std::string payload;
  append_to_payload_v3(payload, *make_text_frames("4hello"));
  append_to_payload_v3(payload, *text_and_binary());
  EXPECT_EQ(payload, "6:4hello2:4\u20ac10:b4AQIDBA==");
}

TEST(PayloadV3Test, WritesWhatItReads) {
  std::string payload;
  append_to_payload_v3(payload, *make_text_frames("4\U0001f600 \u20ac a"));
  append_to_payload_v3(payload, *make_binary_frames(""));
  append_to_payload_v3(payload, *make_text_frames("6"));
  EXPECT_THAT(decoded(payload), ElementsAre("4:\U0001f600 \u20ac a", "b4:", "6:"));
}

// --- octet payloads ---

TEST(PayloadV3Test, ReadsTheProtocolDocumentsOctets) {
  EXPECT_THAT(octets("\0\4\xff\x34\xe2\x82\xac\1\5\xff\4\1\2\3\4"s), ElementsAre("4:\u20ac", "b4:\1\2\3\4"));
}

TEST(PayloadV3Test, SizesCountBytesInDecimalDigits) {
  EXPECT_THAT(octets("\1\1\2\xff\4abcdefghijk"s), ElementsAre("b4:abcdefghijk"));
  EXPECT_THAT(octets("\0\0\0\1\xff\x32"s), ElementsAre("2:"));
}

TEST(PayloadV3Test, TextInOctetsMayHoldBase64) {
  EXPECT_THAT(octets("\0\6\xff"
                     "b4AQI="s),
              ElementsAre("b4:\1\2"));
}

TEST(PayloadV3Test, RefusesEveryMalformedOctet) {
  EXPECT_THAT(octets(""), is_error(PacketError::empty));
  for (const std::string& payload :
       {"\0"s, "\1"s, "\0\1"s, "\0\xff"s, "\1\xff"s, "\0\1\xff"s, "\0\2\xff\x34"s, "\2\1\xff\x34"s, "4hello"s,
        "6:4hello"s, "\0\x0a\xff\x34"s, "\0\x31\xff\x34"s, "\1\1\1\1\1\1\1\1\1\1\1\1\xff\4"s, "\0\1\xff\x34\0"s,
        "\1" + std::string(1000, '\1'), "\1" + std::string(1000, '\0') + "\xff"})
    EXPECT_THAT(octets(payload), is_error(PacketError::bad_length)) << payload.size();
  for (const std::string& payload : {"\0\0\xff"s, "\1\0\xff"s})
    EXPECT_THAT(octets(payload), is_error(PacketError::empty));
  for (const std::string& payload : {"\0\1\xff\4"s, "\1\1\xff\x34"s, "\1\1\xff\7"s, "\1\1\xff\xff"s})
    EXPECT_THAT(octets(payload), is_error(PacketError::unknown_type));
  EXPECT_THAT(octets("\0\2\xff\x34\xff"s), is_error(PacketError::bad_utf8));
}

TEST(PayloadV3Test, WritesTheProtocolDocumentsOctets) {
  std::string payload;
  append_to_octet_payload_v3(payload, *text_and_binary());
  EXPECT_EQ(payload, "\0\4\xff\x34\xe2\x82\xac\1\5\xff\4\1\2\3\4"s);
  append_to_octet_payload_v3(payload, *make_binary_frames(std::string(120, 'x')));
  EXPECT_THAT(octets(payload), ElementsAre("4:\u20ac", "b4:\1\2\3\4", "b4:" + std::string(120, 'x')));
}

// --- packets over WebSocket ---

TEST(PayloadV3Test, ABinaryMessageStartsWithItsType) {
  const auto message = decode_octets_v3("\4\1\2");
  ASSERT_TRUE(message);
  EXPECT_EQ(message->type, PacketType::message);
  EXPECT_TRUE(message->binary);
  EXPECT_EQ(message->data, "\1\2");
  EXPECT_EQ(decode_octets_v3("").error(), PacketError::empty);
  for (const std::string_view bytes : {"\7", "4", "\xff"})
    EXPECT_EQ(decode_octets_v3(bytes).error(), PacketError::unknown_type);
}

TEST(PayloadV3Test, ATextMessageMayHoldBase64) {
  Binaries binaries;
  const auto message = decode_packet_v3("b4AQI=", binaries);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->data, "\1\2");
  EXPECT_EQ(decode_packet_v3("bAQI=", binaries).error(), PacketError::unknown_type);  // version 4
}

}  // namespace
}  // namespace carillon::engineio
