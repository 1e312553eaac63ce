#include "base/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace carillon {
namespace {

TEST(Utf8Test, CountsAsJavaScriptDoes) {
  EXPECT_EQ(utf16_length(""), 0U);
  EXPECT_EQ(utf16_length("abc"), 3U);
  EXPECT_EQ(utf16_length("\u00e9\u20ac"), 2U);
  EXPECT_EQ(utf16_length("\U0001f600!"), 3U);
  EXPECT_EQ(utf16_length("\U0010ffff\uffff"), 3U);
}

TEST(Utf8Test, FindsTheBytesOfSoManyUnits) {
  const std::string text = "a\u20ac\U0001f600z";
  EXPECT_EQ(bytes_of_utf16(text, 0), 0U);
  EXPECT_EQ(bytes_of_utf16(text, 1), 1U);
  EXPECT_EQ(bytes_of_utf16(text, 2), 4U);
  EXPECT_EQ(bytes_of_utf16(text, 4), 8U);
  EXPECT_EQ(bytes_of_utf16(text, 5), 9U);
}

TEST(Utf8Test, NeitherCutsACharacterNorGoesBeyondTheEnd) {
  EXPECT_EQ(bytes_of_utf16("\U0001f600", 1), std::nullopt);
  EXPECT_EQ(bytes_of_utf16("a\U0001f600", 2), std::nullopt);
  EXPECT_EQ(bytes_of_utf16("", 1), std::nullopt);
  EXPECT_EQ(bytes_of_utf16("ab", 3), std::nullopt);
  EXPECT_EQ(bytes_of_utf16("\u20ac", 2), std::nullopt);
  EXPECT_EQ(bytes_of_utf16("ab", static_cast<std::size_t>(-1)), std::nullopt);
}

}  // namespace
}  // namespace carillon
