// What durable notifications cost in Redis, beside the floor on the same server:
//
//   xadd       XADD of id and data to a stream per user, as many on their way at the same time as below, on a connection of the
//              same kind
//   accept     the Redis store's accept(); each notification to one user, chosen by chance
//   users      so many users with so many notifications each: memory and file size of Redis, and the time of one resume (open
//              and read, one after the other) of a user chosen by chance
//
// The server is given by --url and is emptied; how durable it is, its own settings say:
//
//   redis-server --port 7777 --appendonly yes --appendfsync always --dir FOLDER
//
//   redis_store_load --url redis://HOST:PORT [--keys] [--in-flight N] [--seconds S] [--users N] [--each N]
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "inbox/redis_store.hpp"
#include "io/loop.hpp"
#include "runtime/redis_driver.hpp"
#include "store_bench.hpp"

using namespace carillon;
using namespace carillon::inbox;
using namespace carillon::bench;

namespace {

constexpr std::chrono::seconds ready_max{5};

struct Options {
  std::string url;
  std::size_t in_flight = 256;
  double seconds = 10;
  std::size_t users = 100'000;
  std::size_t each = 10;
  bool keys = false;
};

// A link and its store on a thread of their own.
class Home final : private io::LoopHooks {
 public:
  explicit Home(const std::string& url) {
    redis::ClientOptions options;
    const auto parsed = redis::parse_url(url);
    if (!parsed) fail("--url is not one of Redis");
    options.url = *parsed;
    options.subscribes = false;
    driver_ = std::make_unique<runtime::RedisDriver>(loop_, std::move(options), *random_);
    store_ = std::make_unique<RedisStore>(driver_->link(), *random_, RedisStoreSettings{});
    thread_ = std::thread([this] { loop_.run(*this); });
    if (ready_.get_future().wait_for(ready_max) != std::future_status::ready) fail("Redis is not there");
  }
  ~Home() override {
    loop_.stop();
    thread_.join();
  }

  redis::Link& link() { return driver_->link(); }
  RedisStore& store() { return *store_; }
  Random& random() { return *random_; }

  // Runs it on the link's thread, and waits until it calls back.
  void run(std::function<void(std::function<void()> done)> task) {
    std::promise<void> promise;
    loop_.post([&] { task([&] { promise.set_value(); }); });
    promise.get_future().wait();
  }
  std::string ask(std::vector<std::string> words) {
    std::string text;
    run([&](const std::function<void()>& done) {
      link().command(words, "", [&text, done](Result<redis::Reply, redis::CommandError> reply) {
        if (!reply) fail("Redis has refused a command: " + reply.error().text);
        text = std::move(reply->text);
        done();
      });
    });
    return text;
  }

 private:
  void on_turn_begin(TimePoint) override {}
  void on_turn_end(TimePoint now) override {
    driver_->on_turn_end(now);
    if (driver_->link().ready() && !std::exchange(was_ready_, true)) ready_.set_value();
  }
  TimePoint next_deadline() const override { return driver_->next_deadline(); }

  io::Loop loop_;
  std::unique_ptr<Random> random_ = make_system_random();
  std::unique_ptr<runtime::RedisDriver> driver_;
  std::unique_ptr<RedisStore> store_;
  std::promise<void> ready_;
  bool was_ready_ = false;  // the thread's
  std::thread thread_;
};

// Keeps `in_flight` calls on their way until it is told that there are enough.
struct Pump {
  using Done = std::function<void()>;
  std::size_t in_flight;
  std::function<bool()> wants_more;
  std::function<void(Done)> call;
  Done finished;
  std::size_t out = 0;
  std::size_t answered = 0;

  void fill() {
    while (out < in_flight && wants_more()) {
      ++out;
      call([this] {
        --out;
        ++answered;
        fill();
      });
    }
    if (out == 0 && finished) std::exchange(finished, {})();
  }
};

// A line of Redis' INFO.
double fact(Home& home, const std::string& section, const std::string& name) {
  const std::string text = "\n" + home.ask({"INFO", section});
  const std::size_t place = text.find("\n" + name + ":");
  return place == std::string::npos ? 0 : std::stod(text.substr(place + name.size() + 2));
}

// In microseconds, of Redis' one thread.
double redis_cpu(Home& home) {
  return 1e6 * (fact(home, "cpu", "used_cpu_user_main_thread") + fact(home, "cpu", "used_cpu_sys_main_thread"));
}

double our_cpu() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return 1e6 * static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e3;
}

// What several rounds of one thing have taken.
struct Measured {
  std::vector<double> per_second;
  std::vector<double> redis_us;  // of each call
  std::vector<double> our_us;    // in this process

  void round(Home& home, std::size_t in_flight, double seconds, const std::function<void(Pump::Done)>& call) {
    const double redis_before = redis_cpu(home);
    const double ours_before = our_cpu();
    const auto start = Steady::now();
    Pump pump{.in_flight = in_flight,
              .wants_more = [&] { return seconds_since(start) < seconds; },
              .call = call,
              .finished = {}};
    home.run([&](const std::function<void()>& done) {
      pump.finished = done;
      pump.fill();
    });
    const auto count = static_cast<double>(pump.answered);
    per_second.push_back(count / seconds_since(start));
    our_us.push_back((our_cpu() - ours_before) / count);
    redis_us.push_back((redis_cpu(home) - redis_before) / count);
  }
};

