#include "inbox/wire.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace carillon::inbox {
namespace {

NotificationPtr sample() {
  return std::make_shared<Notification>(
      Notification{"ID", "an \"event\"", R"({"a":[1]})", "", 1'700'000'000'123, 1'700'000'060'000});
}

TEST(Wire, TimesAreUtcWithMilliseconds) {
  EXPECT_EQ(to_rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(1'700'000'000'007), "2023-11-14T22:13:20.007Z");
  EXPECT_EQ(to_rfc3339(951'782'400'000), "2000-02-29T00:00:00.000Z");
}

TEST(Wire, AnEventHasItsDataAndWhereItStands) {
  EXPECT_EQ(event_arguments(*sample(), {"e", 7}),
            R"({"a":[1]},{"id":"ID","position":"e-7","sent_at":"2023-11-14T22:13:20.123Z"})");
}

TEST(Wire, GapsAndReadMarks) {
  EXPECT_EQ(gap_arguments({Gap::Reason::limit, "e", 1, 4}), R"({"reason":"limit","from":"e-1","to":"e-4"})");
  EXPECT_EQ(gap_arguments({Gap::Reason::epoch, "f", 0, 0}), R"({"reason":"epoch","epoch":"f"})");
  EXPECT_EQ(read_arguments({"u", "e", {3, 4}, 0, 9, "s"}), R"({"positions":["e-3","e-4"],"up_to":null,"unread":9})");
  EXPECT_EQ(read_arguments({"u", "e", {}, 5, 0, "s"}), R"({"positions":[],"up_to":"e-5","unread":0})");
}

TEST(Wire, APageSaysWhereItGoesOnAndWhatIsGone) {
  const Page page{"e", {{3, sample(), true}}, 3, 5, 2};
  EXPECT_EQ(page_json(page, 0, true, R"(,"unread":1)"),
            R"({"items":[{"id":"ID","event":"an \"event\"","data":{"a":[1]},"position":"e-3",)"
            R"("sent_at":"2023-11-14T22:13:20.123Z","read":true}],"next":"e-3","unread":1,"epoch_changed":true,)"
            R"("gap":{"from":"e-1","to":"e-2"}})");
  EXPECT_EQ(page_json({"e", {}, 5, 5, 2}, 2, false), R"({"items":[],"next":null})");
}

TEST(Wire, ATraceHasItsStepsInOrder) {
  RecipientTrace alice{"alice", {"e", 1}, Ending::expired, 1'700'000'060'000, 1'700'000'000'500, {}};
  alice.receipts.push_back({"phone", "n1", "s1", 1'700'000'000'400, true});
  const std::string json =
      trace_json({sample(), 2, {alice, {"bob", {"e", 9}, Ending::dropped, 1'700'000'000'200, 0, {}}}});
  EXPECT_TRUE(check_json(json));
  EXPECT_EQ(json,
            R"({"id":"ID","event":"an \"event\"","sent_at":"2023-11-14T22:13:20.123Z",)"
            R"("expires_at":"2023-11-14T22:14:20.000Z","recipients_total":2,"recipients":[)"
            R"({"user":"alice","position":"e-1","state":"acknowledged","steps":[)"
            R"({"step":"accepted","at":"2023-11-14T22:13:20.123Z"},)"
            R"({"step":"acknowledged","at":"2023-11-14T22:13:20.400Z","device":"phone","node":"n1","socket":"s1"},)"
            R"({"step":"read","at":"2023-11-14T22:13:20.500Z"},)"
            R"({"step":"expired","at":"2023-11-14T22:14:20.000Z"}]},)"
            R"({"user":"bob","position":"e-9","state":"dropped","steps":[)"
            R"({"step":"accepted","at":"2023-11-14T22:13:20.123Z"},)"
            R"({"step":"dropped","at":"2023-11-14T22:13:20.200Z"}]}]})");
}

}  // namespace
}  // namespace carillon::inbox
