#include "engineio/frames.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <set>
#include <string>
#include <vector>

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

}  // namespace
}  // namespace carillon::engineio
