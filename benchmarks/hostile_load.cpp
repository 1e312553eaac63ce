// Clients that nobody wants, for benchmarks/hostile.mjs: slow readers, who connect over WebSocket and then never read
// again but keep their heartbeat up, and slowloris connections, who send a request byte by byte and never finish it.
// Whoever is thrown out comes back at once.
//
// Prints "attacking" when all are connected, and one line of JSON at the end, with what happened to them: when its input
// is closed, or its time is over.
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <carillon/value.hpp>

#include "io/address.hpp"
#include "io/file_limit.hpp"
#include "io/loop.hpp"
#include "io/socket.hpp"
#include "websocket/frame.hpp"
#include "websocket/handshake.hpp"

namespace {

using namespace carillon;

constexpr Milliseconds pong_interval{5'000};
constexpr Milliseconds drip_interval{1'000};
constexpr std::size_t connecting_max = 64;
constexpr int receive_buffer_bytes = 4096;

struct Options {
  std::string target = "127.0.0.1:3000";
  int slow = 2000;
  int slowloris = 500;
  int seconds = 30;
};

class Attack;

// One of them, over all the connections that it makes in its life.
class Attacker final : public io::Watcher {
 public:
  Attacker(Attack& attack, bool slow_reader) : attack_(attack), slow_reader_(slow_reader) {}
  void connect();
  void on_io(bool readable, bool writable) override;
  void act(TimePoint now);

 private:
  void on_answer(std::string_view bytes);
  void send(std::string_view bytes) const { [[maybe_unused]] const auto sent = socket_.write(bytes); }
  void send_packet(std::string_view packet) const;
  void lost();

  Attack& attack_;
  io::Socket socket_;
  std::string received_;
  TimePoint next_ = never;
  bool slow_reader_;
  bool in_place_ = false;  // does what it came for
  bool asked_ = false;     // for its namespace
};

class Attack final : public io::LoopHooks, public io::Watcher {
 public:
  explicit Attack(Options options);
  void run();
  void on_io(bool, bool) override { loop_.stop(); }  // of our input

  io::Loop& loop() { return loop_; }
  const io::SocketAddress& address() const { return address_; }
  const std::string& host() const { return options_.target; }
  std::vector<char>& buffer() { return buffer_; }

  void in_place();
  void lost(Attacker& attacker, bool was_in_place, bool slow_reader, int status);

 private:
  void on_turn_begin(TimePoint) override {}
  void on_turn_end(TimePoint now) override;
  TimePoint next_deadline() const override { return next_round_; }

  Options options_;
  io::SocketAddress address_;
  io::Loop loop_;
  std::vector<char> buffer_ = std::vector<char>(65536);
  std::vector<std::unique_ptr<Attacker>> attackers_;
  std::vector<Attacker*> to_connect_;
  std::size_t connecting_ = 0;
  std::size_t in_place_ = 0;
  bool told_ = false;
  std::int64_t slow_dropped_ = 0;
  std::int64_t slowloris_answered_ = 0;  // with 408
  std::int64_t refused_ = 0;             // before they were in place, or in another way
  TimePoint next_round_{};
  TimePoint end_ = never;
};

// --- one attacker ---

void Attacker::connect() {
  auto socket = io::Socket::dial(attack_.address());
  if (!socket) return attack_.lost(*this, false, slow_reader_, 0);
  socket_ = std::move(*socket);
  if (slow_reader_) setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  in_place_ = asked_ = false;
  received_.clear();
  attack_.loop().watch(socket_.fd(), *this, true, true);
}

void Attacker::on_io(bool readable, bool writable) {
  if (writable && next_ == never) {  // connected
    attack_.loop().change(socket_.fd(), *this, true, false);
    next_ = attack_.loop().now() + (slow_reader_ ? pong_interval : drip_interval);
    if (slow_reader_) {
      send(websocket::client_request(attack_.host(), "/socket.io/?EIO=4&transport=websocket",
                                     "dGhlIHNhbXBsZSBub25jZQ=="));
    } else {
      send("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nX-Slow: ");
      in_place_ = true;
      attack_.in_place();
    }
  }
  if (!readable) return;
  if (in_place_ && slow_reader_) return lost();  // nothing is read any more: only an error or the end comes here
  const auto count = socket_.read(attack_.buffer());
  if (!count && (count.error() == EAGAIN || count.error() == EINTR)) return;
  if (!count || *count == 0) return lost();
  on_answer({attack_.buffer().data(), *count});
}

// As a client that wants to be let in, until it is.
void Attacker::on_answer(std::string_view bytes) {
  received_.append(bytes);
  if (!slow_reader_) return;
  if (!asked_ && received_.contains("0{")) {
    asked_ = true;
    send_packet("40");
  }
  if (!received_.contains("40{")) return;
  in_place_ = true;
  attack_.loop().change(socket_.fd(), *this, false, false);
  attack_.in_place();
}

void Attacker::send_packet(std::string_view packet) const {
  std::string frame;
  websocket::append_masked_frame(frame, websocket::Opcode::text, packet, {1, 2, 3, 4});
  send(frame);
}

void Attacker::act(TimePoint now) {
  if (now < next_ || !in_place_) return;
  if (slow_reader_) {
    send_packet("3");  // as if it had seen the ping
    next_ = now + pong_interval;
  } else {
    send("x");
    next_ = now + drip_interval;
  }
}

void Attacker::lost() {
  attack_.loop().unwatch(socket_.fd(), *this);
  socket_.close();
  next_ = never;
  const int status = received_.starts_with("HTTP/1.1 ") ? std::atoi(received_.c_str() + 9) : 0;
  attack_.lost(*this, std::exchange(in_place_, false), slow_reader_, status);
}

// --- all of them ---

Attack::Attack(Options options) : options_(std::move(options)) {
  const auto address = io::parse_host_port(options_.target);
  if (!address) throw std::runtime_error("--target: expected HOST:PORT");
  address_ = io::resolve(address->host, address->port).at(0);
  for (int i = 0; i < options_.slow + options_.slowloris; ++i)
    to_connect_.push_back(attackers_.emplace_back(std::make_unique<Attacker>(*this, i < options_.slow)).get());
  next_round_ = io::Loop::read_clock();
}

void Attack::in_place() {
  --connecting_;
  if (++in_place_ < attackers_.size() || std::exchange(told_, true)) return;
  std::cout << "attacking" << std::endl;
  end_ = loop_.now() + std::chrono::seconds(options_.seconds);
}

void Attack::lost(Attacker& attacker, bool was_in_place, bool slow_reader, int status) {
  --(was_in_place ? in_place_ : connecting_);
  if (was_in_place && slow_reader) {
    ++slow_dropped_;
  } else if (!slow_reader && status == 408) {
    ++slowloris_answered_;
  } else {
    ++refused_;
  }
  to_connect_.push_back(&attacker);
}

void Attack::on_turn_end(TimePoint now) {
  if (now >= end_) return loop_.stop();
  for (std::vector<Attacker*> ready = std::exchange(to_connect_, {}); !ready.empty(); ready.pop_back()) {
    if (connecting_ == connecting_max) {
      to_connect_.insert(to_connect_.end(), ready.begin(), ready.end());
      break;
    }
    ++connecting_;
    ready.back()->connect();
  }
  if (now < next_round_) return;
  next_round_ = now + Milliseconds(100);
  for (const auto& attacker : attackers_) attacker->act(now);
}

void Attack::run() {
  loop_.watch(STDIN_FILENO, *this);
  loop_.run(*this);
  std::cout << to_json(Object{{"slow_readers_dropped", slow_dropped_},
                              {"slowloris_answered_408", slowloris_answered_},
                              {"otherwise_refused", refused_}})
            << std::endl;
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app("Hostile clients for a Socket.IO server");
  app.add_option("--target", options.target, "HOST:PORT of the server");
  app.add_option("--slow", options.slow, "slow readers")->check(CLI::Range(0, 100'000));
  app.add_option("--slowloris", options.slowloris, "connections that never finish their request")
      ->check(CLI::Range(0, 100'000));
  app.add_option("--seconds", options.seconds, "from when all are in place")->check(CLI::Range(1, 600));
  CLI11_PARSE(app, argc, argv);
  io::raise_file_limit();
  Attack(std::move(options)).run();
  return 0;
} catch (const std::exception& error) {
  std::cerr << "hostile_load: " << error.what() << '\n';
  return 1;
}
