// The whole link against a real Redis: what it sends is what the unit tests believe that it sends.
#include "runtime/redis_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <thread>

#include "base/random.hpp"
#include "runtime/testing_redis.hpp"

namespace carillon::runtime {
namespace {

using namespace testing;
using redis::ChannelKind;

// A driver on a thread of its own, and what its client reports.
class DriverThread final : private io::LoopHooks, private redis::LinkListener {
 public:
  explicit DriverThread(const std::string& url) : random_(make_system_random()) {
    redis::ClientOptions options;
    options.url = redis::parse_url(url).value();
    options.ping_interval_ms = options.ping_timeout_ms = Milliseconds{300};
    options.stream_read_count_max = 10;
    driver_ = std::make_unique<RedisDriver>(loop_, std::move(options), *random_);
    driver_->link().set_listener(this);
  }
  ~DriverThread() override {
    loop_.stop();
    thread_.join();
  }

  // Before start().
  redis::DrivenLink& client() { return driver_->link(); }
  void start() {
    thread_ = std::thread([this] { loop_.run(*this); });
  }
  // On the thread, and waits.
  template <class Work>
  void with_client(Work work) {
    std::promise<void> done;
    loop_.post([&] {
      work(driver_->link());
      done.set_value();
    });
    done.get_future().wait();
  }
  std::string ask(std::vector<std::string> words) {
    auto answer = std::make_shared<std::promise<std::string>>();
    with_client([&](redis::DrivenLink& client) {
      client.command(std::move(words), {}, [answer](Result<redis::Reply, redis::CommandError> reply) {
        answer->set_value(reply ? show(*reply) : "error: " + reply.error().text);
      });
    });
    return answer->get_future().get();
  }

  Log<std::string> events;  // "ready", "away", "+channel", "channel=payload", "stream: name=value", "lost stream"
  std::atomic<bool> ready{false};

 private:
  void on_turn_begin(TimePoint) override {}
  void on_turn_end(TimePoint now) override { driver_->on_turn_end(now); }
  TimePoint next_deadline() const override { return driver_->next_deadline(); }

  void on_message(ChannelKind kind, std::string_view channel, std::string_view payload) override {
    events.add(name(kind) + std::string(channel) + "=" + std::string(payload));
  }
  void on_subscribed(ChannelKind kind, std::string_view channel) override {
    events.add("+" + name(kind) + std::string(channel));
  }
  void on_ready(bool is_ready) override {
    ready = is_ready;
    events.add(is_ready ? "ready" : "away");
  }
  void on_entry(std::string_view stream, std::string_view, redis::StreamFieldsView fields) override {
    std::string text = std::string(stream) + ":";
    for (const auto& [field, value] : fields) text += " " + std::string(field) + "=" + std::string(value);
    events.add(text);
  }
  void on_entries_lost(std::string_view stream) override { events.add("lost " + std::string(stream)); }

  static std::string name(ChannelKind kind) {
    return kind == ChannelKind::plain ? "" : kind == ChannelKind::pattern ? "p:" : "s:";
  }
  static std::string show(const redis::Reply& reply) {
    if (reply.type == redis::Reply::Type::integer) return std::to_string(reply.number);
    if (reply.type != redis::Reply::Type::array) return reply.text;
    std::string text = "[";
    for (const redis::Reply& item : reply.items) text += (text.size() > 1 ? "," : "") + show(item);
    return text + "]";
  }

