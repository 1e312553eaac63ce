// What durable notifications cost, beside the floor on the same disk:
//
//   bare       prepared INSERTs of id, user and data into one table without any index: what is written can be found by
//              nobody; as many to a commit as below; WAL, synchronous=FULL, cache and checkpoints as the store has them
//   indexed    the same with one index by user, in whose order SQLite writes: the least that a log per user needs, and what
//              the store is held against
//   accept     the SQLite store's accept(), group commits of the same size and durability, with the folding that falls due
//              meanwhile (src/inbox/README.md); each notification to one user who had one before, chosen by chance, as in the
//              rows above
//   users      so many users with so many notifications each: size on the disk, memory, and the time of one resume (open and
//              read) of a user chosen by chance, with the database opened anew, and how many pages of the file it reads:
//              those of that user's data and the way to them, whatever the number of users
//
//   store_load [--keys] [--batch N] [--seconds S] [--users N] [--each N] [--directory DIR]
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "inbox/sqlite_store.hpp"
#include "store_bench.hpp"

using namespace carillon;
using namespace carillon::inbox;
using namespace carillon::bench;

namespace {

constexpr UnixMs start_unix_ms = 1'700'000'000'000;

struct Options {
  std::size_t batch = 256;
  double seconds = 5;
  std::size_t users = 100'000;
  std::size_t each = 10;
  bool keys = false;
  std::string directory = "store-load-data";
};

// Ids grow with the time, as they do in a server.
UnixMs next_ms() {
  static UnixMs now = start_unix_ms;
  return ++now;
}

// Of all threads, in the kernel, too.
double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// What several rounds of one thing have taken.
struct Measured {
  std::vector<double> per_second;
  std::vector<double> cpu_us;  // of one notification

