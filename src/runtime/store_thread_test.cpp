#include "runtime/store_thread.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <future>
#include <vector>

#include "inbox/testing.hpp"
#include "runtime/testing_mailbox.hpp"

namespace carillon::runtime {
namespace {

using namespace std::chrono_literals;

class StoreThreadTest : public ::testing::Test {
 protected:
  StoreThread::Settings settings(std::size_t waiting_bytes_max = 1024 * 1024) const {
    return {.directory = directory.file("data"), .waiting_bytes_max = waiting_bytes_max};
  }
  inbox::Acceptance notification(const std::string& user, std::size_t bytes = 10) {
    auto made = std::make_shared<inbox::Notification>();
    made->id = "id-" + std::to_string(++ids);
    made->event = "e";
    made->data = "\"" + std::string(bytes, 'x') + "\"";
    made->sent_at = io::Loop::unix_now();
    made->expires_at = made->sent_at + 60'000;
    return {std::move(made), {user}, "", ""};
  }
  // The error, or none.
  std::optional<inbox::StoreError> accept(inbox::Store& store, inbox::Acceptance acceptance) {
    std::optional<Result<inbox::Accepted, inbox::StoreError>> result;
    store.accept(std::move(acceptance), [&](Result<inbox::Accepted, inbox::StoreError> r) { result = std::move(r); });
    mailbox.run_until([&] { return result.has_value(); });
    return !result || *result ? std::nullopt : std::optional(result->error());
  }

