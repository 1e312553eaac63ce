#include "runtime/redis_probe.hpp"

#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "base/random.hpp"
#include "io/loop.hpp"
#include "runtime/redis_driver.hpp"

namespace carillon::runtime {
namespace {

constexpr std::size_t name_length = 20;

redis::ClientOptions client_options(std::string_view text, std::string canary_prefix) {
  auto url = redis::parse_url(text);
  if (!url) throw std::invalid_argument(url.error());
  redis::ClientOptions client;
  client.url = std::move(*url);
  client.name = "carillon-doctor";
  client.canary_prefix = std::move(canary_prefix);
  return client;
}

std::string describe(const redis::CommandError& error) {
  switch (error.kind) {
    case redis::CommandError::Kind::unavailable:
      return "Redis is away";
    case redis::CommandError::Kind::lost:
      return "the connection broke";
    case redis::CommandError::Kind::refused:
      return error.text;
  }
  return error.text;
}

}  // namespace

class RedisProbe::Impl final : private io::LoopHooks, private redis::LinkListener {
 public:
  Impl(std::string_view url, std::string canary_prefix)
      : random_(make_system_random()),
        driver_(loop_, client_options(url, std::move(canary_prefix)), *random_),
        names_(make_system_random()) {
    driver_.link().set_listener(this);
    thread_ = std::thread([this] { loop_.run(*this); });
  }
  ~Impl() override {
    loop_.stop();
    thread_.join();
  }

  bool wait_ready(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [this] { return ready_; });
  }

  Result<redis::Reply, std::string> ask(std::vector<std::string> words, std::string key,
                                        std::chrono::milliseconds timeout) {
    using Answer = Result<redis::Reply, std::string>;
    const auto promise = std::make_shared<std::promise<Answer>>();
    auto answer = promise->get_future();
    loop_.post([this, words = std::move(words), key = std::move(key), promise]() mutable {
      driver_.link().command(std::move(words), key, [promise](Result<redis::Reply, redis::CommandError> reply) {
        promise->set_value(reply ? Answer(std::move(*reply)) : Answer(Failure(describe(reply.error()))));
      });
    });
    if (answer.wait_for(timeout) == std::future_status::ready) return answer.get();
    return Failure(std::string("no answer in time"));
  }

  std::vector<redis::Reply> ask_everywhere(std::vector<std::string> words, std::chrono::milliseconds timeout) {
    const auto promise = std::make_shared<std::promise<redis::DrivenLink::Replies>>();
    auto answers = promise->get_future();
    loop_.post([this, words = std::move(words), promise]() mutable {
      driver_.link().command_everywhere(
          std::move(words), [promise](redis::DrivenLink::Replies replies) { promise->set_value(std::move(replies)); });
    });
    std::vector<redis::Reply> found;
    if (answers.wait_for(timeout) != std::future_status::ready) return found;
    for (auto& reply : answers.get())
      if (reply) found.push_back(std::move(*reply));
    return found;
  }

  bool subscribe(redis::ChannelKind kind, const std::string& channel, std::chrono::milliseconds timeout) {
    loop_.post([this, kind, channel] { driver_.link().subscribe(channel, kind); });
    std::unique_lock lock(mutex_);
    const bool done = changed_.wait_for(lock, timeout, [&] { return confirmed_ == channel; });
    loop_.post([this, kind, channel] { driver_.link().unsubscribe(channel, kind); });
    return done;
  }

  std::vector<std::string> call(const std::string& answers, const std::string& channel, const std::string& message,
                                std::chrono::milliseconds time) {
    loop_.post([this, answers, channel, message] {
      question_ = [this, channel, message] { driver_.link().publish(channel, message); };
      driver_.link().subscribe(answers);
    });
    std::this_thread::sleep_for(time);  // nobody says how many will answer
    const std::lock_guard lock(mutex_);
    return heard_;
  }

  std::string random_name() { return random_id(*names_, name_length); }

 private:
  void on_turn_begin(TimePoint) override {}
  void on_turn_end(TimePoint now) override { driver_.on_turn_end(now); }
  TimePoint next_deadline() const override { return driver_.next_deadline(); }

  void on_message(redis::ChannelKind, std::string_view, std::string_view payload) override {
    const std::lock_guard lock(mutex_);
    heard_.emplace_back(payload);
  }
  void on_subscribed(redis::ChannelKind, std::string_view channel) override {
    {
      const std::lock_guard lock(mutex_);
      confirmed_ = channel;
      changed_.notify_all();
    }
    if (auto question = std::exchange(question_, nullptr)) question();
  }
  void on_ready(bool ready) override {
    const std::lock_guard lock(mutex_);
    ready_ = ready;
    changed_.notify_all();
  }

  io::Loop loop_;
  std::unique_ptr<Random> random_;
  RedisDriver driver_;
  Task question_;                  // the loop's thread: when the answers' channel is subscribed
  std::unique_ptr<Random> names_;  // the caller's thread
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_ = false;              // guarded by mutex_
  std::vector<std::string> heard_;  // guarded by mutex_
  std::string confirmed_;           // the last channel; guarded by mutex_
  std::thread thread_;
};

RedisProbe::RedisProbe(std::string_view url, std::string canary_prefix)
    : impl_(std::make_unique<Impl>(url, std::move(canary_prefix))) {}
RedisProbe::~RedisProbe() = default;

bool RedisProbe::wait_ready(std::chrono::milliseconds timeout) { return impl_->wait_ready(timeout); }
Result<redis::Reply, std::string> RedisProbe::ask(std::vector<std::string> words, std::string key,
                                                  std::chrono::milliseconds timeout) {
  return impl_->ask(std::move(words), std::move(key), timeout);
}
std::vector<redis::Reply> RedisProbe::ask_everywhere(std::vector<std::string> words,
                                                     std::chrono::milliseconds timeout) {
  return impl_->ask_everywhere(std::move(words), timeout);
}
std::vector<std::string> RedisProbe::call(const std::string& answers, const std::string& channel,
                                          const std::string& message, std::chrono::milliseconds time) {
  return impl_->call(answers, channel, message, time);
}
bool RedisProbe::subscribe(redis::ChannelKind kind, const std::string& channel, std::chrono::milliseconds timeout) {
  return impl_->subscribe(kind, channel, timeout);
}
std::string RedisProbe::random_name() { return impl_->random_name(); }

}  // namespace carillon::runtime
