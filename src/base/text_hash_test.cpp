#include "base/text_hash.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "base/testing.hpp"

namespace carillon {
namespace {

// As CPython 3.11 hashes bytes with PYTHONHASHSEED=0.
TEST(SipHash, is_that_of_others) {
  EXPECT_EQ(sip_hash({}, "a"), 0x407448d2b89b1813U);
  EXPECT_EQ(sip_hash({}, "user:42"), 0x223dd74fb15f308dU);
  EXPECT_EQ(sip_hash({}, "abcdefgh"), 0x3f7b849c0b8e35eaU);
  EXPECT_EQ(sip_hash({}, "abcdefghi"), 0xf89b34a3d11eb6e5U);
  EXPECT_EQ(sip_hash({}, "room:0123456789"), 0xca4ae0fe41165f82U);
  EXPECT_EQ(sip_hash({}, "The quick brown fox jumps over the lazy dog"), 0x8df676d3d00c451eU);
  std::string bytes;
  for (int i = 0; i < 64; ++i) bytes.push_back(static_cast<char>(i));
  EXPECT_EQ(sip_hash({}, bytes), 0x75e05fd5bbc870c6U);
}

TEST(SipHash, differs_with_each_half_of_the_key_and_with_the_length) {
  const std::set<std::uint64_t> hashes{sip_hash({}, "a"), sip_hash({.first = 1}, "a"), sip_hash({.second = 1}, "a"),
                                       sip_hash({}, ""), sip_hash({}, std::string(1, '\0'))};
  EXPECT_EQ(hashes.size(), 5U);
}

TEST(TextHash, tells_apart_what_was_chosen_to_collide) {
  const auto keys = colliding_keys(1'000);
  const std::hash<std::string> plain;
  std::set<std::size_t> hashes;
  for (const std::string& key : keys) {
    EXPECT_EQ(plain(key), plain(keys[0])) << "these keys collide no more: choose others";
    hashes.insert(TextHash()(key));
  }
  EXPECT_EQ(hashes.size(), keys.size());
  EXPECT_EQ(TextHash()(keys[0]), TextHash()(std::string_view(keys[0])));
}

}  // namespace
}  // namespace carillon
