#include "inbox/head_checks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "inbox/memory_store.hpp"

namespace carillon::inbox {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class HeadChecksTest : public testing::Test, public HeadCheckPort {
 protected:
  TimePoint now() const override { return time; }
  void on_head(const std::string& user, const Position& head) override { told.emplace_back(user, head.number); }

  void accept(const std::string& user) {
    Notification made{"id-" + std::to_string(++ids), "e", "1", "", 1'700'000'000'000, 1'700'000'001'000};
    store.accept({std::make_shared<const Notification>(std::move(made)), {user}, "", ""},
                 [](const Result<Accepted, StoreError>& accepted) { EXPECT_TRUE(accepted); });
    store.run();
  }
  void pass(Milliseconds step) {
    time += step;
    checks.on_time(time);
    store.run();
  }
  void fail(bool fails) {
    store.set_faults([fails](std::string_view) {
      return MemoryStore::Faults{fails ? MemoryStore::Fault::refused : MemoryStore::Fault::none};
    });
  }

  TimePoint time{Milliseconds(5'000)};
  MemoryStore store{"first"};
  HeadChecks checks{store, {.at_once_max = 2}, *this};
  std::vector<std::pair<std::string, std::uint64_t>> told;
  int ids = 0;
};

TEST_F(HeadChecksTest, TellsWhereALogEnds) {
  accept("alice");
  accept("alice");
  checks.add("alice");
  checks.check("alice");
  store.run();
  EXPECT_THAT(told, ElementsAre(Pair("alice", 2)));
}

TEST_F(HeadChecksTest, AnEmptyLogIsNothingToTell) {
  checks.add("alice");
  checks.check("alice");
  store.run();
  EXPECT_THAT(told, IsEmpty());
  EXPECT_EQ(checks.asked().value(), 1U);
}

TEST_F(HeadChecksTest, OnlyOfThoseWhoAreThere) {
  accept("alice");
  checks.check("alice");
  checks.add("alice");
  checks.remove("alice");
  checks.check("alice");
  pass(Milliseconds(60'000));
  EXPECT_EQ(checks.asked().value(), 0U);
  EXPECT_EQ(checks.next_deadline(), never);
}

TEST_F(HeadChecksTest, AsksForEveryHeadNowAndThenWithoutAReason) {
  accept("alice");
  checks.add("alice");
  EXPECT_EQ(checks.next_deadline(), time + Milliseconds(30'000));
  pass(Milliseconds(29'999));
  EXPECT_THAT(told, IsEmpty());
  pass(Milliseconds(1));
  EXPECT_THAT(told, SizeIs(1));
  pass(Milliseconds(30'000));
  EXPECT_THAT(told, SizeIs(2));
}

TEST_F(HeadChecksTest, AUserWhoCameBackIsAskedForOncePerInterval) {
  checks.add("alice");
  checks.remove("alice");
  time += Milliseconds(10'000);
  checks.add("alice");
  pass(Milliseconds(20'000));
  EXPECT_EQ(checks.asked().value(), 0U);
  pass(Milliseconds(10'000));
  EXPECT_EQ(checks.asked().value(), 1U);
}

TEST_F(HeadChecksTest, WhoComesAndGoesLeavesNothingBehind) {
  checks.add("bob");
  for (int i = 0; i < 1'000; ++i) {
    checks.add("alice");
    checks.remove("alice");
    time += Milliseconds(1);
  }
  EXPECT_EQ(checks.rounds(), 1U);
}

TEST_F(HeadChecksTest, AsksAFewAtTheSameTime) {
  for (const char* user : {"alice", "bob", "carol"}) {
    accept(user);
    checks.add(user);
  }
  for (const char* user : {"alice", "bob", "carol"}) checks.check(user);
  EXPECT_EQ(checks.asked().value(), 2U);
  store.run_one();
  EXPECT_EQ(checks.asked().value(), 3U);
  store.run();
  EXPECT_THAT(told, SizeIs(3));
}

TEST_F(HeadChecksTest, AReasonThatComesTwiceIsOneQuestionUnlessTheFirstIsOnItsWay) {
  for (const char* user : {"alice", "bob", "carol"}) checks.add(user);
  for (const char* user : {"alice", "bob", "carol", "carol"}) checks.check(user);
  checks.check("alice");  // what the answer that is on its way says may be older
  store.run();
  EXPECT_EQ(checks.asked().value(), 4U);
}

TEST_F(HeadChecksTest, WhatCouldNotBeAskedIsAskedAgainAfterAPauseAndTheOthersWait) {
  for (const char* user : {"alice", "bob", "carol"}) {
    accept(user);
    checks.add(user);
  }
  fail(true);
  for (const char* user : {"alice", "bob", "carol"}) checks.check(user);
  store.run();
  EXPECT_EQ(checks.asked().value(), 2U);
  EXPECT_EQ(checks.next_deadline(), time + Milliseconds(1'000));
  fail(false);
  pass(Milliseconds(999));
  EXPECT_THAT(told, IsEmpty());
  pass(Milliseconds(1));
  EXPECT_THAT(told, testing::UnorderedElementsAre(Pair("alice", 1), Pair("bob", 1), Pair("carol", 1)));
}

TEST_F(HeadChecksTest, GoesOnAtOnceWhenTheStoreIsBack) {
  accept("alice");
  checks.add("alice");
  fail(true);
  checks.check("alice");
  store.run();
  fail(false);
  checks.go_on();
  store.run();
  EXPECT_THAT(told, ElementsAre(Pair("alice", 1)));
}

}  // namespace
}  // namespace carillon::inbox
