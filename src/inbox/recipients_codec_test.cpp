#include "inbox/recipients_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon::inbox {
namespace {

TEST(RecipientsCodec, GivesBackWhatWasEncoded) {
  const std::vector<HolderKey> holders{{1, 1}, {127, 128}, {1'000'000, 16'384}, {1, UINT64_MAX}};
  EXPECT_EQ(decode_recipients(encode_recipients(holders)), holders);
  EXPECT_EQ(encode_recipients({{1, 1}}).size(), 2U);
}

TEST(RecipientsCodec, ADamagedBlobGivesWhatIsBeforeTheDamage) {
  const std::string blob = encode_recipients({{1, 2}, {300, 400}});
  EXPECT_THAT(decode_recipients(blob.substr(0, blob.size() - 1)), testing::ElementsAre(HolderKey{1, 2}));
  EXPECT_THAT(decode_recipients(std::string(30, '\xff')), testing::IsEmpty());
}

}  // namespace
}  // namespace carillon::inbox
