#include "websocket/decoder.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <array>
#include <cstring>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <vector>

// Of the runtime of any sanitizer, if there is one (GCC in Debian comes without the header).
extern "C" [[gnu::weak]] std::size_t __sanitizer_get_current_allocated_bytes();

namespace carillon::websocket {
namespace {

using Kind = Event::Kind;
using std::string_literals::operator""s;

// An event with its bytes copied.
struct Seen {
  Kind kind;
  std::string payload;
  std::uint16_t code = 0;
  friend bool operator==(const Seen&, const Seen&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Seen& seen) {
    return out << "{kind " << static_cast<int>(seen.kind) << ", code " << seen.code << ", " << seen.payload.size()
               << " bytes: " << seen.payload.substr(0, 60) << "}";
  }
};

Seen text(std::string payload) { return {Kind::text, std::move(payload)}; }
Seen binary(std::string payload) { return {Kind::binary, std::move(payload)}; }
Seen ping(std::string payload) { return {Kind::ping, std::move(payload)}; }
Seen pong(std::string payload) { return {Kind::pong, std::move(payload)}; }
Seen closed(std::uint16_t code, std::string reason = {}) { return {Kind::close, std::move(reason), code}; }
Seen error(std::uint16_t code) { return {Kind::error, {}, code}; }

// Gives bytes in memory of their own, which is gone afterwards: the sanitizer sees whoever holds on to them.
void feed(Decoder& decoder, std::string_view bytes, std::vector<Seen>& seen) {
  const std::unique_ptr<char[]> copy(new char[bytes.size()]);
  if (!bytes.empty()) std::memcpy(copy.get(), bytes.data(), bytes.size());
  decoder.feed({copy.get(), bytes.size()});
  while (const auto event = decoder.next())
    seen.push_back(
        {event->kind, event->kind == Kind::error ? std::string() : std::string(event->payload), event->code});
}

std::vector<Seen> decode(const std::vector<std::string_view>& pieces, Role role, std::size_t limit) {
  Decoder decoder(role, limit);
  std::vector<Seen> seen;
  for (const std::string_view piece : pieces) feed(decoder, piece, seen);
  return seen;
}

std::vector<std::string_view> single_bytes(std::string_view bytes) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < bytes.size(); ++i) pieces.push_back(bytes.substr(i, 1));
  return pieces;
}

// However the bytes are cut, the events are the same. Long inputs are cut at their ends and now and then between.
void expect_events(std::string_view bytes, const std::vector<Seen>& expected, Role role = Role::server,
                   std::size_t limit = 1'000'000) {
  EXPECT_EQ(decode({bytes}, role, limit), expected);
  EXPECT_EQ(decode(single_bytes(bytes), role, limit), expected) << "byte by byte";
  const std::size_t step = bytes.size() < 1000 ? 1 : 4099;
  for (std::size_t cut = 0; cut <= bytes.size(); cut += cut < 40 || cut + 40 > bytes.size() ? 1 : step)
    ASSERT_EQ(decode({bytes.substr(0, cut), bytes.substr(cut)}, role, limit), expected) << "cut at " << cut;
}

constexpr std::array<std::uint8_t, 4> mask{0x37, 0xfa, 0x21, 0x3d};

// A frame of any sort: the first byte, a length encoding (0: the shortest) and whether it is masked.
std::string raw_frame(unsigned first, std::string_view payload, bool masked = true, unsigned length_bytes = 0) {
  std::string out(1, static_cast<char>(first));
  const std::uint64_t size = payload.size();
  if (length_bytes == 0 && size >= 126) length_bytes = size < 65536 ? 2 : 8;
  const std::uint64_t marker = length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127;
  out.push_back(static_cast<char>(marker | (masked ? 0x80U : 0U)));
  for (unsigned i = length_bytes; i-- > 0;) out.push_back(static_cast<char>(size >> 8 * i & 255U));
  if (masked)
    for (const std::uint8_t byte : mask) out.push_back(static_cast<char>(byte));
  for (std::size_t i = 0; i < payload.size(); ++i)
    out.push_back(masked ? static_cast<char>(static_cast<std::uint8_t>(payload[i]) ^ mask[i % 4]) : payload[i]);
  return out;
}

