#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include <carillon/carillon.hpp>
#include <carillon/notifier.hpp>

#include "base/log.hpp"
#include "inbox/testing.hpp"
#include "runtime/testing_socketio.hpp"

namespace carillon {
namespace {

using namespace runtime::testing;
using ::testing::HasSubstr;

using Answer = std::expected<NotifyReceipt, NotifyError>;

class NotifierTest : public ::testing::Test {
 protected:
  NotifierTest() { make_server(); }
  ~NotifierTest() override { server->stop(); }

  void make_server() {
    if (server) server->stop();
    server = std::make_unique<Server>(ServerOptions{.listen = "127.0.0.1:0", .shards = 3, .drain_timeout_ms = 300});
    notifier = std::make_unique<Notifier>(*server, NotifierOptions{.data_dir = directory.file("data")});
    server->use([](Socket& socket, Next next) {
      const Value* user = socket.handshake().auth().find("userId");
      if (user == nullptr) return next();
      socket.set_identity(*user->as_string());
      socket.join("user:" + *user->as_string(), [next = std::move(next)] { next(); });
    });
    server->on_connection([](Socket& socket) {
      if (socket.handshake().auth().find("room") != nullptr) socket.join("news");
    });
    server->start();
  }
  SocketIoClient connect(const std::string& auth) {
    return {std::make_unique<WebSocketEngine>(server->address()), auth};
  }
  // Waits for the answer.
  Answer notify(const OutgoingNotification& notification) {
    Log<Answer> answers;
    notifier->notify(notification, [&](const Answer& answer) { answers.add(answer); });
    return answers.next().value_or(std::unexpected(NotifyError{NotifyError::Kind::unavailable, "no answer"}));
  }

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

TEST_F(NotifierTest, AServerWithAnAdapterKeepsNoNotifications) {
  Server clustered(ServerOptions{.listen = "127.0.0.1:0"});
  clustered.adapter(redis_adapter("redis://127.0.0.1:1"));
  const Notifier refused(clustered, {.data_dir = directory.file("other")});
  EXPECT_THROW(clustered.start(), std::logic_error);
}

}  // namespace
}  // namespace carillon
