// The load of the fan-out benchmark: many WebSocket clients of a Socket.IO server, one of which publishes at a fixed
// rate. Counts what arrives at each client, checks the order, and measures the CPU time of the server process.
//
// The server is a `carillon-example-bench` or a Node.js server with the same events: `pub`(p) emits `n`(p) to all.
// Prints one line of JSON. Exit 1 if anything was lost, repeated or out of order.
#include <dirent.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <carillon/value.hpp>

#include "io/address.hpp"
#include "io/loop.hpp"
#include "io/socket.hpp"
#include "websocket/decoder.hpp"
#include "websocket/handshake.hpp"

namespace {

using namespace carillon;

struct Options {
  std::string target = "127.0.0.1:3000";
  int pid = 0;
  int clients = 1000;
  int rate = 50;  // broadcasts per second
  int burst = 1;  // published at once, `rate` times per second
  int seconds = 10;
  int bytes = 128;  // of the payload string
};

// User and system time of all threads of a process in nanoseconds; exact, where /proc/PID/stat counts ticks of 10 ms.
std::uint64_t cpu_ns(int pid) {
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  std::uint64_t total = 0;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(tasks.c_str()), closedir);
  if (!dir) return 0;
  while (const dirent* entry = readdir(dir.get())) {
    if (entry->d_name[0] == '.') continue;
    std::ifstream file(tasks + "/" + entry->d_name + "/schedstat");
    std::uint64_t ns = 0;
    if (file >> ns) total += ns;
  }
  return total;
}

class Load;

class Client final : public io::Watcher {
 public:
  Client(Load& load, io::Socket socket) : load_(load), socket_(std::move(socket)) {}
  void start(const std::string& host);
  void on_io(bool readable, bool writable) override;
  void send(std::string_view packet);
  std::int64_t received() const { return next_; }

 private:
  void on_text(std::string_view text);

  Load& load_;
  io::Socket socket_;
  std::string head_;
  bool upgraded_ = false;
  websocket::Decoder decoder_{websocket::Role::client, 1 << 20};
  std::int64_t next_ = 0;  // sequence number that comes next
};

class Load final : public io::LoopHooks {
 public:
  explicit Load(Options options) : options_(std::move(options)) {}
  int run();

  io::Loop& loop() { return loop_; }
  std::array<char, 65536>& buffer() { return buffer_; }
  void on_connected();
  void on_message(std::int64_t expected, std::string_view text);
  void fail(const std::string& what) {
    std::cerr << "fanout_load: " << what << '\n';
    failed_ = true;
    loop_.stop();
  }

 private:
  void on_turn_begin(TimePoint now) override;
  void on_turn_end(TimePoint) override {}
  TimePoint next_deadline() const override { return next_publish_; }
  void connect_some();
  void publish();
  void report() const;

  Options options_;
  io::Loop loop_;
  std::array<char, 65536> buffer_{};
  std::vector<std::unique_ptr<Client>> clients_;
  int connected_ = 0;
  std::int64_t published_ = 0;
  std::int64_t delivered_ = 0;
  std::vector<std::int64_t> latencies_us_;
  TimePoint next_publish_ = never;
  TimePoint started_{};
  TimePoint ended_{};
  std::uint64_t cpu_before_ = 0;
  std::uint64_t cpu_after_ = 0;
  bool failed_ = false;
};

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// The number after `key` in a payload such as "seq=12 at=345 xxxx".
std::int64_t number_after(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  std::int64_t number = -1;
  if (at != std::string_view::npos) std::from_chars(text.data() + at + key.size(), text.data() + text.size(), number);
  return number;
}

void Client::start(const std::string& host) {
  load_.loop().watch(socket_.fd(), *this);
  const std::string request =
      websocket::client_request(host, "/socket.io/?EIO=4&transport=websocket", "dGhlIHNhbXBsZSBub25jZQ==");
  if (!socket_.write(request)) load_.fail("cannot write the handshake");
}

void Client::send(std::string_view packet) {
  std::string frame;
  websocket::append_masked_frame(frame, websocket::Opcode::text, packet, {1, 2, 3, 4});
  const auto written = socket_.write(frame);
  if (!written || *written != frame.size()) load_.fail("the server does not read");
}

