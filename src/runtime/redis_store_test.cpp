// The inbox's store over a real Redis: what every store must do, and what only this one does.
#include "inbox/redis_store.hpp"

#include <future>
#include <thread>

#include "inbox/testing_contract.hpp"
#include "runtime/redis_driver.hpp"
#include "runtime/store_port.hpp"
#include "runtime/testing_mailbox.hpp"
#include "runtime/testing_redis.hpp"

namespace carillon::runtime {
namespace {

// A link and its store on a thread of their own.
class RedisHome final : public StoreHome, private io::LoopHooks {
 public:
  RedisHome(const std::string& url, const inbox::StoreLimits& limits) : StoreHome(64 * 1024 * 1024) {
    redis::ClientOptions options;
    options.url = redis::parse_url(url).value();
    options.subscribes = false;
    driver_ = std::make_unique<RedisDriver>(loop_, std::move(options), *random_);
    const bool is_cluster = driver_->link().options().url.kind == redis::Url::Kind::cluster;
    store_ = std::make_unique<inbox::RedisStore>(
        driver_->link(), *random_,
        inbox::RedisStoreSettings{.prefix = "test-inbox:", .limits = limits, .is_cluster = is_cluster});
    thread_ = std::thread([this] { loop_.run(*this); });
    // A Redis Cluster is ready with the first of its masters.
    EXPECT_TRUE(testing::eventually([&] { return ready_ && ask_all({"PING"}).size() == (is_cluster ? 3 : 1); }));
  }
  ~RedisHome() override {
    loop_.stop();
    thread_.join();
  }

  void visit(Visit visit) override {
    ++asked;
    loop_.post([this, visit = std::move(visit)]() mutable { visit(store_.get(), inbox::StoreError::unavailable); });
  }
  std::optional<inbox::StoreError> trouble() const override { return std::nullopt; }
  // A command of the test's own, for a key if it has one: whether Redis has accepted it, or all of its servers.
  bool tell_redis(std::vector<std::string> words, const std::string& key) {
    if (key.empty())
      return std::ranges::all_of(ask_all(std::move(words)), [](const auto& reply) { return reply.has_value(); });
    std::promise<bool> answer;
    loop_.post([&] {
      driver_->link().command(std::move(words), key, [&](const auto& reply) { answer.set_value(reply.has_value()); });
    });
    return answer.get_future().get();
  }

  std::size_t asked = 0;

 private:
  redis::DrivenLink::Replies ask_all(std::vector<std::string> words) {
    std::promise<redis::DrivenLink::Replies> answer;
    loop_.post([&] {
      driver_->link().command_everywhere(
          std::move(words), [&](redis::DrivenLink::Replies replies) { answer.set_value(std::move(replies)); });
    });
    return answer.get_future().get();
  }

  void on_turn_begin(TimePoint) override {}
  void on_turn_end(TimePoint now) override {
    driver_->on_turn_end(now);
    ready_ = driver_->link().ready();
  }
  TimePoint next_deadline() const override { return driver_->next_deadline(); }

  io::Loop loop_;
  std::unique_ptr<Random> random_ = make_system_random();
  std::unique_ptr<RedisDriver> driver_;
  std::unique_ptr<inbox::RedisStore> store_;
  std::atomic<bool> ready_{false};
  std::thread thread_;
};

class RedisBench final : public inbox::StoreBench {
 public:
  RedisBench(const std::string& url, const inbox::StoreLimits& limits) : home_(url, limits), port_(home_, mailbox_) {
    EXPECT_TRUE(home_.tell_redis({"FLUSHALL"}, {}));
  }
  inbox::Store& store() override { return port_; }
  void settle() override {
    mailbox_.run_until([&] { return mailbox_.ran() >= home_.asked; });
  }
  RedisHome& home() { return home_; }

 private:
  testing::Mailbox mailbox_;
  RedisHome home_;
  StorePort port_;
};

std::unique_ptr<inbox::StoreBench> on_one_redis(const inbox::StoreLimits& limits) {
  static const testing::RedisServer running;
  return std::make_unique<RedisBench>(running.url(), limits);
}

std::unique_ptr<inbox::StoreBench> on_a_cluster(const inbox::StoreLimits& limits) {
  static const testing::RedisClusterServers running;
  return std::make_unique<RedisBench>(running.url(), limits);
}

const inbox::StoreKind kinds[] = {{"redis", on_one_redis, false}, {"redis_cluster", on_a_cluster, false}};

}  // namespace
}  // namespace carillon::runtime

