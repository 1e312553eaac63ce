#include "socketio/held_packets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "socketio/broadcast.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

engineio::FramesPtr packet(const char* text) { return engineio::make_text_frames(text); }
std::string text_of(const engineio::FramesPtr& frames) { return std::string(frames->payload(frames->parts()[0])); }

class HeldPacketsTest : public ::testing::Test {
 protected:
  std::vector<std::string> sent() {
    std::vector<std::string> texts;
    while (const HeldPackets::Packet* next = held.next()) {
      texts.push_back(text_of(next->frames));
      held.pop();
    }
    return texts;
  }
  HeldPackets held;
  Broadcast a;
  Broadcast b;
};

TEST_F(HeldPacketsTest, WhatWaitsForNothingGoes) {
  held.push({.frames = packet("1")});
  held.push({.frames = packet("2")});
  EXPECT_THAT(sent(), ElementsAre("1", "2"));
  EXPECT_TRUE(held.empty());
}

TEST_F(HeldPacketsTest, WhatHasNoPlaceWaitsForWhatWasSentBefore) {
  held.push({.frames = packet("a?"), .awaits = &a});
  held.push({.frames = packet("ack")});
  held.push({.frames = packet("b?"), .awaits = &b});
  held.push({.frames = packet("last")});
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_TRUE(held.take(a));
  EXPECT_THAT(sent(), ElementsAre("ack"));
  EXPECT_TRUE(held.take(b));
  EXPECT_THAT(sent(), ElementsAre("last"));
  EXPECT_TRUE(held.empty());
}

// They came from different shards: nobody can say which was first, but the stream.
TEST_F(HeldPacketsTest, ABroadcastWithItsPlaceWaitsForNoOther) {
  held.push({.frames = packet("a?"), .awaits = &a});
  held.push({.frames = packet("ack")});
  held.push({.frames = packet("b?"), .awaits = &b});
  held.push({.frames = packet("last")});
  EXPECT_TRUE(held.take(b));
  EXPECT_FALSE(held.take(b)) << "once";
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_TRUE(held.take(a));
  EXPECT_THAT(sent(), ElementsAre("ack", "last"));
}

TEST_F(HeldPacketsTest, AtTheEndAllIsTaken) {
  held.push({.frames = packet("1")});
  held.push({.frames = packet("a?"), .awaits = &a});
  held.push({.frames = packet("b?"), .awaits = &b});
  EXPECT_THAT(sent(), ElementsAre("1"));
  EXPECT_TRUE(held.take(b));
  std::vector<std::string> taken;
  held.take_all([&](const HeldPackets::Packet& each) { taken.push_back(text_of(each.frames)); });
  EXPECT_THAT(taken, ElementsAre("a?"));
  EXPECT_TRUE(held.empty());
}

}  // namespace
}  // namespace carillon::socketio
