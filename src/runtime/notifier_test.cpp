#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include <carillon/carillon.hpp>
#include <carillon/notifier.hpp>

#include "base/log.hpp"
#include "inbox/testing.hpp"
#include "runtime/testing_redis.hpp"
#include "runtime/testing_socketio.hpp"

namespace carillon {
namespace {

using namespace runtime::testing;
using ::testing::HasSubstr;

using Answer = std::expected<NotifyReceipt, NotifyError>;

void identify(Server& server) {
  server.use([](Socket& socket, Next next) {
    const Value* user = socket.handshake().auth().find("userId");
    if (user == nullptr) return next();
    socket.set_identity(*user->as_string());
    socket.join("user:" + *user->as_string(), [next = std::move(next)] { next(); });
  });
}

// Waits for the answer.
Answer notify_with(const Notifier& notifier, const OutgoingNotification& notification) {
  Log<Answer> answers;
  notifier.notify(notification, [&](const Answer& answer) { answers.add(answer); });
  return answers.next().value_or(std::unexpected(NotifyError{NotifyError::Kind::unavailable, "no answer"}));
}

class NotifierTest : public ::testing::Test {
 protected:
  NotifierTest() { make_server(); }
  ~NotifierTest() override { server->stop(); }

  void make_server() {
    if (server) server->stop();
    server = std::make_unique<Server>(ServerOptions{.listen = "127.0.0.1:0", .shards = 3, .drain_timeout_ms = 300});
    notifier = std::make_unique<Notifier>(*server, NotifierOptions{.data_dir = directory.file("data")});
    identify(*server);
    server->on_connection([](Socket& socket) {
      if (socket.handshake().auth().find("room") != nullptr) socket.join("news");
    });
    server->start();
  }
  SocketIoClient connect(const std::string& auth) {
    return {std::make_unique<WebSocketEngine>(server->address()), auth};
  }
  Answer notify(const OutgoingNotification& notification) const { return notify_with(*notifier, notification); }

