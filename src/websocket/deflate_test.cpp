// Deflater, Inflater and MessageInflater against each other, against zlib, and against what the RFC shows.
#include <gtest/gtest.h>
#include <zlib.h>

#include <initializer_list>
#include <random>
#include <string>
#include <string_view>

#include "websocket/deflater.hpp"
#include "websocket/message_inflater.hpp"

namespace carillon::websocket {
namespace {

using std::string_literals::operator""s;

constexpr std::size_t plenty = 10'000'000;

struct Codec {
  DeflateStats stats;
  Deflater deflater{6, 15, stats};
  Inflater inflater{stats};

  std::string compressed(std::string_view message) {
    std::string out;
    deflater.compress(message, out);
    return out;
  }
  // The message, or "bad_data" or "too_big".
  std::string inflated(std::string_view payload, std::size_t bytes_max = plenty, std::string_view window = {}) {
    std::string out;
    const auto result = inflater.inflate(payload, window, bytes_max, out);
    if (result) return out;
    return result.error() == InflateError::bad_data ? "bad_data" : "too_big";
  }
};

std::string random_text(std::size_t size, int alphabet) {
  std::mt19937 random(static_cast<unsigned>(size));
  std::string text(size, 0);
  for (char& c : text) c = static_cast<char>(random() % static_cast<unsigned>(alphabet));
  return text;
}

// A sender that takes its context over: zlib as any client uses it.
class ContextSender {
 public:
  explicit ContextSender(int window_bits = 15) {
    deflateInit2(&stream_, 6, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY);
  }
  ~ContextSender() { deflateEnd(&stream_); }
  ContextSender(const ContextSender&) = delete;
  ContextSender& operator=(const ContextSender&) = delete;