std::string fin(Opcode opcode, std::string_view payload) {
  return raw_frame(0x80U | static_cast<unsigned>(opcode), payload);
}
std::string part(Opcode opcode, std::string_view payload) { return raw_frame(static_cast<unsigned>(opcode), payload); }
std::string close_payload(unsigned code, std::string_view reason = {}) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 255U)} + std::string(reason);
}

std::size_t allocated_bytes() {
  if (__sanitizer_get_current_allocated_bytes != nullptr) return __sanitizer_get_current_allocated_bytes();
  return mallinfo2().uordblks + mallinfo2().hblkhd;
}

// RFC 6455 section 5.7

TEST(DecoderRfcExamples, unmasked_text_to_a_client) {
  expect_events("\x81\x05\x48\x65\x6c\x6c\x6f", {text("Hello")}, Role::client);
}

TEST(DecoderRfcExamples, masked_text_to_a_server) {
  expect_events("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", {text("Hello")});
}

TEST(DecoderRfcExamples, fragmented_unmasked_text) {
  expect_events("\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f"s, {text("Hello")}, Role::client);
}

TEST(DecoderRfcExamples, unmasked_ping_and_masked_pong) {
  expect_events("\x89\x05\x48\x65\x6c\x6c\x6f", {ping("Hello")}, Role::client);
  expect_events("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", {pong("Hello")});
}

TEST(DecoderRfcExamples, binary_of_256_bytes_and_of_64_kib) {
  const std::string small(256, 'x');
  expect_events("\x82\x7e\x01\x00"s + small, {binary(small)}, Role::client);
  const std::string large(65536, 'y');
  expect_events("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s + large, {binary(large)}, Role::client);
}

// Messages

TEST(Decoder, empty_messages_are_messages) {
  expect_events(fin(Opcode::text, "") + fin(Opcode::binary, "") + fin(Opcode::ping, "") + fin(Opcode::pong, ""),
                {text(""), binary(""), ping(""), pong("")});
}

TEST(Decoder, every_length_encoding_at_its_borders) {
  for (const std::size_t size : {1U, 7U, 8U, 9U, 124U, 125U, 126U, 127U, 65535U, 65536U, 65537U}) {
    std::string payload(size, '\0');
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(i * 7 + i / 256);
    expect_events(fin(Opcode::binary, payload), {binary(payload)});
  }
}

TEST(Decoder, unmasks_at_every_alignment) {
  std::string payload;
  for (int i = 0; i < 70; ++i) payload.push_back(static_cast<char>('0' + i));
  std::string bytes;
  std::vector<Seen> expected;
  for (std::size_t size = 0; size < payload.size(); ++size) {
    bytes += fin(Opcode::text, payload.substr(0, size));
    expected.push_back(text(payload.substr(0, size)));
  }
  EXPECT_EQ(decode({bytes}, Role::server, 100), expected);
  EXPECT_EQ(decode(single_bytes(bytes), Role::server, 100), expected);
}

TEST(Decoder, longer_length_encodings_than_needed_are_accepted_as_ws_does) {
  expect_events(raw_frame(0x81, "abc", true, 2), {text("abc")});
  expect_events(raw_frame(0x81, "abc", true, 8), {text("abc")});
  expect_events(raw_frame(0x82, std::string(200, 'z'), false, 8), {binary(std::string(200, 'z'))}, Role::client);
}

TEST(Decoder, fragments_make_one_message) {
  expect_events(part(Opcode::text, "a") + part(Opcode::continuation, "bc") + fin(Opcode::continuation, "d"),
                {text("abcd")});
  expect_events(part(Opcode::binary, "") + part(Opcode::continuation, "") + fin(Opcode::continuation, ""),
                {binary("")});
  expect_events(part(Opcode::binary, "x") + fin(Opcode::continuation, "") + fin(Opcode::text, "next"),
                {binary("x"), text("next")});
}

TEST(Decoder, control_frames_between_fragments_come_at_once) {
  expect_events(part(Opcode::text, "he") + fin(Opcode::ping, "p") + part(Opcode::continuation, "ll") +
                    fin(Opcode::pong, "q") + fin(Opcode::continuation, "o"),
                {ping("p"), pong("q"), text("hello")});
  expect_events(part(Opcode::text, "he") + fin(Opcode::close, close_payload(1000)) + fin(Opcode::continuation, "o"),
                {closed(1000)});
}

TEST(Decoder, characters_may_be_cut_by_fragments) {
  expect_events(part(Opcode::text, "\xf0\x9f") + fin(Opcode::continuation, "\x94\x94"), {text("\xf0\x9f\x94\x94")});
}

// Violations

TEST(DecoderViolations, reserved_bits) {
  for (const unsigned bit : {0x40U, 0x20U, 0x10U})
    for (const unsigned opcode : {1U, 2U, 8U, 9U, 10U})
      expect_events(raw_frame(0x80 | bit | opcode, ""), {error(1002)});
}

TEST(DecoderViolations, reserved_opcodes) {
  for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U})
    expect_events(raw_frame(0x80 | opcode, "x"), {error(1002)});
}