void add_bare(Home& home, const std::string& user, Pump::Done done) {
  const std::string key = "bare:{" + user + "}";
  home.link().command({"XADD", key, "*", "id", make_id(io::Loop::unix_now(), home.random()), "data", data()}, key,
                      [done = std::move(done)](const Result<redis::Reply, redis::CommandError>& reply) {
                        if (!reply) fail("xadd: " + reply.error().text);
                        done();
                      });
}

void accept(Home& home, const Options& options, const std::string& user, Pump::Done done) {
  const UnixMs now = io::Loop::unix_now();
  auto notification = std::make_shared<Notification>(
      Notification{make_id(now, home.random()), "notification", data(), "", now, now + 604'800'000});
  std::string key = options.keys ? notification->id : "";  // any text that does not come again
  std::string fingerprint = options.keys ? std::string(64, 'f') : "";
  home.store().accept({std::move(notification), {user}, std::move(key), std::move(fingerprint)},
                      [&home, done = std::move(done)](const Result<Accepted, StoreError>& accepted) {
                        if (!accepted) fail("accept: " + home.store().complaint());
                        done();
                      });
}

void measure_throughput(Home& home, const Options& options) {
  Measured bare;
  Measured accepted;
  const auto somebody = [&] { return "user-" + std::to_string(home.random().below(options.users)); };
  for (std::size_t round = 0; round < rounds; ++round) {  // in turn, so that both see the same disk
    const double seconds = options.seconds / (2 * rounds);
    bare.round(home, options.in_flight, seconds, [&](Pump::Done done) { add_bare(home, somebody(), std::move(done)); });
    accepted.round(home, options.in_flight, seconds,
                   [&](Pump::Done done) { accept(home, options, somebody(), std::move(done)); });
  }
  fmt::print("{} on their way, {} users{}: {:.0f} %\n", options.in_flight, options.users,
             options.keys ? ", with keys" : "", 100 * median(accepted.per_second) / median(bare.per_second));
  for (const auto& [name, measured] : {std::pair("xadd", &bare), std::pair("accept", &accepted)})
    fmt::print("  {:6} {:.0f}/s; CPU of each: Redis {:.1f} us, this process {:.1f} us\n", name,
               median(measured->per_second), median(measured->redis_us), median(measured->our_us));
  std::fflush(stdout);
}

void fill_users(Home& home, const Options& options) {
  home.ask({"FLUSHALL"});
  home.ask({"MEMORY", "PURGE"});
  const double memory = fact(home, "memory", "used_memory");
  const double file = fact(home, "persistence", "aof_current_size");
  const std::size_t total = options.users * options.each;
  std::size_t next = 0;
  const auto start = Steady::now();
  Pump pump{.in_flight = 2'000,
            .wants_more = [&] { return next < total; },
            .call =
                [&](Pump::Done done) {
                  accept(home, options, "user-" + std::to_string(next++ % options.users), std::move(done));
                },
            .finished = {}};
  home.run([&](const std::function<void()>& done) {
    pump.finished = done;
    pump.fill();
  });
  const double used = fact(home, "memory", "used_memory") - memory;
  const double written = fact(home, "persistence", "aof_current_size") - file;
  fmt::print(
      "users: {} with {} each in {:.0f} s; {:.0f} MiB of memory ({:.0f} MiB resident), {:.0f} bytes per user; {:.0f} "
      "MiB "
      "written\n",
      options.users, options.each, seconds_since(start), used / (1 << 20),
      fact(home, "memory", "used_memory_rss") / (1 << 20), used / static_cast<double>(options.users),
      written / (1 << 20));
  std::fflush(stdout);
}

void measure_resumes(Home& home, const Options& options) {
  std::vector<double> times;
  std::size_t entries = 0;
  for (int i = 0; i < 1'000; ++i) {
    const std::string user = "user-" + std::to_string(home.random().below(options.users));
    const auto start = Steady::now();
    home.run([&](std::function<void()> done) {
      home.store().open(user, "phone", [&, done = std::move(done)](const Result<DeviceState, StoreError>& state) {
        if (!state) fail("open: " + home.store().complaint());
        home.store().read({.user = user, .now = io::Loop::unix_now()}, [&, done](const Result<Page, StoreError>& page) {
          if (!page) fail("read: " + home.store().complaint());
          entries += page->entries.size();
          done();
        });
      });
    });
    times.push_back(seconds_since(start) * 1e6);
  }
  std::ranges::sort(times);
  fmt::print("resume: p50 {:.0f} us, p99 {:.0f} us, {:.1f} notifications each\n", times[500], times[990],
             static_cast<double>(entries) / 1'000);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("What durable notifications cost in Redis");
  app.add_option("--url", options.url, "Of a Redis that may be emptied")->required();
  app.add_flag("--keys", options.keys, "Each accept with an idempotency key");
  app.add_option("--in-flight", options.in_flight, "Calls on their way at the same time");
  app.add_option("--seconds", options.seconds, "Of the comparison; 0: none");
  app.add_option("--users", options.users, "Users");
  app.add_option("--each", options.each, "Notifications of each; 0: no resumes");
  CLI11_PARSE(app, argc, argv);
  Home home(options.url);
  home.ask({"FLUSHALL"});
  if (options.seconds > 0) measure_throughput(home, options);
  if (options.each > 0) {
    fill_users(home, options);
    measure_resumes(home, options);
  }
  return 0;
}