void Client::on_io(bool readable, bool) {
  if (!readable) return;
  auto& buffer = load_.buffer();
  const auto count = socket_.read(buffer);
  if (!count) return;
  if (*count == 0) return load_.fail("the server closed a connection");
  std::span<char> bytes(buffer.data(), *count);
  std::string rest;
  if (!upgraded_) {
    head_.append(bytes.data(), bytes.size());
    const std::size_t end = head_.find("\r\n\r\n");
    if (end == std::string::npos) return;
    if (!head_.starts_with("HTTP/1.1 101")) return load_.fail("no upgrade: " + head_);
    upgraded_ = true;
    rest = head_.substr(end + 4);
    head_.clear();
    bytes = rest;
  }
  decoder_.feed(bytes);
  while (const auto event = decoder_.next()) {
    if (event->kind == websocket::Event::Kind::text) on_text(event->payload);
    if (event->kind == websocket::Event::Kind::close || event->kind == websocket::Event::Kind::error)
      return load_.fail("the server closed a WebSocket");
  }
}

void Client::on_text(std::string_view text) {
  if (text == "2") return send("3");
  if (text.starts_with('0')) return send("40");
  if (text.starts_with("40")) return load_.on_connected();
  if (text.starts_with("42[\"n\"")) load_.on_message(next_++, text);
}

void Load::connect_some() {
  const auto address = io::parse_host_port(options_.target);
  if (!address) return fail("--target: expected HOST:PORT");
  const auto found = io::resolve(address->host, address->port);
  auto socket = io::Socket::dial(found.front());
  if (!socket) return fail("cannot connect");
  // Loopback connects at once or not at all; a writable socket is awaited by the first write's poll.
  clients_.push_back(std::make_unique<Client>(*this, std::move(*socket)));
  clients_.back()->start(options_.target);
}

void Load::on_connected() {
  if (++connected_ < options_.clients) return connect_some();
  cpu_before_ = cpu_ns(options_.pid);
  started_ = next_publish_ = loop_.now() + Milliseconds(200);
}

void Load::on_message(std::int64_t expected, std::string_view text) {
  if (number_after(text, "seq=") != expected)
    return fail("lost, repeated or out of order: expected " + std::to_string(expected));
  ++delivered_;
  latencies_us_.push_back(now_us() - number_after(text, "at="));
  if (delivered_ < published_ * options_.clients) return;
  ended_ = loop_.now();
  if (next_publish_ == never) loop_.stop();
}

void Load::on_turn_begin(TimePoint now) {
  if (now >= next_publish_) publish();
}

void Load::publish() {
  for (int i = 0; i < options_.burst; ++i) {
    std::string payload = "seq=" + std::to_string(published_++) + " at=" + std::to_string(now_us()) + " ";
    payload.resize(static_cast<std::size_t>(options_.bytes), 'x');
    clients_.front()->send("42[\"pub\",\"" + payload + "\"]");
  }
  next_publish_ += Milliseconds(1000 / options_.rate);
  if (next_publish_ - started_ < std::chrono::seconds(options_.seconds)) return;
  next_publish_ = never;  // the last one is under way; when it has arrived everywhere, that is the end
}

void Load::report() const {
  auto sorted = latencies_us_;
  std::sort(sorted.begin(), sorted.end());
  const auto at = [&](double share) {
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
  };
  const double cpu = static_cast<double>(cpu_after_ - cpu_before_) / 1000.0;
  std::cout << to_json(Object{{"clients", options_.clients},
                              {"published", published_},
                              {"delivered", delivered_},
                              {"cpu_us_per_message", cpu / static_cast<double>(delivered_)},
                              {"latency_us_p50", at(0.5)},
                              {"latency_us_p99", at(0.99)}})
            << std::endl;
}

int Load::run() {
  connect_some();
  loop_.run(*this);
  if (failed_) return 1;
  cpu_after_ = cpu_ns(options_.pid);
  report();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Fan-out load for a Socket.IO server");
  app.add_option("--target", options.target, "HOST:PORT of the server");
  app.add_option("--pid", options.pid, "process whose CPU time is measured")->required();
  app.add_option("--clients", options.clients)->check(CLI::Range(1, 18'000));
  app.add_option("--rate", options.rate, "publications per second")->check(CLI::Range(1, 1000));
  app.add_option("--burst", options.burst, "messages per publication")->check(CLI::Range(1, 64));
  app.add_option("--seconds", options.seconds)->check(CLI::Range(1, 600));
  app.add_option("--bytes", options.bytes)->check(CLI::Range(64, 65'000));
  CLI11_PARSE(app, argc, argv);
  return Load(options).run();
}