TEST(DecoderViolations, a_server_takes_masked_frames_only_and_a_client_unmasked_ones) {
  for (const unsigned opcode : {1U, 2U, 8U, 9U, 10U}) {
    expect_events(raw_frame(0x80 | opcode, "", false), {error(1002)}, Role::server);
    expect_events(raw_frame(0x80 | opcode, "", true), {error(1002)}, Role::client);
  }
}

TEST(DecoderViolations, fragmented_control_frames) {
  for (const Opcode opcode : {Opcode::close, Opcode::ping, Opcode::pong})
    expect_events(part(opcode, ""), {error(1002)});
}

TEST(DecoderViolations, control_frames_carry_125_bytes_at_most) {
  const std::string most(125, 'x');
  expect_events(fin(Opcode::ping, most), {ping(most)});
  expect_events(fin(Opcode::close, close_payload(1000, most.substr(2))), {closed(1000, most.substr(2))});
  for (const Opcode opcode : {Opcode::close, Opcode::ping, Opcode::pong}) {
    expect_events(fin(opcode, most + "x"), {error(1002)});
    expect_events(raw_frame(0x80U | static_cast<unsigned>(opcode), "ab", true, 2), {error(1002)});
    expect_events(raw_frame(0x80U | static_cast<unsigned>(opcode), "ab", true, 8), {error(1002)});
  }
}

TEST(DecoderViolations, continuation_of_nothing) {
  expect_events(fin(Opcode::continuation, "x"), {error(1002)});
  expect_events(part(Opcode::continuation, "x"), {error(1002)});
  expect_events(part(Opcode::text, "a") + fin(Opcode::continuation, "b") + fin(Opcode::continuation, "c"),
                {text("ab"), error(1002)});
}

TEST(DecoderViolations, new_message_inside_a_fragmented_one) {
  for (const Opcode opcode : {Opcode::text, Opcode::binary}) {
    expect_events(part(Opcode::text, "a") + fin(opcode, "b"), {error(1002)});
    expect_events(part(Opcode::text, "") + part(opcode, "b"), {error(1002)});
  }
}

TEST(DecoderViolations, are_seen_as_soon_as_the_bytes_show_them) {
  const auto seen_after = [](std::string_view bytes) { return decode({bytes}, Role::server, 1000); };
  EXPECT_EQ(seen_after("\xc1\x85"), std::vector{error(1002)});
  EXPECT_EQ(seen_after("\x81\x05"), std::vector{error(1002)});
  EXPECT_EQ(seen_after("\x89\xfe"), std::vector{error(1002)});
  EXPECT_EQ(seen_after("\x88\x81"), std::vector{error(1002)});
  EXPECT_EQ(seen_after("\x80\x81"), std::vector{error(1002)});
  EXPECT_EQ(seen_after("\x81\xfe\x03\xe8"), std::vector<Seen>{});
  EXPECT_EQ(seen_after("\x81\xfe\x03\xe9"), std::vector{error(1009)});
}

TEST(DecoderViolations, valid_messages_before_them_still_come_and_nothing_comes_after) {
  expect_events(fin(Opcode::text, "a") + fin(Opcode::ping, "") + raw_frame(0xc1, "b") + fin(Opcode::text, "c"),
                {text("a"), ping(""), error(1002)});
}

