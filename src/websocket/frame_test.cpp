#include "websocket/frame.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/utf8.hpp"
#include "websocket/mask.hpp"

namespace carillon::websocket {
namespace {

using std::string_literals::operator""s;

std::string frame(Opcode opcode, std::string_view payload) {
  std::string out;
  append_frame(out, opcode, payload);
  return out;
}

std::string header(Opcode opcode, std::size_t size) {
  std::string out;
  append_header(out, opcode, size);
  return out;
}

TEST(Frame, examples_of_the_rfc) {
  EXPECT_EQ(frame(Opcode::text, "Hello"), "\x81\x05Hello");
  EXPECT_EQ(frame(Opcode::ping, "Hello"), "\x89\x05Hello");
  EXPECT_EQ(header(Opcode::binary, 256), "\x82\x7e\x01\x00"s);
  EXPECT_EQ(header(Opcode::binary, 65536), "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s);
  std::string masked;
  append_masked_frame(masked, Opcode::text, "Hello", {0x37, 0xfa, 0x21, 0x3d});
  EXPECT_EQ(masked, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
}

TEST(Frame, lengths_take_the_shortest_form) {
  EXPECT_EQ(header(Opcode::text, 0), "\x81\x00"s);
  EXPECT_EQ(header(Opcode::text, 125), "\x81\x7d");
  EXPECT_EQ(header(Opcode::text, 126), "\x81\x7e\x00\x7e"s);
  EXPECT_EQ(header(Opcode::text, 65535), "\x81\x7e\xff\xff");
  EXPECT_EQ(header(Opcode::text, 0x0102030405060708), "\x81\x7f\x01\x02\x03\x04\x05\x06\x07\x08");
}

TEST(Frame, no_header_is_longer_than_header_bytes_max) {
  std::string out;
  append_masked_frame(out, Opcode::binary, std::string(65536, 'x'), {1, 2, 3, 4});
  EXPECT_EQ(out.size(), 65536 + header_bytes_max);
}

TEST(Frame, is_appended) {
  std::string out = "before";
  append_frame(out, Opcode::text, "a");
  append_masked_frame(out, Opcode::text, "a", {0, 0, 0, 1});
  EXPECT_EQ(out,
            "before\x81\x01"
            "a\x81\x81\x00\x00\x00\x01"
            "a"s);
}

TEST(CloseFrame, with_and_without_code) {
  EXPECT_EQ(close_frame(close_code::none), "\x88\x00"s);
  EXPECT_EQ(close_frame(close_code::none, "ignored"), "\x88\x00"s);
  EXPECT_EQ(close_frame(close_code::normal), "\x88\x02\x03\xe8");
  EXPECT_EQ(close_frame(close_code::too_big, "big"),
            "\x88\x05\x03\xf1"
            "big");
}

TEST(CloseFrame, long_reasons_are_cut_between_characters) {
  const std::string most(123, 'x');
  EXPECT_EQ(close_frame(1000, most), "\x88\x7d\x03\xe8" + most);
  EXPECT_EQ(close_frame(1000, most + "y"), "\x88\x7d\x03\xe8" + most);
  for (std::size_t shift = 0; shift < 4; ++shift) {
    std::string bells(shift, 'x');
    for (int i = 0; i < 40; ++i) bells += "\xf0\x9f\x94\x94";
    const std::string cut = close_frame(1000, bells);
    EXPECT_LE(cut.size(), 127U);
    EXPECT_GE(cut.size(), 124U);
    EXPECT_TRUE(is_utf8(std::string_view(cut).substr(4)));
  }
}

TEST(Mask, is_its_own_inverse_at_every_size_and_address) {
  for (std::size_t size = 0; size < 40; ++size) {
    for (std::size_t offset = 0; offset < 9; ++offset) {
      std::string text(offset + size, 'a');
      for (std::size_t i = 0; i < size; ++i) text[offset + i] = static_cast<char>(i);
      const std::string original = text;
      apply_mask(text.data() + offset, size, {0x80, 1, 2, 3});
      for (std::size_t i = 0; i < size; ++i)
        ASSERT_EQ(static_cast<unsigned char>(text[offset + i]), i ^ (i % 4 == 0 ? 0x80U : i % 4));
      apply_mask(text.data() + offset, size, {0x80, 1, 2, 3});
      ASSERT_EQ(text, original);
    }
  }
}

}  // namespace
}  // namespace carillon::websocket