  inbox::TemporaryDirectory directory;
  testing::Mailbox mailbox;
  int ids = 0;
};

TEST_F(StoreThreadTest, AnswersByTheShardsMailOnceCommitted) {
  StoreThread thread(settings());
  const auto store = thread.port_for(mailbox);
  thread.start();
  int answers = 0;
  for (int i = 0; i < 200; ++i)
    store->accept(notification("alice"), [&](const auto& accepted) { answers += accepted ? 1 : 0; });
  mailbox.run_until([&] { return answers == 200; });
  std::uint64_t head = 0;
  store->summarize("alice", io::Loop::unix_now(), [&](const auto& summary) { head = summary->head; });
  mailbox.run_until([&] { return head == 200; });
  EXPECT_LT(thread.stats().commits.value(), 200U) << "some shared a commit";
  EXPECT_FALSE(thread.trouble());
}

TEST_F(StoreThreadTest, WhatWasAskedForBeforeItStopsIsDone) {
  {
    StoreThread thread(settings());
    const auto store = thread.port_for(mailbox);
    thread.start();
    for (int i = 0; i < 50; ++i) store->accept(notification("alice"), [](const auto&) {});
    thread.stop();
  }
  StoreThread thread(settings());
  const auto store = thread.port_for(mailbox);
  thread.start();
  std::uint64_t head = 0;
  store->summarize("alice", io::Loop::unix_now(), [&](const auto& summary) { head = summary->head; });
  mailbox.run_until([&] { return head != 0; });
  EXPECT_EQ(head, 50U);
}

TEST_F(StoreThreadTest, WhatIsTooMuchToWaitIsRefusedAtOnce) {
  StoreThread thread(settings(10'000));
  const auto store = thread.port_for(mailbox);
  int overloaded = 0;
  int accepted = 0;
  for (int i = 0; i < 20; ++i)
    store->accept(notification("alice", 1'000), [&](const auto& result) {
      if (result) {
        ++accepted;
      } else {
        overloaded += result.error() == inbox::StoreError::overloaded ? 1 : 0;
      }
    });
  EXPECT_GT(overloaded, 10);
  thread.start();
  mailbox.run_until([&] { return overloaded + accepted == 20; });
  EXPECT_FALSE(accept(*store, notification("alice", 1'000))) << "there is room again";
}

TEST_F(StoreThreadTest, AStoreThatCannotBeOpenedIsOpenedLater) {
  std::filesystem::create_directories(directory.file("data"));
  const std::string file = directory.file("data/inbox.db");
  std::ofstream(file) << std::string(5'000, 'x');
  StoreThread thread(settings());
  const auto store = thread.port_for(mailbox);
  thread.start();
  EXPECT_EQ(thread.trouble(), inbox::StoreError::corrupt);
  EXPECT_EQ(accept(*store, notification("alice")), inbox::StoreError::corrupt);
  std::ofstream(file, std::ios::trunc).flush();
  while (accept(*store, notification("alice"))) continue;  // each answer is awaited
  EXPECT_FALSE(thread.trouble());
}

TEST_F(StoreThreadTest, AStoreThatCannotBeOpenedIsWaitedForWithoutWork) {
  std::filesystem::create_directories(directory.file("data"));
  const std::string file = directory.file("data/inbox.db");
  std::ofstream(file) << std::string(5'000, 'x');
  StoreThread thread(settings());
  thread.start();
  EXPECT_TRUE(thread.trouble());
  const auto work = [&] {  // of the store's thread
    std::promise<std::int64_t> done;
    thread.visit([&](inbox::Store*, inbox::StoreError) {
      timespec used{};
      ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
      done.set_value(used.tv_sec * 1'000 + used.tv_nsec / 1'000'000);
    });
    return done.get_future().get();
  };
  const auto before = work();
  std::ofstream(file, std::ios::trunc).flush();
  EXPECT_TRUE(io::testing::eventually([&] { return !thread.trouble(); })) << "after a second";
  EXPECT_LT(work() - before, 200) << "ms";
}

// Damage in what was accepted last: nothing is taken, the rest is read, until another file is there.
TEST_F(StoreThreadTest, ADamagedStoreIsReadUntilAnotherFileTakesItsPlace) {
  const std::string file = directory.file("data/inbox.db");
  {
    StoreThread thread(settings());
    const auto store = thread.port_for(mailbox);
    thread.start();
    for (const char* user : {"alice", "bob"}) EXPECT_FALSE(accept(*store, notification(user)));
  }
  {
    auto database = inbox::Database::open(file);
    ASSERT_TRUE(database);
    ASSERT_EQ(database->execute("UPDATE log SET block = substr(block, 1, 20) WHERE seq = 1"), 0);
  }
  StoreThread thread(settings());
  const auto store = thread.port_for(mailbox);
  thread.start();
  EXPECT_EQ(thread.trouble(), inbox::StoreError::corrupt);
  EXPECT_EQ(accept(*store, notification("bob")), inbox::StoreError::corrupt);
  std::size_t entries = 0;
  bool is_answered = false;
  store->read({.user = "bob", .now = io::Loop::unix_now()}, [&](const Result<inbox::Page, inbox::StoreError>& page) {
    entries = page ? page->entries.size() : 0;
    is_answered = true;
  });
  mailbox.run_until([&] { return is_answered; });
  EXPECT_EQ(entries, 1U);
  for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(file + ending);
  while (accept(*store, notification("alice"))) continue;  // each answer is awaited
  EXPECT_FALSE(thread.trouble());
}

TEST_F(StoreThreadTest, WhatCannotBeWrittenStaysOpenToBeReadUntilItCan) {
  StoreThread thread(settings());
  const auto store = thread.port_for(mailbox);
  thread.start();
  EXPECT_FALSE(accept(*store, notification("alice")));
  const auto make_read_only = [&](bool on) {
    thread.visit([on](inbox::Store* opened, inbox::StoreError) {
      static_cast<inbox::SqliteStore*>(opened)->set_read_only_for_tests(on);
    });
  };
  make_read_only(true);
  const auto tried_again = std::chrono::steady_clock::now() + std::chrono::milliseconds(2'200);  // twice
  while (std::chrono::steady_clock::now() < tried_again)
    ASSERT_EQ(accept(*store, notification("alice")), inbox::StoreError::read_only);
  std::uint64_t head = 0;
  store->summarize("alice", io::Loop::unix_now(), [&](const auto& summary) { head = summary->head; });
  mailbox.run_until([&] { return head != 0; });
  EXPECT_EQ(head, 1U);
  make_read_only(false);
  EXPECT_TRUE(io::testing::eventually([&] { return !thread.trouble(); }));
  EXPECT_FALSE(accept(*store, notification("alice")));
}

TEST_F(StoreThreadTest, AFolderThatCannotBeMadeIsSaid) {
  std::ofstream(directory.file("data")) << "a file";
  StoreThread thread(settings());
  EXPECT_THROW(thread.start(), std::runtime_error);
}

TEST_F(StoreThreadTest, SweepsByItself) {
  StoreThread thread(settings());
  const auto store = thread.port_for(mailbox);
  thread.start();
  auto gone = notification("alice");
  auto made = std::make_shared<inbox::Notification>(*gone.notification);
  made->sent_at -= 10'000;
  made->expires_at = made->sent_at + 1;
  gone.notification = std::move(made);
  EXPECT_FALSE(accept(*store, std::move(gone)));
  // Read as of then: it is there until it is swept.
  std::size_t entries = 1;
  while (entries > 0) {
    bool answered = false;
    store->read({.user = "alice", .now = 0}, [&](const auto& page) {
      entries = page->entries.size();
      answered = true;
    });
    mailbox.run_until([&] { return answered; });
  }
  EXPECT_EQ(entries, 0U);
}

}  // namespace
}  // namespace carillon::runtime