  std::string compressed(std::string message, int flush = Z_SYNC_FLUSH) {
    std::string out(message.size() * 2 + 100, 0);
    stream_.next_in = reinterpret_cast<Bytef*>(message.data());
    stream_.avail_in = static_cast<uInt>(message.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    deflate(&stream_, flush);
    out.resize(out.size() - stream_.avail_out - (flush == Z_SYNC_FLUSH ? 4 : 0));
    return out;
  }

 private:
  z_stream stream_{};
};

TEST(Deflate, messages_come_back_whatever_they_hold) {
  Codec codec;
  for (const std::size_t size :
       std::initializer_list<std::size_t>{1, 2, 125, 1024, 16384, 16385, 65536, 300'000, 2'000'000})
    for (const int alphabet : {1, 4, 256}) {
      const std::string message = random_text(size, alphabet);
      ASSERT_EQ(codec.inflated(codec.compressed(message)), message) << size << " of " << alphabet;
    }
}

TEST(Deflate, all_levels_and_windows) {
  const std::string message = random_text(200'000, 20);
  DeflateStats stats;
  for (const int level : {1, 6, 9})
    for (int window_bits = 9; window_bits <= 15; ++window_bits) {
      Deflater deflater(level, window_bits, stats);
      std::string payload;
      deflater.compress(message, payload);
      ASSERT_EQ(Codec().inflated(payload), message) << level << " " << window_bits;
    }
}

TEST(Deflate, each_message_stands_for_itself) {
  Codec codec;
  const std::string message = random_text(5000, 256);
  const std::string first = codec.compressed(message);
  EXPECT_EQ(codec.compressed(message), first) << "no context is taken over";
  EXPECT_EQ(codec.inflated(first), message);
}

TEST(Deflate, repetition_is_what_it_saves) {
  Codec codec;
  EXPECT_LT(codec.compressed(std::string(100'000, 'x')).size(), 200U);
  EXPECT_EQ(codec.stats.messages_compressed.value(), 1U);
  EXPECT_EQ(codec.stats.compressed_bytes_in.value(), 100'000U);
  EXPECT_LT(codec.stats.compressed_bytes_out.value(), 200U);
}

// RFC 7692 section 7.2.3.
TEST(Inflate, examples_of_the_rfc) {
  Codec codec;
  EXPECT_EQ(codec.inflated("\xf2\x48\xcd\xc9\xc9\x07\x00"s), "Hello");
  EXPECT_EQ(codec.inflated("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s), "Hello") << "not compressed";
  EXPECT_EQ(codec.inflated("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s), "Hello") << "a final block";
  EXPECT_EQ(codec.inflated("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s), "Hello") << "two blocks";
  EXPECT_EQ(codec.inflated("\xf2\x00\x11\x00\x00"s, plenty, "Hello"), "Hello") << "out of the window";
  EXPECT_EQ(codec.inflated("\x00"s), "") << "an empty message";
}

TEST(Inflate, no_bytes_at_all_are_an_empty_message) { EXPECT_EQ(Codec().inflated(""), ""); }

TEST(Inflate, a_bomb_is_stopped_at_the_limit) {
  Codec codec;
  const std::string bomb = codec.compressed(std::string(50'000'000, 'x'));
  EXPECT_LT(bomb.size(), 60'000U);
  EXPECT_EQ(codec.inflated(bomb, 1'000'000), "too_big");
  std::string out;
  EXPECT_FALSE(codec.inflater.inflate(bomb, {}, 1'000'000, out));
  EXPECT_LE(out.capacity(), 2'000'000U);
}

TEST(Inflate, the_limit_itself_is_allowed) {
  Codec codec;
  const std::string payload = codec.compressed(std::string(100'000, 'x'));
  EXPECT_EQ(codec.inflated(payload, 100'000).size(), 100'000U);
  EXPECT_EQ(codec.inflated(payload, 99'999), "too_big");
}

TEST(Inflate, a_message_that_is_cut_off_anywhere_is_bad) {
  Codec codec;
  const std::string payload = codec.compressed(random_text(2000, 50));
  for (std::size_t size = 1; size < payload.size(); ++size)
    ASSERT_EQ(codec.inflated(payload.substr(0, size)), "bad_data") << size << " of " << payload.size();
}

TEST(Inflate, noise_is_bad_or_a_message_but_never_more) {
  Codec codec;
  for (std::size_t size = 1; size < 3000; ++size) {
    const std::string result = codec.inflated(random_text(size, 256), 10'000);
    ASSERT_LE(result.size(), 10'000U);
  }
  EXPECT_EQ(codec.inflated("\xff\xff\xff\xff"s), "bad_data");
  EXPECT_EQ(codec.inflated(codec.compressed("unharmed")), "unharmed");
}

TEST(Inflate, what_is_behind_a_final_block_is_ignored) {
  Codec codec;
  ContextSender sender;
  const std::string final_block = sender.compressed("the end", Z_FINISH);
  EXPECT_EQ(codec.inflated(final_block + "\x00"s), "the end");
  // Each of these could ask for work in vain.
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "\x03\x00"s;
  EXPECT_EQ(codec.inflated(many), "");
}

TEST(MessageInflater, follows_a_sender_that_keeps_its_context) {
  for (const int window_bits : {9, 12, 15}) {
    Codec codec;
    ContextSender sender(window_bits);
    MessageInflater inflater(codec.inflater, std::size_t{1} << window_bits);
    // Of lengths around that of the window, so that it is filled, overlapped and replaced.
    for (const std::size_t size :
         std::initializer_list<std::size_t>{10, 300, 512, 513, 40, 4096, 100, 32768, 7, 60'000, 500, 500, 500}) {
      const std::string message = random_text(size, 60) + random_text(std::min<std::size_t>(size, 200), 60);
      std::string out;
      ASSERT_TRUE(inflater.inflate(sender.compressed(message), plenty, out)) << window_bits << " " << size;
      ASSERT_EQ(out, message);
    }
  }
}

TEST(MessageInflater, connections_do_not_see_each_others_context) {
  Codec codec;
  ContextSender one;
  ContextSender two;
  MessageInflater of_one(codec.inflater, 32768);
  MessageInflater of_two(codec.inflater, 32768);
  for (int i = 0; i < 5; ++i) {
    std::string out;
    ASSERT_TRUE(of_one.inflate(one.compressed("first, first, first"), plenty, out));
    ASSERT_TRUE(of_two.inflate(two.compressed("second, second"), plenty, out));
    ASSERT_EQ(out, "first, first, firstsecond, second");
  }
}

TEST(MessageInflater, without_a_window_what_came_before_is_unknown) {
  Codec codec;
  ContextSender sender;
  MessageInflater inflater(codec.inflater, 0);
  const std::string message = random_text(300, 256);
  std::string out;
  ASSERT_TRUE(inflater.inflate(sender.compressed(message), plenty, out));
  const auto again = inflater.inflate(sender.compressed(message), plenty, out);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), InflateError::bad_data);
}

}  // namespace
}  // namespace carillon::websocket
