// For tests of io/ and runtime/: a loop on a thread, a blocking client, and ways to wait for what other threads do.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "io/address.hpp"
#include "io/endpoint.hpp"
#include "io/loop.hpp"
#include "io/socket.hpp"
#include "io/testing_tls.hpp"

namespace carillon::io::testing {

// How long a test waits for what must happen: generous, because sanitizers and busy machines are slow.
inline constexpr std::chrono::seconds patience{20};

inline SocketAddress loopback(std::uint16_t port = 0) { return resolve("127.0.0.1", port).front(); }

// Of an endpoint: "127.0.0.1:3000", "https://127.0.0.1:3000", "unix:/tmp/socket".
inline SocketAddress address_of(const std::string& text) {
  const auto endpoint = parse_endpoint(text);
  if (!endpoint) throw std::invalid_argument("no address: " + text);
  return endpoint->is_unix() ? unix_address(endpoint->path) : resolve(endpoint->tcp.host, endpoint->tcp.port).front();
}

// A port that nobody listens on.
inline std::uint16_t free_port() {
  const Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress address = loopback();
  if (::bind(socket.fd(), address.raw(), address.size) != 0) throw std::runtime_error("bind");
  return local_address(socket.fd()).port();
}

inline bool is_listening(const std::string& address) {
  const SocketAddress server = address_of(address);
  const Socket socket(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(socket.fd(), server.raw(), server.size) == 0;
}

// What happened on other threads, in order. Any thread.
template <class T>
class Log {
 public:
  void add(T entry) {
    const std::lock_guard lock(mutex_);
    entries_.push_back(std::move(entry));
    added_.notify_all();
  }
  // The oldest entry, taken out; none if none comes in time.
  std::optional<T> next(std::chrono::milliseconds timeout = patience) {
    std::unique_lock lock(mutex_);
    if (!added_.wait_for(lock, timeout, [&] { return !entries_.empty(); })) return std::nullopt;
    T entry = std::move(entries_.front());
    entries_.pop_front();
    return entry;
  }
  bool reaches(std::size_t count) {
    std::unique_lock lock(mutex_);
    return added_.wait_for(lock, patience, [&] { return entries_.size() >= count; });
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable added_;
  std::deque<T> entries_;
};

// A door that opens once. Any thread.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return opened_.wait_for(lock, patience, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

// For what announces itself to nobody, such as counters. False when the time is up.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

// A client's socket: every call waits for what it asks for, up to `patience`.
class BlockingClient {
 public:
  // `receive_buffer`: a small one makes the sender feel soon that nobody reads.
  explicit BlockingClient(const SocketAddress& server, int receive_buffer = 0)
      : socket_(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (::connect(socket_.fd(), server.raw(), server.size) != 0) throw std::runtime_error("cannot connect");
    if (server.family() != AF_UNIX) socket_.set_no_delay();
  }
  // By TLS where the address begins with "https://".
  explicit BlockingClient(const std::string& server, int receive_buffer = 0)
      : BlockingClient(address_of(server), receive_buffer) {
    if (server.starts_with("https://")) start_tls();
  }

  // Throws when the server refuses.
  void start_tls(const TlsClientOptions& options = {}) {
    std::signal(SIGPIPE, SIG_IGN);
    tls_ = std::make_unique<TlsClientEnd>(options);
    SSL_set_fd(tls_->raw(), socket_.fd());
    if (SSL_connect(tls_->raw()) != 1) throw std::runtime_error("no TLS");
  }
  const TlsClientEnd& tls() const { return *tls_; }
  int fd() const { return socket_.fd(); }

  // False: the other side has gone, or does not read.
  bool send(std::string_view bytes) {
    std::size_t written = 0;
    if (tls_ != nullptr && !bytes.empty()) return SSL_write_ex(tls_->raw(), bytes.data(), bytes.size(), &written) == 1;
    while (!bytes.empty()) {
      if (!wait(POLLOUT)) return false;
      const ssize_t sent = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN) return false;
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // Some bytes, at least one; none at the end of the stream, after an error, or when nothing comes.
  std::string receive() {
    if (!unread_.empty()) return std::exchange(unread_, {});
    if (!has_plaintext() && !wait(POLLIN)) return {};
    std::array<char, 65536> buffer;
    const ssize_t count = tls_ != nullptr ? SSL_read(tls_->raw(), buffer.data(), static_cast<int>(buffer.size()))
                                          : ::recv(socket_.fd(), buffer.data(), buffer.size(), 0);
    ended_ = count <= 0;
    if (count <= 0) return {};
    return {buffer.data(), static_cast<std::size_t>(count)};
  }
  // Fewer if the stream ends before.
  std::string receive_exactly(std::size_t count) {
    std::string bytes;
    while (bytes.size() < count && !ended_) {
      const std::string more = receive();
      if (more.empty()) break;
      bytes += more;
    }
    if (bytes.size() > count) {
      unread_ = bytes.substr(count);
      bytes.resize(count);
    }
    return bytes;
  }
  // Up to and including `mark`; what has come if it never does.
  std::string receive_until(std::string_view mark) {
    std::string bytes;
    for (;;) {
      const std::string more = receive();
      const std::size_t from = bytes.size() < mark.size() ? 0 : bytes.size() - mark.size();
      bytes += more;
      const std::size_t at = bytes.find(mark, from);
      if (at != std::string::npos) {
        unread_ = bytes.substr(at + mark.size());
        bytes.resize(at + mark.size());
        return bytes;
      }
      if (more.empty()) return bytes;
    }
  }
  // Everything up to the end of the stream; check ended().
  std::string receive_all() {
    std::string bytes;
    for (std::string more = receive(); !more.empty(); more = receive()) bytes += more;
    return bytes;
  }
  // The other side has closed, cleanly or not; what it sent before is thrown away.
  bool closed() {
    receive_all();
    return ended_;
  }
  bool ended() const { return ended_; }
  bool has_input() { return !unread_.empty() || wait(POLLIN, std::chrono::milliseconds(0)); }

  void end_writing() { socket_.shutdown_writes(); }
  void close() { socket_.close(); }
  // Closes with a reset, as a crashing machine's system would.
  void reset() {
    const linger now{1, 0};
    setsockopt(socket_.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket_.close();
  }

 private:
  bool wait(short event, std::chrono::milliseconds timeout = patience) {
    pollfd file{socket_.fd(), event, 0};
    return ::poll(&file, 1, static_cast<int>(timeout.count())) > 0;
  }

  bool has_plaintext() const { return tls_ != nullptr && SSL_pending(tls_->raw()) > 0; }

  Socket socket_;
  std::unique_ptr<TlsClientEnd> tls_;
  std::string unread_;
  bool ended_ = false;
};

// A loop on a thread of its own, for as long as this lives.
class LoopThread final : private LoopHooks {
 public:
  LoopThread() : thread_([this] { loop_.run(*this); }) {}
  ~LoopThread() override {
    loop_.stop();
    thread_.join();
  }
  Loop& loop() { return loop_; }

  // Runs the task on the loop and waits for its end.
  void run(Task task) {
    Gate done;
    loop_.post([&] {
      task();
      done.open();
    });
    if (!done.wait()) throw std::runtime_error("the loop does not run");
  }

 private:
  void on_turn_begin(TimePoint) override {}
  void on_turn_end(TimePoint) override {}
  TimePoint next_deadline() const override { return never; }

  Loop loop_;
  std::thread thread_;
};

}  // namespace carillon::io::testing