namespace carillon::inbox {

INSTANTIATE_TEST_SUITE_P(Redis, StoreContract, testing::ValuesIn(runtime::kinds),
                         [](const auto& test) { return test.param.name; });

class RedisStoreTest : public StoreContract {
 protected:
  // Without a key: all servers.
  bool tell_redis(std::vector<std::string> words, const std::string& key = {}) {
    return static_cast<runtime::RedisBench&>(*bench).home().tell_redis(std::move(words), key);
  }
  static std::string key_of(const std::string& user, const std::string& what) {
    return "test-inbox:{u:" + user + "}:" + what;
  }
  // As if another process had written last. -> the epoch, which begins with the process
  std::string change_process(const std::string& user) {
    const char* script =
        "local state = redis.call('HGET', KEYS[1], 'state') "
        "return redis.call('HSET', KEYS[1], 'state', string.sub(state, 1, 42) .. 'another00000' .. string.sub(state, "
        "55))";
    EXPECT_TRUE(tell_redis({"EVAL", script, "1", key_of(user, "log")}, key_of(user, "log")));
    return read({.user = user}).epoch;
  }
  Page read_on(const std::string& epoch, std::uint64_t after) {
    return read({.user = "alice", .after = after, .epoch = epoch});
  }
};

INSTANTIATE_TEST_SUITE_P(Redis, RedisStoreTest, testing::ValuesIn(runtime::kinds),
                         [](const auto& test) { return test.param.name; });

TEST_P(RedisStoreTest, AnotherProcessThatHasLostNothingGoesOnWithTheNumbers) {
  fill("alice", 3);
  const std::string epoch = change_process("alice");
  EXPECT_TRUE(epoch.starts_with("another"));
  fill("alice", 1);
  EXPECT_NE(read({.user = "alice"}).epoch, epoch);
  EXPECT_THAT(numbers("alice"), ElementsAre(1, 2, 3, 4));
  EXPECT_TRUE(read_on(epoch, 3).continues);
}

TEST_P(RedisStoreTest, NumbersThatWereGivenAgainAreToldApart) {
  fill("alice", 3);
  const std::string epoch = change_process("alice");
  fill("alice", 2);  // what somebody knew as 4 and 5 of the old process was lost
  EXPECT_FALSE(read_on(epoch, 4).continues);
  EXPECT_FALSE(read_on(epoch, 5).continues);
  EXPECT_TRUE(read_on(epoch, 2).continues);
}

TEST_P(RedisStoreTest, ANumberBeyondTheHeadIsNoPlaceInTheLog) {
  fill("alice", 3);
  const std::string epoch = read({.user = "alice"}).epoch;
  EXPECT_FALSE(read_on(epoch, 4).continues);
}

TEST_P(RedisStoreTest, AProofOfWhatWasLostProvesNothingOfWhatCameInItsPlace) {
  fill("alice", 3);
  const std::string epoch = change_process("alice");
  fill("alice", 3);
  const Proof proof{"alice", "phone", epoch, {0, 5}, false, "n", "s", now};
  EXPECT_TRUE(wait<void>([&](Store& store, auto done) { store.prove(proof, std::move(done)); }));
  EXPECT_EQ(open("alice", "phone").cursor, 3U);
}

TEST_P(RedisStoreTest, MarksOfAnEarlierEpochCountForWhatItHad) {
  fill("alice", 3);
  const std::string epoch = change_process("alice");
  fill("alice", 2);
  const ReadMarks marks{"alice", epoch, {3, 4}, 1, now};
  const auto summary = wait<UserSummary>([&](Store& store, auto done) { store.mark_read(marks, std::move(done)); });
  EXPECT_EQ(summary->unread, 3U) << "2, 4 and 5";
  EXPECT_EQ(summary->epoch, epoch);
}

TEST_P(RedisStoreTest, ARedisThatIsEmptyBeginsAnotherEpoch) {
  fill("alice", 3);
  const std::string epoch = read({.user = "alice"}).epoch;
  ASSERT_TRUE(tell_redis({"FLUSHALL"}));
  EXPECT_FALSE(read_on(epoch, 3).continues);
  fill("alice", 5);
  EXPECT_FALSE(read_on(epoch, 3).continues);
}

// The answer was lost, the same request comes again: those who have it do not get it twice.
TEST_P(RedisStoreTest, ARequestThatWasCutShortIsCompletedByItsRepeat) {
  ASSERT_TRUE(accept(keyed(notification({"carol", "dave"}), "other", "print")));  // Redis knows all scripts
  const Acceptance asked = keyed(notification({"alice", "bob"}), "key", "print");
  ASSERT_TRUE(accept(asked));
  ASSERT_TRUE(tell_redis({"SETRANGE", "test-inbox:key:key", "0", "open"}, "test-inbox:key:key"));
  for (const char* what : {"log", "endings", "ended", "proofs", "devices"})
    ASSERT_TRUE(tell_redis({"DEL", key_of("bob", what)}, key_of("bob", what)));
  const auto again = accept(keyed(notification({"alice", "bob"}), "key", "print"));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, asked.notification->id);
  EXPECT_FALSE(again->replayed) << "something was missing";
  EXPECT_THAT(numbers("alice"), ElementsAre(1));
  EXPECT_THAT(numbers("bob"), ElementsAre(1));
  EXPECT_TRUE(accept(keyed(notification({"alice", "bob"}), "key", "print"))->replayed);
}

