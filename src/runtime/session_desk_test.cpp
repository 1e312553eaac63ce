// Sessions of this node's clients, of which several may come back at once.
#include "runtime/session_desk.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cluster/testing.hpp"
#include "runtime/shard.hpp"
#include "runtime/testing_shard.hpp"

namespace carillon::runtime {
namespace {

using namespace testing;

class SessionDeskTest : public ::testing::Test {
 protected:
  SessionDeskTest() { shard_.start(); }
  ~SessionDeskTest() override {
    shard_.begin_stop();
    shard_.join();
  }

  // On the shard, which is the backplane's, too. What it has posted has been done afterwards.
  void on_shard(const std::function<void()>& task) {
    std::promise<void> done;
    shard_.post([&] {
      task();
      shard_.post([&] { shard_.post([&] { done.set_value(); }); });
    });
    done.get_future().wait();
  }

  static socketio::SessionRecord record(std::string owner) {
    socketio::SessionRecord record{
        .pid = "p1", .owner = std::move(owner), .sid = "s1", .rooms = {"s1"}, .data = Object{}};
    record.node = "other";
    return record;
  }
  void open(std::string owner) {
    on_shard([&] { desk_.opened("p1", owner, shard_, [this, owner] { gave_way_ += owner; }); });
  }
  // Of what `found` had; Redis says whether it still has it.
  void take(std::string found, bool still_has_it) {
    std::promise<void> told;
    on_shard([&] {
      desk_.take(record(std::move(found)), record("taker"), shard_, [&](bool is_ours) {
        taken_ = is_ours;
        gave_way_before_ = gave_way_;
        told.set_value();
      });
    });
    on_shard([&] {
      std::exchange(link_.command_done.back(),
                    {})(redis::Reply{.type = redis::Reply::Type::integer, .number = still_has_it ? 1 : 0});
    });
    told.get_future().wait();
  }

  engineio::Options options_;
  Shard shard_{{0, "test", &options_}, [](Shard&) { return std::make_unique<Echo>(); }};
  cluster::testing::FakeLink link_;
  std::string told_;
  SessionDesk desk_{shard_,
                    link_,
                    {.store = {},
                     .history = {},
                     .node = "here",
                     .stream_of = [](std::string_view) { return std::string("stream"); },
                     .tell_taken = [this](const socketio::SessionRecord& found) { told_ += found.owner; }}};
  // As the next three, the shard's, or between two tasks.
  std::string gave_way_;
  std::string gave_way_before_;  // the taker was told
  std::optional<bool> taken_;
};

TEST_F(SessionDeskTest, WhoIsConnectedHereGivesWayToWhoHasTakenItsSession) {
  open("first");
  take("first", true);
  EXPECT_EQ(taken_, true);
  EXPECT_EQ(gave_way_before_, "first");
  EXPECT_EQ(told_, "first");
}

TEST_F(SessionDeskTest, WhoComesTooLateSendsNobodyAway) {
  open("first");  // has taken it from "zeroth", as this one would
  take("zeroth", false);
  EXPECT_EQ(taken_, false);
  EXPECT_EQ(gave_way_, "");
  EXPECT_EQ(told_, "");
  on_shard([&] { desk_.on_taken("p1", "first"); });
  EXPECT_EQ(gave_way_, "first");
}

TEST_F(SessionDeskTest, WhoHasGivenWayMayCloseAfterItsSuccessorHasOpened) {
  open("first");
  open("second");
  on_shard([&] { desk_.closed("p1", "first"); });
  on_shard([&] { desk_.on_taken("p1", "second"); });
  EXPECT_EQ(gave_way_, "second");
}

}  // namespace
}  // namespace carillon::runtime
