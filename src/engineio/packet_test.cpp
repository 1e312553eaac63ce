#include "engineio/packet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace carillon::engineio {
namespace {

using ::testing::ElementsAre;
using std::string_literals::operator""s;

// The packets of a payload as "type:data", binary ones as "b:data"; or the error.
std::vector<std::string> decoded(std::string_view payload) {
  Binaries binaries;
  const auto packets = decode_payload(payload, binaries);
  if (!packets) return {"error " + std::to_string(static_cast<int>(packets.error()))};
  std::vector<std::string> result;
  for (const Packet& packet : *packets)
    result.push_back((packet.binary ? "b" : std::to_string(static_cast<int>(packet.type))) + ":" +
                     std::string(packet.data));
  return result;
}

std::string error(PacketError kind) { return "error " + std::to_string(static_cast<int>(kind)); }

TEST(EngineIoPacket, EachTypeIsADigitInFrontOfItsData) {
  for (int type = 0; type <= 6; ++type) {
    const std::string text = std::to_string(type) + "data";
    const auto packet = decode_packet(text);
    ASSERT_TRUE(packet) << type;
    EXPECT_EQ(static_cast<int>(packet->type), type);
    EXPECT_EQ(packet->data, "data");
    EXPECT_FALSE(packet->binary);
  }
}

TEST(EngineIoPacket, DataMayBeEmpty) {
  const auto packet = decode_packet("4");
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->type, PacketType::message);
  EXPECT_EQ(packet->data, "");
}

TEST(EngineIoPacket, RefusesWhatIsNoPacket) {
  EXPECT_EQ(decode_packet("").error(), PacketError::empty);
  for (const std::string_view text : {"7", "9", "a", "b", "bAQID", " 4", "-4", "\x1e", "\xff"})
    EXPECT_EQ(decode_packet(text).error(), PacketError::unknown_type) << text;
  EXPECT_EQ(decode_packet("\0"s).error(), PacketError::unknown_type);
}

// The example of the protocol document.
TEST(EngineIoPayload, ReadsTheProtocolDocumentsExample) {
  EXPECT_THAT(decoded("4hello\x1e"
                      "2\x1e"
                      "4world"),
              ElementsAre("4:hello", "2:", "4:world"));
  EXPECT_THAT(decoded("4hello\x1e"
                      "bAQIDBA=="),
              ElementsAre("4:hello", "b:\x01\x02\x03\x04"));
}

TEST(EngineIoPayload, ReadsTextAsItIs) {
  EXPECT_THAT(decoded("4€ \n\r,:b"), ElementsAre("4:€ \n\r,:b"));
  EXPECT_THAT(decoded("4\0x"s), ElementsAre("4:\0x"s));
}

TEST(EngineIoPayload, ReadsBinaryBetweenText) {
  EXPECT_THAT(decoded("bAAAA\x1e"
                      "4x\x1e"
                      "b\x1e"
                      "b/+8="),
              ElementsAre("b:\0\0\0"s, "4:x", "b:", "b:\xff\xef"));
}

// Many short binaries: each keeps its bytes although the list that holds them grows.
TEST(EngineIoPayload, BinaryStaysInPlaceHoweverManyThereAre) {
  std::string payload;
  std::vector<std::string> expected;
  for (int i = 0; i < 100; ++i) {
    const std::string bytes(1, static_cast<char>('A' + i % 26));
    append_to_payload(payload, *make_binary_frames(bytes));
    expected.push_back("b:" + bytes);
  }
  EXPECT_EQ(decoded(payload), expected);
}

TEST(EngineIoPayload, RefusesEveryMalformedForm) {
  EXPECT_THAT(decoded(""), ElementsAre(error(PacketError::empty)));
  EXPECT_THAT(decoded("4a\x1e"), ElementsAre(error(PacketError::empty)));
  EXPECT_THAT(decoded("\x1e"
                      "4a"),
              ElementsAre(error(PacketError::empty)));
  EXPECT_THAT(decoded("4a\x1e\x1e"
                      "4b"),
              ElementsAre(error(PacketError::empty)));
  EXPECT_THAT(decoded("4a\x1e"
                      "x"),
              ElementsAre(error(PacketError::unknown_type)));
  EXPECT_THAT(decoded("7:4hello"), ElementsAre(error(PacketError::unknown_type)));  // a payload of version 3
  EXPECT_THAT(decoded("b!!!!"), ElementsAre(error(PacketError::bad_base64)));
  EXPECT_THAT(decoded("bA"), ElementsAre(error(PacketError::bad_base64)));
  EXPECT_THAT(decoded("bAQ=I"), ElementsAre(error(PacketError::bad_base64)));
  EXPECT_THAT(decoded("b AQID"), ElementsAre(error(PacketError::bad_base64)));
  EXPECT_THAT(decoded("4a\x1e"
                      "4\xff"),
              ElementsAre(error(PacketError::bad_utf8)));
  EXPECT_THAT(decoded("4\xed\xa0\x80"), ElementsAre(error(PacketError::bad_utf8)));
}

TEST(EngineIoPayload, AppendsPacketsWithASeparatorBetweenThem) {
  std::string payload;
  append_to_payload(payload, *make_text_frames("4hello"));
  EXPECT_EQ(payload, "4hello");
  append_to_payload(payload, *make_binary_frames("\x01\x02\x03\x04"));
  EXPECT_EQ(payload,
            "4hello\x1e"
            "bAQIDBA==");
}

TEST(EngineIoPayload, AppendsAPacketWithItsAttachments) {
  Frames frames;
  frames.append_text("451-", R"(["x",{"_placeholder":true,"num":0}])");
  frames.append_binary("");
  frames.append_binary("\xff");
  std::string payload = "2";
  append_to_payload(payload, frames);
  EXPECT_EQ(payload,
            "2\x1e"
            R"(451-["x",{"_placeholder":true,"num":0}])"
            "\x1e"
            "b\x1e"
            "b/w==");
}

TEST(EngineIoFrames, HoldTheWebSocketFramesOfAllPartsBackToBack) {
  Frames frames;
  frames.append_text("4", "hi");
  frames.append_binary("\x01\x02");
  EXPECT_EQ(frames.wire(),
            "\x81\x03"
            "4hi"
            "\x82\x02"
            "\x01\x02");
  ASSERT_EQ(frames.parts().size(), 2U);
  EXPECT_EQ(frames.payload(frames.parts()[0]), "4hi");
  EXPECT_EQ(frames.payload(frames.parts()[1]), "\x01\x02");
  EXPECT_EQ(frames.bytes(), 9U);
}

TEST(EngineIoFrames, HoldPartsOfEveryLengthForm) {
  Frames frames;
  for (const std::size_t size : {0U, 125U, 126U, 65'535U, 65'536U}) frames.append_binary(std::string(size, 'x'));
  ASSERT_EQ(frames.parts().size(), 5U);
  EXPECT_EQ(frames.payload(frames.parts()[0]), "");
  EXPECT_EQ(frames.payload(frames.parts()[2]), std::string(126, 'x'));
  EXPECT_EQ(frames.payload(frames.parts()[4]), std::string(65'536, 'x'));
  EXPECT_EQ(frames.bytes(), 2U + (2 + 125) + (4 + 126) + (4 + 65'535) + (10 + 65'536));
}

}  // namespace
}  // namespace carillon::engineio