// A producer that has waited too long asks another node, and the first one goes on after all.
TEST_P(RedisStoreTest, OneRequestAtTwoNodesIsAppendedOnce) {
  const Acceptance asked = keyed(notification({"alice", "bob"}), "key", "print");
  ASSERT_TRUE(accept(asked));
  ASSERT_TRUE(tell_redis({"DEL", "test-inbox:key:key"}, "test-inbox:key:key"));
  const auto late = accept(asked);
  ASSERT_TRUE(late);
  EXPECT_EQ(late->placements.at(1).position.number, 1U);
  EXPECT_THAT(numbers("alice"), ElementsAre(1));
  EXPECT_THAT(numbers("bob"), ElementsAre(1));
}

TEST_P(RedisStoreTest, WithoutMemoryNothingIsAcceptedAndEverythingCanBeRead) {
  fill("alice", 2);
  ASSERT_TRUE(tell_redis({"CONFIG", "SET", "maxmemory", "1"}));
  const auto refused = accept(notification({"alice"}));
  EXPECT_THAT(numbers("alice"), ElementsAre(1, 2));
  ASSERT_TRUE(tell_redis({"CONFIG", "SET", "maxmemory", "0"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), StoreError::full);
  fill("alice", 1);
  EXPECT_THAT(numbers("alice"), ElementsAre(1, 2, 3));
}

TEST_P(RedisStoreTest, KeysOfSomebodyElseAreNotUnderstood) {
  ASSERT_TRUE(tell_redis({"SET", key_of("alice", "log"), "what is this"}, key_of("alice", "log")));
  const auto refused = accept(notification({"alice"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), StoreError::corrupt);
}

TEST_P(RedisStoreTest, AScriptThatRedisHasForgottenIsSentAgain) {
  fill("alice", 1);
  ASSERT_TRUE(tell_redis({"SCRIPT", "FLUSH"}));
  fill("alice", 1);
  EXPECT_THAT(numbers("alice"), ElementsAre(1, 2));
}

TEST_P(RedisStoreTest, MoreRecipientsThanAreAskedAtOnce) {
  std::vector<std::string> users;
  for (int i = 0; i < 300; ++i) users.push_back("user-" + std::to_string(i));
  const auto accepted = accept(notification(users));
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->placements.size(), 300U);
  EXPECT_EQ(inspect(accepted->id)->recipients.size(), 300U);
}

// Also at a Redis that does not know the script yet.
TEST_P(RedisStoreTest, ManyAtOnceShareCallsAndKeepTheirOrder) {
  ASSERT_TRUE(tell_redis({"SCRIPT", "FLUSH"}));
  std::vector<std::uint64_t> placed(1'000);  // by call: the answers of a cluster's servers may overtake each other
  for (std::size_t i = 0; i < placed.size(); ++i)
    bench->store().accept(notification({i % 2 == 0 ? "alice" : "bob"}),
                          [&placed, i](const Result<Accepted, StoreError>& accepted) {
                            ASSERT_TRUE(accepted);
                            placed[i] = accepted->placements.at(0).position.number;
                          });
  bench->settle();
  for (std::size_t i = 0; i < placed.size(); ++i) EXPECT_EQ(placed[i], i / 2 + 1);
  const Page page = read({.user = "alice", .entries_max = 500, .bytes_max = 1'000'000});
  ASSERT_EQ(page.entries.size(), 500U);
  for (std::size_t i = 0; i < 500; ++i) EXPECT_EQ(page.entries[i].notification->id, "id-" + std::to_string(2 * i + 1));
}

// The other logs of the same call have nothing to do with it.
TEST_P(RedisStoreTest, ADamagedLogIsNotTheTroubleOfThoseBesideIt) {
  ASSERT_TRUE(tell_redis({"SET", key_of("user-50", "log"), "what is this"}, key_of("user-50", "log")));
  std::size_t refused = 0;
  for (int i = 0; i < 100; ++i)
    bench->store().accept(notification({"user-" + std::to_string(i)}),
                          [&](const Result<Accepted, StoreError>& accepted) {
                            if (accepted) return;
                            ++refused;
                            EXPECT_EQ(accepted.error(), StoreError::corrupt);
                          });
  bench->settle();
  EXPECT_EQ(refused, 1U);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(i == 50 || numbers("user-" + std::to_string(i)).size() == 1) << i;
}

// Else only those are told who listen.
TEST_P(RedisStoreTest, WhereListenersCannotBeCountedEverybodyIsTold) {
  ASSERT_TRUE(tell_redis({"CONFIG", "RESETSTAT"}));
  ASSERT_TRUE(tell_redis({"ACL", "SETUSER", "default", "-pubsub"}));
  std::size_t accepted_of_them = 0;
  for (int i = 0; i < 100; ++i)
    bench->store().accept(
        notification({"user-" + std::to_string(i)}),
        [&](const Result<Accepted, StoreError>& accepted) { accepted_of_them += accepted ? 1U : 0U; });
  bench->settle();
  EXPECT_TRUE(tell_redis({"ACL", "SETUSER", "default", "+pubsub"}));
  EXPECT_EQ(accepted_of_them, 100U);
  const char* script =  // of a cluster's servers each has some
      "local stats = redis.call('INFO', 'commandstats') "
      "local calls = tonumber(string.match(stats, 'cmdstat_publish:calls=(%d+)') or 0) "
      "if calls < 10 then return redis.error_reply('only ' .. calls) end return 1";
  EXPECT_TRUE(tell_redis({"EVAL", script, "0"}));
}

TEST_P(RedisStoreTest, WhatHasExpiredIsTakenOutWhileNothingIsDropped) {
  for (int i = 0; i < 100; ++i) {
    accept(notification({"alice"}));
    now += contract_ttl / 10;
  }
  EXPECT_EQ(read({.user = "alice"}).dropped_to, 0U);
  EXPECT_LE(numbers("alice").size(), 10U);
  const char* script = "if redis.call('HLEN', KEYS[1]) > 30 then return redis.error_reply('too many') end return 1";
  EXPECT_TRUE(tell_redis({"EVAL", script, "1", key_of("alice", "log")}, key_of("alice", "log")));
}

TEST_P(RedisStoreTest, UsersWhoseNamesLookLikeKeysAreKeptApart) {
  for (const char* user : {"}", "{", "a}:log", "{u:a}", "a"}) accept(notification({user}));
  for (const char* user : {"}", "{", "a}:log", "{u:a}", "a"}) EXPECT_THAT(numbers(user), ElementsAre(1)) << user;
}

// A log in which a few live long among many that went: what is there is found without looking at each number.
TEST_P(RedisStoreTest, ALogThatIsMostlyHolesIsReadAndTrimmedAsAnyOther) {
  use({.notifications_per_user_max = 4});
  fill("alice", 1);
  for (int i = 0; i < 400; ++i) accept(collapsing("alice", "score"));
  accept(collapsing("alice", "other"));
  EXPECT_THAT(numbers("alice"), ElementsAre(1, 401, 402));
  EXPECT_THAT(numbers("alice", 1), ElementsAre(401, 402));
  EXPECT_EQ(summarize("alice").unread, 3U);
  fill("alice", 2);
  EXPECT_THAT(numbers("alice"), ElementsAre(401, 402, 403, 404));
  EXPECT_EQ(read({.user = "alice"}).dropped_to, 1U);
  fill("alice", 1);
  EXPECT_THAT(numbers("alice"), ElementsAre(402, 403, 404, 405));
}

// Nothing was there for long: the log has gone by itself, what devices know has not.
TEST_P(RedisStoreTest, ALogThatHasGoneGoesOnFromWhatADeviceHasProven) {
  fill("alice", 3);
  prove("alice", "phone", {0, 2});
  const std::string epoch = open("alice", "phone").epoch;
  fill("alice", 1);
  ASSERT_TRUE(tell_redis({"DEL", key_of("alice", "log")}, key_of("alice", "log")));
  EXPECT_EQ(open("alice", "phone").epoch, epoch);
  EXPECT_EQ(open("alice", "phone").head, 3U);
  EXPECT_EQ(open("alice", "phone").cursor, 2U);
  fill("alice", 1);
  EXPECT_NE(open("alice", "phone").epoch, epoch) << "4 was another one";
  EXPECT_THAT(numbers("alice", 2), ElementsAre(4));
  EXPECT_TRUE(read_on(epoch, 3).continues);
  EXPECT_FALSE(read_on(epoch, 4).continues);
}

TEST_P(RedisStoreTest, AKeyThatComesTwiceAtOnceIsAppendedOnce) {
  std::vector<Accepted> answers;
  for (int i = 0; i < 3; ++i)
    bench->store().accept(keyed(notification({"alice"}), "key", "print"),
                          [&](const Result<Accepted, StoreError>& accepted) {
                            ASSERT_TRUE(accepted);
                            answers.push_back(*accepted);
                          });
  bench->settle();
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_THAT(numbers("alice"), ElementsAre(1));
  for (const Accepted& answer : answers) EXPECT_EQ(answer.id, answers[0].id);
  EXPECT_EQ(std::ranges::count_if(answers, &Accepted::replayed), 2);
  EXPECT_EQ(inspect(answers[0].id)->recipients.size(), 1U);
}

TEST_P(RedisStoreTest, AKeyWhoseNotificationWasRefusedIsFreeForItsRepeat) {
  ASSERT_TRUE(tell_redis({"SET", key_of("alice", "log"), "what is this"}, key_of("alice", "log")));
  EXPECT_FALSE(accept(keyed(notification({"alice"}), "key", "print")));
  ASSERT_TRUE(tell_redis({"DEL", key_of("alice", "log")}, key_of("alice", "log")));
  const auto accepted = accept(keyed(notification({"alice"}), "key", "print"));
  ASSERT_TRUE(accepted);
  EXPECT_FALSE(accepted->replayed);
  EXPECT_THAT(numbers("alice"), ElementsAre(1));
}

// Everything of a user goes by itself in the end.
TEST_P(RedisStoreTest, EveryKeyHasAnEnd) {
  accept(keyed(collapsing("alice", "score"), "key", "print"));
  prove("alice", "phone", {0, 1});
  mark("alice", {1}, 0);
  const char* script =
      "for _, key in ipairs(redis.call('KEYS', '*')) do if redis.call('PTTL', key) < 0 then return "
      "redis.error_reply(key) end end return 1";
  EXPECT_TRUE(tell_redis({"EVAL", script, "0"}));
}

TEST(StoreErrorOfRedis, EveryRefusalHasAMeaning) {
  using Kind = redis::CommandError::Kind;
  const std::pair<const char*, StoreError> cases[] = {
      {"OOM command not allowed when used memory > 'maxmemory'.", StoreError::full},
      {"ERR Error running script (call to f_1): @user_script:3: -OOM command not allowed", StoreError::full},
      {"@user_script: 12: -OOM command not allowed when used memory > 'maxmemory'.", StoreError::full},
      {"READONLY You can't write against a read only replica.", StoreError::read_only},
      {"MISCONF Redis is configured to save RDB snapshots", StoreError::read_only},
      {"LOADING Redis is loading the dataset in memory", StoreError::unavailable},
      {"MASTERDOWN Link with MASTER is down", StoreError::unavailable},
      {"CLUSTERDOWN The cluster is down", StoreError::unavailable},
      {"BUSY Redis is busy running a script.", StoreError::unavailable},
      {"NOREPLICAS Not enough good replicas to write.", StoreError::unavailable},
      {"NOAUTH Authentication required.", StoreError::unavailable},
      {"WRONGTYPE Operation against a key", StoreError::corrupt},
      {"NOPERM this user has no permissions", StoreError::failed},
      {"ERR something new", StoreError::failed},
  };
  for (const auto& [text, meaning] : cases) EXPECT_EQ(store_error_of({Kind::refused, text}), meaning) << text;
  EXPECT_EQ(store_error_of({Kind::unavailable, ""}), StoreError::unavailable);
  EXPECT_EQ(store_error_of({Kind::lost, ""}), StoreError::unavailable);
}

}  // namespace carillon::inbox
