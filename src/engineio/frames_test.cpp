#include "engineio/frames.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "websocket/decoder.hpp"

namespace carillon::engineio {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

FramesPtr with_attachment() {
  auto frames = std::make_shared<Frames>();
  frames->append_text("451-[\"e\"]");
  frames->append_binary("\x01\x02");
  return frames;
}

std::vector<std::string> payloads(const Frames& frames) {
  std::vector<std::string> all;
  for (const Frames::Part& part : frames.parts())
    all.push_back((part.binary ? "b:" : "") + std::string(frames.payload(part)));
  return all;
}

TEST(FramesTest, TextIsTheSameInEveryForm) {
  const FramesPtr frames = make_text_frames("4hello");
  for (const BinaryForm form : {BinaryForm::raw, BinaryForm::base64, BinaryForm::typed, BinaryForm::typed_base64})
    EXPECT_EQ(Frames::in_form(frames, form), frames);
}

TEST(FramesTest, BinaryTakesTheFormThatTheClientWants) {
  const FramesPtr frames = with_attachment();
  EXPECT_EQ(Frames::in_form(frames, BinaryForm::raw), frames);
  EXPECT_THAT(payloads(*Frames::in_form(frames, BinaryForm::typed)), ElementsAre("451-[\"e\"]", "b:\x04\x01\x02"));
  EXPECT_THAT(payloads(*Frames::in_form(frames, BinaryForm::base64)), ElementsAre("451-[\"e\"]", "bAQI="));
  EXPECT_THAT(payloads(*Frames::in_form(frames, BinaryForm::typed_base64)), ElementsAre("451-[\"e\"]", "b4AQI="));
  EXPECT_THAT(payloads(*frames), ElementsAre("451-[\"e\"]", "b:\x01\x02"));
}

TEST(FramesTest, AFormIsAWireOfItsOwn) {
  const FramesPtr typed = Frames::in_form(make_binary_frames("xy"), BinaryForm::typed);
  EXPECT_EQ(typed->wire(), "\x82\x03\x04xy");
  EXPECT_EQ(typed->bytes(), 5U);
}

// A broadcast goes to several shards: each form is made once for all of them.
TEST(FramesTest, AFormIsMadeOnceWhoeverAsks) {
  for (int round = 0; round < 50; ++round) {
    const FramesPtr frames = with_attachment();
    std::vector<std::future<const Frames*>> askers;
    for (int i = 0; i < 4; ++i)
      askers.push_back(
          std::async(std::launch::async, [&] { return Frames::in_form(frames, BinaryForm::typed).get(); }));
    std::set<const Frames*> made;
    for (auto& asker : askers) made.insert(asker.get());
    EXPECT_THAT(made, SizeIs(1));
  }
}

// --- compression ---

struct Compressor {
  websocket::DeflateStats stats;
  websocket::Deflater deflater{6, 15, stats};
  websocket::Inflater inflater{stats};

  // The messages as a client gets them that has agreed on permessage-deflate.
  std::vector<std::string> read(std::string wire) {
    websocket::Decoder decoder(websocket::Role::client, 1 << 20);
    decoder.read_compressed(std::make_unique<websocket::MessageInflater>(inflater, 0));
    decoder.feed(wire);
    std::vector<std::string> messages;
    while (const auto event = decoder.next())
      messages.push_back((event->kind == websocket::Event::Kind::binary ? "b:" : "") + std::string(event->payload));
    return messages;
  }
};

TEST(FramesTest, LongMessagesAreCompressedAndShortOnesLeft) {
  Compressor compressor;
  Frames frames;
  frames.append_text("451-[\"e\"]");
  frames.append_binary(std::string(2000, 'x'));
  frames.append_text("4short");
  frames.append_text("4" + std::string(70'000, 'y'));
  const std::string_view wire = frames.deflated_wire(compressor.deflater, 1024);
  EXPECT_LT(wire.size(), 500U);
  EXPECT_EQ(compressor.read(std::string(wire)), payloads(frames));
}

TEST(FramesTest, TheThresholdIsOfEachMessage) {
  Compressor compressor;
  Frames frames;
  for (int i = 0; i < 10; ++i) frames.append_text("4" + std::string(998, 'x'));
  EXPECT_EQ(frames.deflated_wire(compressor.deflater, 1000), frames.wire());
  EXPECT_EQ(compressor.stats.messages_compressed.value(), 0U);
  Frames other;
  other.append_text("4" + std::string(999, 'x'));
  EXPECT_LT(other.deflated_wire(compressor.deflater, 1000).size(), 100U);
}

TEST(FramesTest, WhatWouldNotBecomeShorterIsLeft) {
  Compressor compressor;
  Frames frames;
  std::string noise(3000, 0);
  std::mt19937 random(1);
  for (char& c : noise) c = static_cast<char>(random());
  frames.append_binary(noise);
  EXPECT_EQ(frames.deflated_wire(compressor.deflater, 1024), frames.wire());
}

TEST(FramesTest, CompressionCanBeForbidden) {
  Compressor compressor;
  const auto frames = make_text_frames("4" + std::string(5000, 'x'));
  const auto forbidden = Frames::without_compression(*frames);
  EXPECT_TRUE(frames->compressible());
  EXPECT_FALSE(forbidden->compressible());
  EXPECT_EQ(forbidden->deflated_wire(compressor.deflater, 1024), frames->wire());
  EXPECT_FALSE(Frames::in_form(forbidden, BinaryForm::typed)->compressible());
}

TEST(FramesTest, ManyThreadsCompressOnce) {
  Frames frames;
  frames.append_text("4" + std::string(100'000, 'x'));
  std::vector<std::future<std::pair<const char*, std::uint64_t>>> asked;
  for (int i = 0; i < 8; ++i)
    asked.push_back(std::async(std::launch::async, [&frames] {
      Compressor own;
      const char* place = frames.deflated_wire(own.deflater, 1024).data();
      return std::pair(place, own.stats.messages_compressed.value());
    }));
  std::set<const char*> places;
  std::uint64_t compressed = 0;
  for (auto& one : asked) {
    const auto [place, count] = one.get();
    places.insert(place);
    compressed += count;
  }
  EXPECT_THAT(places, SizeIs(1));
  EXPECT_EQ(compressed, 1U);
}

}  // namespace
}  // namespace carillon::engineio
