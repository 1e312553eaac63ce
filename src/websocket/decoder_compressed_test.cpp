// The decoder where permessage-deflate was agreed on: which frames may be compressed, and what happens when they are not
// what they say.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "websocket/decoder.hpp"
#include "websocket/deflater.hpp"

namespace carillon::websocket {
namespace {

using Kind = Event::Kind;
using std::string_literals::operator""s;

constexpr unsigned fin = 0x80;
constexpr unsigned rsv1 = 0x40;
constexpr unsigned continuation = 0;
constexpr unsigned text = 1;
constexpr unsigned binary = 2;
constexpr unsigned ping = 9;

std::string frame(unsigned first, std::string_view payload) {
  std::string out;
  append_masked_frame(out, Opcode::text, payload, {1, 2, 3, 4});
  out[0] = static_cast<char>(first);
  return out;
}

class CompressedDecoder : public ::testing::Test {
 protected:
  // The events of the bytes, cut in two at each place: "text:...", "binary:...", "ping:...", "error:1007".
  std::vector<std::string> events(const std::string& bytes, std::size_t limit = 100'000, bool agreed = true) {
    const std::vector<std::string> whole = events_of_pieces({bytes}, limit, agreed);
    for (std::size_t cut = 1; cut < bytes.size(); ++cut)
      EXPECT_EQ(events_of_pieces({bytes.substr(0, cut), bytes.substr(cut)}, limit, agreed), whole) << "cut at " << cut;
    return whole;
  }

  std::vector<std::string> events_of_pieces(std::vector<std::string> pieces, std::size_t limit, bool agreed) {
    Decoder decoder(Role::server, limit);
    if (agreed) decoder.read_compressed(std::make_unique<MessageInflater>(inflater, 0));
    std::vector<std::string> seen;
    for (std::string& piece : pieces) {
      decoder.feed(piece);
      while (const auto event = decoder.next()) {
        const std::string payload(event->payload);
        switch (event->kind) {
          case Kind::text:
            seen.push_back("text:" + payload);
            break;
          case Kind::binary:
            seen.push_back("binary:" + payload);
            break;
          case Kind::ping:
            seen.push_back("ping:" + payload);
            break;
          case Kind::error:
            seen.push_back("error:" + std::to_string(event->code));
            break;
          default:
            seen.emplace_back("other");
        }
      }
    }
    EXPECT_EQ(decoder.buffered_bytes(), 0U) << "an idle decoder holds nothing";
    return seen;
  }

  std::string compressed(std::string_view message) {
    std::string out;
    deflater.compress(message, out);
    return out;
  }

  using Events = std::vector<std::string>;
  DeflateStats stats;
  Deflater deflater{6, 15, stats};
  Inflater inflater{stats};
};

TEST_F(CompressedDecoder, compressed_and_plain_messages_in_turn) {
  EXPECT_EQ(events(frame(fin | rsv1 | text, compressed("hello hello hello")) + frame(fin | text, "plain") +
                   frame(fin | rsv1 | binary, compressed("\x00\xff\x00\xff"s))),
            (Events{"text:hello hello hello", "text:plain", "binary:\x00\xff\x00\xff"s}));
}

TEST_F(CompressedDecoder, an_empty_message) {
  EXPECT_EQ(events(frame(fin | rsv1 | text, "\x00"s) + frame(fin | rsv1 | text, "")), (Events{"text:", "text:"}));
}

TEST_F(CompressedDecoder, fragments_with_a_ping_in_between) {
  const std::string payload = compressed("one message in several fragments");
  EXPECT_EQ(events(frame(rsv1 | text, payload.substr(0, 3)) + frame(fin | ping, "?") +
                   frame(continuation, payload.substr(3, 5)) + frame(continuation, "") +
                   frame(fin | continuation, payload.substr(8)) + frame(fin | text, "next")),
            (Events{"ping:?", "text:one message in several fragments", "text:next"}));
}

TEST_F(CompressedDecoder, plain_fragments_after_compressed_ones) {
  const std::string payload = compressed("first");
  EXPECT_EQ(events(frame(rsv1 | text, payload.substr(0, 3)) + frame(fin | continuation, payload.substr(3)) +
                   frame(text, "sec") + frame(fin | continuation, "ond")),
            (Events{"text:first", "text:second"}));
}

TEST_F(CompressedDecoder, rsv1_belongs_on_the_first_frame_of_a_message_only) {
  const std::string payload = compressed("hello");
  EXPECT_EQ(events(frame(rsv1 | text, payload.substr(0, 2)) + frame(fin | rsv1 | continuation, payload.substr(2))),
            Events{"error:1002"});
  EXPECT_EQ(events(frame(text, "a") + frame(fin | rsv1 | continuation, payload)), Events{"error:1002"});
  EXPECT_EQ(events(frame(fin | rsv1 | ping, "")), Events{"error:1002"});
  EXPECT_EQ(events(frame(fin | 0x20U | text, "a")), Events{"error:1002"}) << "RSV2";
  EXPECT_EQ(events(frame(fin | 0x10U | text, "a")), Events{"error:1002"}) << "RSV3";
}

TEST_F(CompressedDecoder, where_nothing_was_agreed_rsv1_is_a_violation) {
  EXPECT_EQ(events(frame(fin | rsv1 | text, compressed("hello")), 100'000, false), Events{"error:1002"});
}

TEST_F(CompressedDecoder, bad_data_and_bad_utf8_close_with_1007) {
  EXPECT_EQ(events(frame(fin | rsv1 | text, "\xff\xff\xff\xff")), Events{"error:1007"});
  const std::string payload = compressed("some text that is cut off in the middle");
  EXPECT_EQ(events(frame(fin | rsv1 | text, payload.substr(0, payload.size() / 2))), Events{"error:1007"});
  EXPECT_EQ(events(frame(fin | rsv1 | text, compressed("\xc3\x28"))), Events{"error:1007"});
  EXPECT_EQ(events(frame(fin | rsv1 | binary, compressed("\xc3\x28"))), Events{"binary:\xc3\x28"});
}

TEST_F(CompressedDecoder, a_bomb_closes_with_1009) {
  EXPECT_EQ(events(frame(fin | rsv1 | binary, compressed(std::string(1001, 'x'))), 1000), Events{"error:1009"});
  EXPECT_EQ(events(frame(fin | rsv1 | binary, compressed(std::string(1000, 'x'))), 1000).size(), 1U);
  const std::string bomb = compressed(std::string(500'000, 'x'));
  EXPECT_EQ(events(frame(rsv1 | binary, bomb.substr(0, 100)) + frame(fin | continuation, bomb.substr(100))),
            Events{"error:1009"});
}

TEST_F(CompressedDecoder, compressed_fragments_count_against_the_limit_as_they_come) {
  EXPECT_EQ(events(frame(rsv1 | text, std::string(60, 'x')) + frame(continuation, std::string(41, 'x')), 100),
            Events{"error:1009"});
}

}  // namespace
}  // namespace carillon::websocket
