// Packets with attachments from clients.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BinaryTest : public ::testing::Test {
 protected:
  BinaryTest() {
    bench.root().on_connection([](Socket& socket) {
      socket.on("echo", [&socket](const Args& args, const Ack& ack) {
        socket.emit("back", args);
        ack(args);
      });
    });
    client = std::make_unique<TestClient>(bench);
    client->connect();
  }
  void expect_closed(const std::vector<std::string>& messages) {
    TestClient hostile(bench);
    hostile.connect();
    for (const std::string& message : messages) {
      if (message.starts_with("b:")) {
        hostile.attach(message.substr(2));
      } else {
        hostile.send(message);
      }
    }
    EXPECT_EQ(hostile.peer.closed_with, 1005) << messages.front();
    EXPECT_THAT(hostile.take(), IsEmpty()) << messages.front();
  }

  Bench bench;
  std::unique_ptr<TestClient> client;
};

TEST_F(BinaryTest, AnEventComesWhenItsLastAttachmentHas) {
  client->send(R"(52-["echo",{"_placeholder":true,"num":1},{"in":{"num":0,"_placeholder":true}}])");
  client->attach("\x01");
  EXPECT_THAT(client->take(), IsEmpty());
  client->attach("");
  EXPECT_THAT(
      client->take(),
      ElementsAre(R"(52-["back",{"_placeholder":true,"num":0},{"in":{"_placeholder":true,"num":1}}])", "b:", "b:\x01"));
}

TEST_F(BinaryTest, AnAcknowledgementMayBeBinary) {
  client->send(R"(51-7["echo",{"_placeholder":true,"num":0}])");
  client->attach("\x01");
  EXPECT_THAT(client->take(), ElementsAre(R"(51-["back",{"_placeholder":true,"num":0}])", "b:\x01",
                                          R"(61-7[{"_placeholder":true,"num":0}])", "b:\x01"));
}

TEST_F(BinaryTest, AttachmentsThatNobodyRefersToAreFine) {
  client->send(R"(51-["echo"])");
  client->attach("\x01");
  EXPECT_THAT(client->take(), ElementsAre(R"(2["back"])"));
}

TEST_F(BinaryTest, AnAttachmentUsedTwiceComesBackAsTwo) {
  client->send(R"(51-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}])");
  client->attach("\x01");
  EXPECT_THAT(client->take(), ElementsAre(R"(52-["back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])",
                                          "b:\x01", "b:\x01"));
}

TEST_F(BinaryTest, TenAttachmentsAreTheLimit) {
  client->send(R"(510-["echo"])");
  for (int i = 0; i < 10; ++i) client->attach("x");
  EXPECT_THAT(client->take(), ElementsAre(R"(2["back"])"));
  expect_closed({R"(511-["echo"])"});
  expect_closed({R"(51000000-["echo"])"});
  expect_closed({R"(511-["echo"])"});
}

TEST_F(BinaryTest, AttachmentsThatNeverComeHoldUpNothingElse) {
  client->send(R"(51-["echo",{"_placeholder":true,"num":0}])");
  TestClient other(bench);
  other.connect();
  other.send(R"(2["echo",1])");
  EXPECT_THAT(other.take(), ElementsAre(R"(2["back",1])"));
  client->hang_up();
  other.hang_up();
  bench.expect_empty();
}

TEST_F(BinaryTest, MalformedPacketsCloseTheConnection) {
  const std::string whole = R"(51-["echo",{"_placeholder":true,"num":0}])";
  expect_closed({"b:stray"});
  expect_closed({whole, R"(2["echo"])"});
  expect_closed({whole, "0/x"});
  expect_closed({whole, "1"});
  expect_closed({R"(51-["echo",{"_placeholder":true,"num":1}])", "b:x"});
  expect_closed({R"(51-["echo",{"_placeholder":true,"num":-1}])", "b:x"});
  expect_closed({R"(51-["echo",{"_placeholder":true,"num":"0"}])", "b:x"});
  expect_closed({R"(51-["echo",{"_placeholder":true,"num":0.5}])", "b:x"});
  expect_closed({R"(51-["echo",{"_placeholder":true}])", "b:x"});
  expect_closed({R"(51-[{"_placeholder":true,"num":0}])", "b:x"});
  expect_closed({R"(51-{"_placeholder":true,"num":0})", "b:x"});
  expect_closed({R"(51-["connect",{"_placeholder":true,"num":0}])", "b:x"});
  expect_closed({R"(51-["echo")"});
  expect_closed({"51-"});
  expect_closed({"51-7", "b:x"});
  expect_closed({R"(61-0{"_placeholder":true,"num":0})", "b:x"});
  expect_closed({R"(61-0[{"_placeholder":true,"num":3}])", "b:x"});
  expect_closed({R"(51-/unknown,["echo"])", "b:x"});
  EXPECT_EQ(bench.core().stats().sockets.value(), 1);
}

TEST_F(BinaryTest, ThePlaceholderOfATextEventIsOrdinaryData) {
  client->send(R"(2["echo",{"_placeholder":true,"num":0}])");
  EXPECT_THAT(client->take(), ElementsAre(R"(2["back",{"_placeholder":true,"num":0}])"));
}

}  // namespace
}  // namespace carillon::socketio
