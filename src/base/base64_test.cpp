#include "base/base64.hpp"

#include <gtest/gtest.h>

#include <string>

namespace carillon {
namespace {

TEST(Base64, examples_of_the_rfc) {
  const std::pair<const char*, const char*> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64, is_appended) {
  std::string out = "b";
  append_base64(out, std::string("\x01\x02\x03\x04"));
  EXPECT_EQ(out, "bAQIDBA==");
}

TEST(Base64, all_bytes_at_all_lengths) {
  std::string bytes;
  for (int i = 0; i < 600; ++i) {
    const std::string text = base64(bytes);
    ASSERT_EQ(text.size(), (bytes.size() + 2) / 3 * 4);
    ASSERT_EQ(from_base64(text), bytes);
    bytes.push_back(static_cast<char>(i * 37 + i / 256));
  }
  EXPECT_EQ(base64("\xfb\xff\xbf"), "+/+/");
}

TEST(FromBase64, padding_may_be_missing) {
  EXPECT_EQ(from_base64("Zg"), "f");
  EXPECT_EQ(from_base64("Zg="), "f");
  EXPECT_EQ(from_base64("Zm8"), "fo");
}

TEST(FromBase64, anything_else_is_refused) {
  for (const char* text :
       {"Z", "Zm9vY", "Zg===", "Z===", "=Zg=", "Zg==Zg==", "Zm 9v", "Zm9v\n", "Zm9-", "Zm9_", "Zm9\xff"})
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  for (const char* text : {"=", "==", "Zm9v=", "Zm9v==", "Zm8=="}) EXPECT_EQ(from_base64(text), std::nullopt) << text;
}

}  // namespace
}  // namespace carillon