  // `batch` puts so many notifications on the disk.
  template <class Batch>
  void round(const Options& options, const Batch& batch) {
    std::size_t count = 0;
    const auto start = Steady::now();
    const double cpu = cpu_seconds();
    while (seconds_since(start) < options.seconds / rounds) {
      batch();
      count += options.batch;
    }
    per_second.push_back(static_cast<double>(count) / seconds_since(start));
    cpu_us.push_back((cpu_seconds() - cpu) * 1e6 / static_cast<double>(count));
  }
};

Database open_bare(const std::string& path, bool indexed) {
  auto database = Database::open(path);
  if (!database) fail("bare: cannot open " + path);
  database->execute(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
      "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000;"
      "CREATE TABLE note(seq INTEGER PRIMARY KEY, id TEXT NOT NULL, user TEXT NOT NULL, data TEXT NOT NULL)");
  if (indexed) database->execute("CREATE INDEX note_user ON note(user)");
  return std::move(*database);
}

std::string any_user(const Options& options, Random& random) {
  return "user-" + std::to_string(random.below(options.users));
}

void bare_batch(const Options& options, Database& database, Statement& insert, Random& random) {
  database.execute("BEGIN IMMEDIATE");
  for (std::size_t i = 0; i < options.batch; ++i) {
    const std::string id = make_id(next_ms(), random);
    const std::string user = any_user(options, random);
    if (!insert.bind(id, user, data()).run()) fail("bare: " + database.last_error());
  }
  if (database.execute("COMMIT") != SQLITE_OK) fail("bare: " + database.last_error());
}

void accept_batch(SqliteStore& store, std::size_t batch, Random& random, bool keys, const auto& next_user) {
  for (std::size_t i = 0; i < batch; ++i) {
    auto notification = std::make_shared<Notification>(Notification{make_id(next_ms(), random), "notification", data(),
                                                                    "", start_unix_ms, start_unix_ms + 604'800'000});
    std::string key = keys ? "order-" + random_id(random, 12) : "";
    std::string fingerprint = keys ? notification->id : "";
    store.accept({std::move(notification), {next_user()}, std::move(key), std::move(fingerprint)},
                 [](const Result<Accepted, StoreError>& accepted) {
                   if (!accepted) fail("accept: " + std::string(to_string(accepted.error())));
                 });
  }
  if (!store.commit()) fail("accept: " + store.complaint());
}

std::unique_ptr<SqliteStore> open_store(const std::string& path, Random& random) {
  auto store = SqliteStore::open(path, {}, random);
  if (!store) fail(store.error().message);
  return std::move(*store);
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

// That this process has asked the system for, from disk or cache.
std::size_t bytes_read() {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::size_t bytes = 0;
  io >> name >> bytes;
  return bytes;
}

void measure_resumes(const Options& options, const std::string& path, Random& random) {
  const auto opening = Steady::now();
  auto store = open_store(path, random);
  fmt::print("opened in {:.2f} s; process {} MiB\n", seconds_since(opening), resident_bytes() >> 20);
  std::vector<double> times;
  std::vector<double> pages;
  std::size_t entries = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string user = any_user(options, random);
    const std::size_t read_before = bytes_read();
    const auto start = Steady::now();
    store->open(user, "phone", [](const auto&) {});
    store->read({.user = user, .now = start_unix_ms}, [&](const auto& page) { entries += page->entries.size(); });
    if (!store->commit()) fail("resume: " + store->complaint());
    times.push_back(seconds_since(start) * 1e6);
    pages.push_back(static_cast<double>(bytes_read() - read_before) / 4096);
  }
  std::ranges::sort(times);
  std::ranges::sort(pages);
  fmt::print(
      "resume: p50 {:.0f} us, p99 {:.0f} us, {:.1f} notifications each; pages of 4 KiB read p50 {:.0f}, most {:.0f}; "
      "process {} MiB\n",
      times[500], times[990], static_cast<double>(entries) / 1000, pages[500], pages[999], resident_bytes() >> 20);
}

// One for each user.
void fill(const Options& options, SqliteStore& store, Random& random) {
  std::size_t user = 0;
  while (user < options.users) {
    const std::size_t batch = std::min<std::size_t>(5'000, options.users - user);
    accept_batch(store, batch, random, options.keys, [&] { return "user-" + std::to_string(user++); });
  }
}

void fill_users(const Options& options, const std::string& path, Random& random) {
  const auto start = Steady::now();
  {
    auto store = open_store(path, random);
    for (std::size_t round = 0; round < options.each; ++round) fill(options, *store, random);
  }
  const double total = static_cast<double>(options.users * options.each);
  const auto bytes = std::filesystem::file_size(path);
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  fmt::print(
      "users: {} with {} each in {:.0f} s; {} MiB on the disk, {:.0f} bytes per notification with {} of data; process "
      "{} MiB at most\n",
      options.users, options.each, seconds_since(start), bytes >> 20, static_cast<double>(bytes) / total, data().size(),
      used.ru_maxrss >> 10);
}

// Nobody is new: every user had something before.
void measure_throughput(const Options& options, Random& random, const auto& path) {
  auto store = open_store(path("accept.db"), random);
  fill(options, *store, random);
  Database plain = open_bare(path("bare.db"), false);
  Database ordered = open_bare(path("indexed.db"), true);
  constexpr const char* insert = "INSERT INTO note(id, user, data) VALUES(?, ?, ?)";
  Statement into_plain(plain, insert);
  Statement into_ordered(ordered, insert);
  Measured bare;
  Measured indexed;
  Measured accept;
  for (std::size_t i = 0; i < rounds; ++i) {  // in turn, so that all see the same disk
    bare.round(options, [&] { bare_batch(options, plain, into_plain, random); });
    indexed.round(options, [&] { bare_batch(options, ordered, into_ordered, random); });
    accept.round(options, [&] {
      accept_batch(*store, options.batch, random, options.keys, [&] { return any_user(options, random); });
    });
  }
  const double accepted = median(accept.per_second);
  const double cpu = median(accept.cpu_us);
  fmt::print("commits of {}, {} users{}: accept {:.0f}/s, {:.1f} us CPU\n", options.batch, options.users,
             options.keys ? ", with keys" : "", accepted, cpu);
  for (const auto& [name, floor] : {std::pair("indexed", &indexed), std::pair("bare", &bare)}) {
    const double floor_rate = median(floor->per_second);
    const double floor_cpu = median(floor->cpu_us);
    fmt::print("  {:7} {:.0f}/s, {:.1f} us CPU: accept reaches {:.0f} % of it (by CPU time {:.0f} %)\n", name,
               floor_rate, floor_cpu, 100 * accepted / floor_rate, 100 * floor_cpu / cpu);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("What durable notifications cost");
  app.add_option("--batch", options.batch, "Notifications to a commit");
  app.add_flag("--keys", options.keys, "Each accept with an idempotency key");
  app.add_option("--seconds", options.seconds, "Of each measurement; 0: none");
  app.add_option("--users", options.users, "Users");
  app.add_option("--each", options.each, "Notifications of each; 0: no resumes");
  app.add_option("--directory", options.directory, "Where the databases are made; removed afterwards");
  CLI11_PARSE(app, argc, argv);
  const auto random = make_system_random();
  std::filesystem::create_directories(options.directory);
  const auto path = [&](const char* name) { return (std::filesystem::path(options.directory) / name).string(); };

  if (options.seconds > 0) measure_throughput(options, *random, path);
  std::fflush(stdout);
  if (options.each > 0) {
    fill_users(options, path("users.db"), *random);
    measure_resumes(options, path("users.db"), *random);
  }
  std::filesystem::remove_all(options.directory);
  return 0;
}