  inbox::TemporaryDirectory directory;
  std::unique_ptr<Server> server;
  std::unique_ptr<Notifier> notifier;
};

// The example of docs/api-cpp.md.
TEST_F(NotifierTest, WhatWasAcceptedReachesItsUserEvenAfterARestart) {
  const Answer accepted = notify({.users = {"alice", "bob", "alice"},
                                  .data = Object{{"text", "Your parcel is on its way"}},
                                  .idempotency_key = "parcel-7-sent"});
  ASSERT_TRUE(accepted) << accepted.error().message;
  EXPECT_EQ(accepted->recipients, 2U);
  EXPECT_FALSE(accepted->replayed);
  make_server();
  auto alice = connect(R"({"userId":"alice"})");
  const std::string event = alice.next();
  EXPECT_THAT(event, HasSubstr(R"(["notification",{"text":"Your parcel is on its way"},)"));
  EXPECT_THAT(event, HasSubstr(accepted->id));
}

TEST_F(NotifierTest, WhoIsThereGetsItAtOnce) {
  auto alice = connect(R"({"userId":"alice"})");
  ASSERT_TRUE(notify({.users = {"alice"}, .event = "score", .data = 7}));
  EXPECT_THAT(alice.next(), HasSubstr(R"(["score",7,)"));
}

TEST_F(NotifierTest, ARoomIsTheUsersWhoAreInIt) {
  auto alice = connect(R"({"userId":"alice","room":true})");
  auto bob = connect(R"({"userId":"bob"})");
  const Answer accepted = notify({.room = "news", .data = 1});
  ASSERT_TRUE(accepted) << accepted.error().message;
  EXPECT_EQ(accepted->recipients, 1U);
  EXPECT_THAT(alice.next(), HasSubstr(R"(["notification",1,)"));
}

TEST_F(NotifierTest, ARepeatedKeyIsAnsweredAsTheFirstTimeAndAnotherContentIsAConflict) {
  const OutgoingNotification given{.users = {"alice"}, .data = 1, .idempotency_key = "key"};
  const Answer first = notify(given);
  const Answer again = notify(given);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(again->id, first->id);
  EXPECT_TRUE(again->replayed);
  OutgoingNotification other = given;
  other.data = 2;
  const Answer conflict = notify(other);
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error().kind, NotifyError::Kind::conflict);
}

TEST_F(NotifierTest, ANewerOneWithTheCollapseKeyTakesThePlaceOfTheOlder) {
  ASSERT_TRUE(notify({.users = {"alice"}, .data = 1, .collapse_key = "score"}));
  ASSERT_TRUE(notify({.users = {"alice"}, .data = 2, .collapse_key = "score"}));
  auto alice = connect(R"({"userId":"alice"})");
  EXPECT_THAT(alice.next(), HasSubstr(R"(["notification",2,)"));
}

TEST_F(NotifierTest, WhatCannotBeAcceptedSaysWhichFieldIsWrong) {
  const std::pair<OutgoingNotification, const char*> cases[] = {
      {{.data = 1}, "to.users"},
      {{.users = {"alice"}, .room = "news", .data = 1}, "to:"},
      {{.users = {"a\nb"}, .data = 1}, "to.users[0]"},
      {{.users = {"alice"}, .event = "", .data = 1}, "event"},
      {{.users = {"alice"}, .event = "connect", .data = 1}, "event"},
      {{.users = {"alice"}, .data = Binary{"bytes"}}, "data"},
      {{.users = {"alice"}, .data = std::string(70'000, 'x')}, "data"},
      {{.users = {"alice"}, .data = 1, .ttl_s = 40'000'000}, "ttl_s"},
      {{.users = {"alice"}, .data = 1, .idempotency_key = std::string(257, 'k')}, "idempotency_key"},
  };
  for (const auto& [notification, field] : cases) {
    const Answer answer = notify(notification);
    ASSERT_FALSE(answer) << field;
    EXPECT_EQ(answer.error().kind, NotifyError::Kind::invalid);
    EXPECT_THAT(answer.error().message, HasSubstr(field));
  }
}

TEST_F(NotifierTest, AHandlerThatThrowsEndsAlone) {
  configure_log(LogLevel::warn, LogFormat::text);
  ::testing::internal::CaptureStderr();
  notifier->notify({.users = {"alice"}, .data = 1}, [](const Answer&) { throw std::runtime_error("on purpose"); });
  EXPECT_TRUE(notify({.users = {"alice"}, .data = 2}));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("on purpose"));
}

TEST_F(NotifierTest, NothingIsAcceptedBeforeTheStart) {
  Server waiting(ServerOptions{.listen = "127.0.0.1:0"});
  const Notifier early(waiting, {.data_dir = directory.file("other")});
  EXPECT_THROW(early.notify({.users = {"alice"}, .data = 1}), std::logic_error);
  EXPECT_THROW(Notifier(waiting, {}), std::logic_error) << "one is enough";
  EXPECT_THROW(Notifier(*server, {}), std::logic_error) << "it has started";
}

// Its notifications would be on the disk of one node.
TEST_F(NotifierTest, AnAdapterComesFirst) {
  Server late(ServerOptions{.listen = "127.0.0.1:0"});
  const Notifier notifier_of_late(late, {.data_dir = directory.file("other")});
  try {
    late.adapter(redis_adapter("redis://127.0.0.1:1"));
    FAIL() << "it was taken";
  } catch (const std::logic_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the adapter comes before the notifier"));
  }
  late.start();
  late.stop();
}

// Two servers of a cluster, each with a notifier.
struct Clustered {
  Clustered(AdapterOptions adapter, const std::string& data_dir)
      : server(ServerOptions{.listen = "127.0.0.1:0", .shards = 2, .drain_timeout_ms = 300}) {
    server.adapter(std::move(adapter));
    notifier = std::make_unique<Notifier>(server, NotifierOptions{.data_dir = data_dir});
    identify(server);
    server.start();
  }
  ~Clustered() { server.stop(); }

  Answer notify(const OutgoingNotification& notification) const { return notify_with(*notifier, notification); }

  Server server;
  std::unique_ptr<Notifier> notifier;
};

class ClusteredNotifierTest : public ::testing::TestWithParam<AdapterOptions::Kind> {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    redis.start();
    for (auto& member : members) member = std::make_unique<Clustered>(adapter(), directory.file("data"));
    for (auto& member : members) ASSERT_TRUE(eventually([&] { return member->server.ready(); }));
  }
  AdapterOptions adapter() const {
    AdapterOptions options = redis_adapter(redis.url());
    options.kind = GetParam();
    return options;
  }
  SocketIoClient connect(std::size_t member) const {
    return {std::make_unique<WebSocketEngine>(members[member]->server.address()), R"({"userId":"alice"})"};
  }

  inbox::TemporaryDirectory directory;
  RedisServer redis{false};
  std::unique_ptr<Clustered> members[2];
};

INSTANTIATE_TEST_SUITE_P(Redis, ClusteredNotifierTest,
                         ::testing::Values(AdapterOptions::Kind::pubsub, AdapterOptions::Kind::sharded,
                                           AdapterOptions::Kind::streams),
                         [](const auto& test) { return std::string(to_string(test.param)); });

TEST_P(ClusteredNotifierTest, WhatOneServerAcceptsReachesAClientOfAnother) {
  auto alice = connect(1);
  ASSERT_TRUE(members[0]->notify({.users = {"alice"}, .data = 1}));
  EXPECT_THAT(alice.next(), HasSubstr(R"(["notification",1,)"));
  const Answer to_room = members[0]->notify({.room = "user:alice", .data = 2});
  ASSERT_TRUE(to_room) << to_room.error().message;
  EXPECT_EQ(to_room->recipients, 1U);
  EXPECT_THAT(alice.next(), HasSubstr(R"(["notification",2,)"));
}

TEST_P(ClusteredNotifierTest, WhatWaitsIsKeptByRedisAndIsKnownByItsKeyAtAnyServer) {
  const OutgoingNotification given{.users = {"alice"}, .data = 1, .idempotency_key = "key"};
  const Answer first = members[0]->notify(given);
  ASSERT_TRUE(first) << first.error().message;
  members[0].reset();
  const Answer again = members[1]->notify(given);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->id, first->id);
  EXPECT_TRUE(again->replayed);
  EXPECT_THAT(connect(1).next(), HasSubstr(R"(["notification",1,)"));
  EXPECT_FALSE(std::filesystem::exists(directory.file("data"))) << "nothing is on the disk";
}

TEST_P(ClusteredNotifierTest, WithoutRedisNothingIsAcceptedAndTheHandlerIsToldSo) {
  redis.kill();
  ASSERT_TRUE(eventually([&] { return !members[0]->server.ready(); }));
  const Answer refused = members[0]->notify({.users = {"alice"}, .data = 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, NotifyError::Kind::unavailable);
}

}  // namespace
}  // namespace carillon
