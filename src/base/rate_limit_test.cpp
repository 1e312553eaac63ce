#include "base/rate_limit.hpp"

#include <gtest/gtest.h>

namespace carillon {
namespace {

constexpr TimePoint start{Milliseconds(1'000'000)};

int taken(TokenBucket& bucket, const RateLimit& limit, TimePoint now, int attempts) {
  int count = 0;
  for (int i = 0; i < attempts; ++i) count += bucket.take(limit, now) ? 1 : 0;
  return count;
}

TEST(TokenBucket, allows_a_burst_then_no_more) {
  TokenBucket bucket;
  EXPECT_EQ(taken(bucket, {10, 25}, start, 100), 25);
}

TEST(TokenBucket, fills_at_its_rate) {
  TokenBucket bucket;
  const RateLimit limit{10, 25};
  taken(bucket, limit, start, 100);
  EXPECT_EQ(taken(bucket, limit, start + Milliseconds(99), 100), 0);
  EXPECT_EQ(taken(bucket, limit, start + Milliseconds(100), 100), 1);
  EXPECT_EQ(taken(bucket, limit, start + Milliseconds(1'100), 100), 10);
}

TEST(TokenBucket, holds_no_more_than_a_burst_after_a_long_pause) {
  TokenBucket bucket;
  const RateLimit limit{10, 25};
  taken(bucket, limit, start, 100);
  EXPECT_EQ(taken(bucket, limit, start + std::chrono::hours(1), 100), 25);
}

TEST(TokenBucket, takes_several_or_none) {
  TokenBucket bucket;
  const RateLimit limit{1, 10};
  EXPECT_FALSE(bucket.take(limit, start, 11));
  EXPECT_TRUE(bucket.take(limit, start, 10));
  EXPECT_FALSE(bucket.take(limit, start));
}

TEST(TokenBucket, without_a_rate_has_no_limit) {
  TokenBucket bucket;
  EXPECT_EQ(taken(bucket, {}, start, 1000), 1000);
}

TEST(TokenBucket, knows_when_it_is_full_again) {
  TokenBucket bucket;
  EXPECT_TRUE(bucket.is_full(start));
  bucket.take({10, 25}, start);
  EXPECT_FALSE(bucket.is_full(start));
  EXPECT_TRUE(bucket.is_full(start + Milliseconds(100)));
}

}  // namespace
}  // namespace carillon