// Closing

TEST(DecoderClose, without_code) { expect_events(fin(Opcode::close, ""), {closed(close_code::none)}); }

TEST(DecoderClose, with_code_and_reason) {
  expect_events(fin(Opcode::close, close_payload(1000)), {closed(1000)});
  expect_events(fin(Opcode::close, close_payload(1001, "tsch\xc3\xbcss")), {closed(1001, "tsch\xc3\xbcss")});
}

TEST(DecoderClose, nothing_comes_after_it) {
  expect_events(fin(Opcode::close, close_payload(1000)) + fin(Opcode::text, "late"), {closed(1000)});
  Decoder decoder(Role::server, 100);
  std::vector<Seen> seen;
  feed(decoder, fin(Opcode::close, "") + fin(Opcode::text, "late"), seen);
  feed(decoder, fin(Opcode::text, "later"), seen);
  EXPECT_EQ(seen, std::vector{closed(close_code::none)});
  EXPECT_EQ(decoder.buffered_bytes(), 0U);
}

TEST(DecoderClose, one_byte_is_a_violation) { expect_events(fin(Opcode::close, "\x03"), {error(1002)}); }

TEST(DecoderClose, every_code_is_judged_as_ws_does) {
  for (unsigned code = 0; code <= 0xffff; ++code) {
    const bool valid =
        (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
    const auto seen = decode({fin(Opcode::close, close_payload(code))}, Role::server, 100);
    ASSERT_EQ(seen, std::vector{valid ? closed(static_cast<std::uint16_t>(code)) : error(1002)}) << code;
  }
}

TEST(DecoderClose, reason_that_is_not_utf8) {
  expect_events(fin(Opcode::close, close_payload(1000, "\xff")), {error(1007)});
  expect_events(fin(Opcode::close, close_payload(1000, "ab\xc3")), {error(1007)});
  expect_events(fin(Opcode::close, close_payload(999, "\xff")), {error(1002)});  // the code is judged first, as in ws
}

// UTF-8

TEST(DecoderUtf8, invalid_text_is_refused) {
  for (const std::string_view bad :
       {"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "abc\x80", "\xe2\x82"})
    expect_events(fin(Opcode::text, bad), {error(1007)});
  expect_events(part(Opcode::text, "ok") + fin(Opcode::continuation, "\xc3"), {error(1007)});
}

TEST(DecoderUtf8, is_judged_when_the_message_is_complete) {
  expect_events(part(Opcode::text, "\xff") + fin(Opcode::ping, ""), {ping("")});
}

TEST(DecoderUtf8, binary_may_be_anything) {
  expect_events(fin(Opcode::binary, "\xff\x00\xc0"s), {binary("\xff\x00\xc0"s)});
}

TEST(DecoderUtf8, edges_of_the_code_space) {
  const std::string edges =
      "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\0"s;
  expect_events(fin(Opcode::text, edges), {text(edges)});
}

// Limits

TEST(DecoderLimit, exactly_the_limit_is_fine_one_more_is_too_big) {
  for (const std::size_t limit :
       {std::size_t{1}, std::size_t{125}, std::size_t{126}, std::size_t{1000}, std::size_t{70000}}) {
    const std::string most(limit, 'x');
    expect_events(fin(Opcode::text, most), {text(most)}, Role::server, limit);
    expect_events(fin(Opcode::text, most + "x"), {error(1009)}, Role::server, limit);
  }
}

TEST(DecoderLimit, counts_all_fragments) {
  const std::size_t limit = 10;
  expect_events(part(Opcode::text, "12345") + part(Opcode::continuation, "6789") + fin(Opcode::continuation, "0"),
                {text("1234567890")}, Role::server, limit);
  expect_events(part(Opcode::text, "12345") + part(Opcode::continuation, "67890") + fin(Opcode::continuation, "1"),
                {error(1009)}, Role::server, limit);
  expect_events(part(Opcode::text, "1234567890") + fin(Opcode::continuation, ""), {text("1234567890")}, Role::server,
                limit);
}

TEST(DecoderLimit, starts_anew_with_each_message) {
  expect_events(part(Opcode::text, "1234") + fin(Opcode::continuation, "5") + fin(Opcode::text, "67890") +
                    part(Opcode::binary, "12345") + fin(Opcode::continuation, ""),
                {text("12345"), text("67890"), binary("12345")}, Role::server, 5);
}

TEST(DecoderLimit, does_not_hold_for_control_frames) {
  expect_events(part(Opcode::text, "12345") + fin(Opcode::ping, std::string(125, 'p')) + fin(Opcode::continuation, ""),
                {ping(std::string(125, 'p')), text("12345")}, Role::server, 5);
}

TEST(DecoderLimit, zero_takes_empty_messages_only) {
  expect_events(fin(Opcode::text, "") + fin(Opcode::text, "x"), {text(""), error(1009)}, Role::server, 0);
}

TEST(DecoderLimit, lengths_of_64_bits) {
  const auto header = [](std::string_view length) { return "\x82\xff"s + std::string(length); };
  expect_events(header("\x00\x00\x00\x00\x00\x0f\x42\x41"s), {error(1009)});
  expect_events(header("\x00\x20\x00\x00\x00\x00\x00\x00"s), {error(1009)});
  expect_events(header("\x7f\xff\xff\xff\xff\xff\xff\xff"s), {error(1009)});
  expect_events(header("\x80\x00\x00\x00\x00\x00\x00\x00"s), {error(1009)});
  expect_events(header("\xff\xff\xff\xff\xff\xff\xff\xff"s), {error(1009)});
  expect_events(header("\x7f\xff\xff\xff\xff\xff\xff\xff"s), {error(1009)}, Role::server, (~std::size_t{0} >> 1) - 1);
}

// Memory

TEST(DecoderMemory, whole_frames_are_shown_in_place) {
  std::string bytes = fin(Opcode::text, "first") + fin(Opcode::binary, std::string(5000, 'x'));
  Decoder decoder(Role::server, 10000);
  const std::size_t before = allocated_bytes();
  decoder.feed(bytes);
  while (const auto event = decoder.next()) {
    EXPECT_GE(event->payload.data(), bytes.data());
    EXPECT_LE(event->payload.data() + event->payload.size(), bytes.data() + bytes.size());
  }
  EXPECT_EQ(allocated_bytes(), before);
  EXPECT_EQ(decoder.buffered_bytes(), 0U);
}

TEST(DecoderMemory, an_idle_decoder_holds_no_buffer) {
  const std::string payload(100'000, 'x');
  std::string whole = fin(Opcode::text, payload);
  std::string fragments = part(Opcode::text, payload) + fin(Opcode::continuation, payload);
  Decoder decoder(Role::server, 1'000'000);
  for (std::string* bytes : {&whole, &fragments}) {
    std::string copy = *bytes;
    const std::size_t before = allocated_bytes();
    decoder.feed(std::span(copy).first(60'000));
    EXPECT_FALSE(decoder.next());
    EXPECT_EQ(decoder.buffered_bytes(), 60'000U);
    EXPECT_GE(allocated_bytes(), before + 60'000);
    decoder.feed(std::span(copy).subspan(60'000));
    EXPECT_TRUE(decoder.next());
    EXPECT_FALSE(decoder.next());
    EXPECT_EQ(decoder.buffered_bytes(), 0U);
    EXPECT_EQ(allocated_bytes(), before);
  }
}

TEST(DecoderMemory, after_an_error_or_a_close_nothing_is_held) {
  for (const std::string& end : {raw_frame(0xc1, ""), fin(Opcode::close, "")}) {
    std::string bytes = part(Opcode::text, std::string(50'000, 'x')) + end;
    Decoder decoder(Role::server, 1'000'000);
    const std::size_t before = allocated_bytes();
    decoder.feed(bytes);
    EXPECT_TRUE(decoder.next());
    EXPECT_FALSE(decoder.next());
    EXPECT_EQ(decoder.buffered_bytes(), 0U);
    EXPECT_EQ(allocated_bytes(), before);
  }
}

TEST(DecoderMemory, grows_with_what_has_come_not_with_what_a_header_promises) {
  std::string bytes = fin(Opcode::text, std::string(900'000, 'x')).substr(0, 100);
  Decoder decoder(Role::server, 1'000'000);
  const std::size_t before = allocated_bytes();
  decoder.feed(bytes);
  EXPECT_FALSE(decoder.next());
  EXPECT_LT(allocated_bytes(), before + 1000);
}

TEST(DecoderUnread, is_what_next_has_not_consumed) {
  std::string bytes = fin(Opcode::text, "a") + fin(Opcode::text, "b") + "\x81";
  const std::string second = bytes.substr(7);
  Decoder decoder(Role::server, 100);
  decoder.feed(bytes);
  EXPECT_TRUE(decoder.next());
  EXPECT_EQ(decoder.unread(), second);
  EXPECT_TRUE(decoder.next());
  EXPECT_FALSE(decoder.next());
  EXPECT_EQ(decoder.unread(), "\x81");
  std::string more = fin(Opcode::text, "cd").substr(1);
  decoder.feed(more);
  EXPECT_EQ(decoder.next()->payload, "cd");
  EXPECT_EQ(decoder.unread(), "");
}

// Random traffic

TEST(DecoderRandom, any_messages_in_any_fragments_and_pieces) {
  std::mt19937 random(1);
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  for (int round = 0; round < 300; ++round) {
    std::string bytes;
    std::vector<Seen> expected;
    for (std::size_t count = 1 + below(8); count > 0; --count) {
      const bool is_text = below(2) == 0;
      std::string payload(below(4) == 0 ? below(3000) : below(40), '\0');
      for (char& c : payload) c = is_text ? static_cast<char>('a' + below(26)) : static_cast<char>(below(256));
      Opcode opcode = is_text ? Opcode::text : Opcode::binary;
      std::string_view rest = payload;
      while (below(3) == 0) {
        const std::size_t size = below(rest.size() + 1);
        bytes += part(opcode, rest.substr(0, size));
        rest.remove_prefix(size);
        opcode = Opcode::continuation;
        if (below(2) == 0) {
          bytes += fin(Opcode::ping, "?");
          expected.push_back(ping("?"));
        }
      }
      bytes += fin(opcode, rest);
      expected.push_back(is_text ? text(payload) : binary(payload));
    }
    std::vector<std::string_view> pieces;
    for (std::string_view rest = bytes; !rest.empty();) {
      const std::size_t size = std::min(rest.size(), 1 + below(below(2) == 0 ? 10 : 2000));
      pieces.push_back(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    ASSERT_EQ(decode(pieces, Role::server, 3000), expected) << "round " << round;
  }
}

TEST(DecoderBareFrames, are_control_frames_and_fragments_but_not_what_completes_a_message) {
  Decoder decoder(Role::server, 1000);
  std::string bytes = fin(Opcode::text, "whole") + part(Opcode::text, "a") + part(Opcode::continuation, "b") +
                      fin(Opcode::ping, "") + fin(Opcode::pong, "") + fin(Opcode::continuation, "c");
  decoder.feed(bytes);
  while (decoder.next()) {
  }
  EXPECT_EQ(decoder.take_bare_frames(), 4U);
  EXPECT_EQ(decoder.take_bare_frames(), 0U);
}

TEST(DecoderRandom, damaged_bytes_give_the_same_events_however_they_are_cut) {
  std::mt19937 random(2);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = part(Opcode::text, "abc") + fin(Opcode::ping, "p") + fin(Opcode::continuation, "def") +
                        raw_frame(0x82, "xyz", true, 8) + fin(Opcode::close, close_payload(1000, "bye"));
    for (auto damage = random() % 4 + 1; damage > 0; --damage)
      bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
    const std::size_t cut = random() % bytes.size();
    const auto expected = decode({bytes}, Role::server, 100);
    ASSERT_EQ(decode(single_bytes(bytes), Role::server, 100), expected);
    ASSERT_EQ(decode({std::string_view(bytes).substr(0, cut), std::string_view(bytes).substr(cut)}, Role::server, 100),
              expected);
  }
}

}  // namespace
}  // namespace carillon::websocket