  io::Loop loop_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<RedisDriver> driver_;
  std::thread thread_;
};

class RedisDriverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
  }
  static void append(redis::DrivenLink& client, int number) {
    client.append("stream", {{"n", std::to_string(number)}}, 1'000, {});
  }
  static std::string entry(int number) { return "stream: n=" + std::to_string(number); }
};

TEST_F(RedisDriverTest, AllKindsOfChannelsAndCommands) {
  const RedisServer server;
  DriverThread link(server.url());
  for (const ChannelKind kind : redis::channel_kinds)
    link.client().subscribe(kind == ChannelKind::pattern ? "a:*" : "a:1", kind);
  link.start();
  EXPECT_EQ(link.events.next(), "+a:1");
  EXPECT_EQ(link.events.next(), "+p:a:*");
  EXPECT_EQ(link.events.next(), "+s:a:1");
  EXPECT_EQ(link.events.next(), "ready");
  link.with_client([](redis::DrivenLink& client) {
    client.publish("a:1", "plain");
    client.publish("a:1", "sharded", ChannelKind::sharded);
  });
  std::vector<std::string> got;
  for (int i = 0; i < 3; ++i) got.push_back(link.events.next().value_or(""));
  EXPECT_THAT(got, ::testing::UnorderedElementsAre("a:1=plain", "p:a:1=plain", "s:a:1=sharded"));
  EXPECT_EQ(link.ask({"XADD", "s", "1-1", "a", "b"}), "1-1");
  EXPECT_EQ(link.ask({"XRANGE", "s", "-", "+"}), "[[1-1,[a,b]]]");
  EXPECT_THAT(link.ask({"XADD", "s", "1-1", "a", "b"}), ::testing::HasSubstr("error: ERR"));
  EXPECT_EQ(link.ask({"EVAL", "return {1,{2,{3,{'deep'}}}}", "0"}), "[1,[2,[3,[deep]]]]");
  std::promise<std::optional<std::size_t>> plain, sharded;
  link.with_client([&](redis::DrivenLink& client) {
    client.count_subscribers("a:1", ChannelKind::plain, [&](auto count) { plain.set_value(count); });
    client.count_subscribers("a:1", ChannelKind::sharded, [&](auto count) { sharded.set_value(count); });
  });
  EXPECT_EQ(plain.get_future().get(), 1U);
  EXPECT_EQ(sharded.get_future().get(), 1U);
}

TEST_F(RedisDriverTest, StreamsAreFollowedAcrossAHangAndThroughALongBacklog) {
  const RedisServer server;
  DriverThread link(server.url());
  link.client().follow("stream");
  link.client().follow("other");
  link.start();
  EXPECT_EQ(link.events.next(), "ready");
  link.with_client([](redis::DrivenLink& client) {
    for (int i = 0; i < 25; ++i) append(client, i);
  });
  for (int i = 0; i < 25; ++i) ASSERT_EQ(link.events.next(), entry(i));
  // Reads that wait in vain are answered, and there is another one.
  const auto reads = [&] {
    const std::string text = link.ask({"INFO", "commandstats"});
    const std::size_t at = text.find("cmdstat_xread:calls=");
    return at == std::string::npos ? 0 : std::stoi(text.substr(at + 20));
  };
  const int before = reads();
  EXPECT_TRUE(eventually([&] { return reads() >= before + 2; }));
  EXPECT_TRUE(link.ready);
  server.freeze();
  EXPECT_EQ(link.events.next(), "away");
  link.with_client([](redis::DrivenLink& client) {
    for (int i = 25; i < 200; ++i) append(client, i);
  });
  server.thaw();
  // Which of the connections noticed decides what comes first.
  bool ready_again = false;
  for (int i = 25; i < 200 || !ready_again;) {
    const auto event = link.events.next();
    ASSERT_TRUE(event);
    if (*event == "away") continue;
    if (*event == "ready") {
      ready_again = true;
    } else {
      ASSERT_EQ(*event, entry(i++));
    }
  }
}

TEST_F(RedisDriverTest, AStreamThatIsLostWithItsRedisIsTold) {
  RedisServer server;
  DriverThread link(server.url());
  link.client().follow("stream");
  link.start();
  EXPECT_EQ(link.events.next(), "ready");
  link.with_client([](redis::DrivenLink& client) { append(client, 1); });
  EXPECT_EQ(link.events.next(), entry(1));
  server.kill();
  EXPECT_EQ(link.events.next(), "away");
  server.start();
  EXPECT_EQ(link.events.next(), "lost stream");
  EXPECT_EQ(link.events.next(), "ready");
  link.with_client([](redis::DrivenLink& client) { append(client, 2); });
  EXPECT_EQ(link.events.next(), entry(2));
}

TEST_F(RedisDriverTest, EntriesThatWereTrimmedMeanwhileAreTold) {
  const RedisServer server;
  DriverThread writer(server.url());
  writer.start();
  ASSERT_EQ(writer.events.next(), "ready");
  DriverThread link(server.url());
  link.client().follow("stream");
  link.start();
  EXPECT_EQ(link.events.next(), "ready");
  writer.with_client([](redis::DrivenLink& client) { append(client, 0); });
  EXPECT_EQ(link.events.next(), entry(0));
  // In one breath, so that nobody comes back in between.
  writer.with_client([](redis::DrivenLink& client) {
    client.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}, {}, {});
    client.command({"EVAL",
                    "for i = 1, 9 do redis.call('XADD', 'stream', '*', 'n', i) end "
                    "return redis.call('XTRIM', 'stream', 'MAXLEN', '2')",
                    "0"},
                   {}, {});
  });
  EXPECT_EQ(link.events.next(), "away");
  std::vector<std::string> got;
  for (int i = 0; i < 4; ++i) got.push_back(link.events.next().value_or(""));
  EXPECT_THAT(got, ::testing::UnorderedElementsAre("lost stream", entry(8), entry(9), "ready"));
}

TEST_F(RedisDriverTest, FilesOfTlsMustBeReadableAtFirst) {
  io::Loop loop;
  const auto random = make_system_random();
  redis::ClientOptions options;
  options.url = redis::parse_url("rediss://localhost?ca_file=/nowhere").value();
  EXPECT_THROW(RedisDriver(loop, options, *random), std::invalid_argument);
}

}  // namespace
}  // namespace carillon::runtime
