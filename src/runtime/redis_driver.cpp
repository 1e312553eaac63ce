#include "runtime/redis_driver.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace carillon::runtime {
namespace {

constexpr std::size_t read_buffer_bytes = 256 * 1024;

std::string words(int error) { return std::generic_category().message(error); }

}  // namespace

RedisDriver::RedisDriver(io::Loop& loop, redis::ClientOptions options, Random& random)
    : loop_(loop), resolver_(loop), client_(std::move(options), random, *this), buffer_(read_buffer_bytes) {}

RedisDriver::~RedisDriver() = default;

// The client says what it wants; here it gets it.
void RedisDriver::on_turn_end(TimePoint now) {
  if (std::exchange(woken_, false) || now >= client_.next_deadline()) client_.on_time(now);
  for (const redis::Role role : redis::roles) {
    if (client_.wants_close(role)) line(role).fail("given up");
    if (client_.wants_connection(role)) line(role).dial();
    line(role).write(now);
  }
}

TimePoint RedisDriver::next_deadline() const { return woken_ ? TimePoint::min() : client_.next_deadline(); }

// --- one connection ---

void RedisDriver::Line::drop() {
  ++attempt_;
  addresses_.clear();
  if (socket_.is_open()) driver_.loop_.unwatch(socket_.fd(), *this);
  socket_.close();
  unsent_.clear();
  sent_ = 0;
  blocked_ = false;
}

void RedisDriver::Line::fail(const std::string& reason) {
  const bool was_connecting = std::exchange(connecting_, false);
  drop();
  driver_.woken_ = true;
  const TimePoint now = driver_.loop_.now();
  if (was_connecting) {
    driver_.client_.on_connect_failed(role_, reason, now);
  } else {
    driver_.client_.on_closed(role_, reason, now);
  }
}

void RedisDriver::Line::dial() {
  driver_.client_.on_dialling(role_, driver_.loop_.now());
  connecting_ = true;
  const redis::Url& url = driver_.client_.options().url;
  driver_.resolver_.resolve(url.host, url.port, [this, attempt = ++attempt_](std::vector<io::SocketAddress> found) {
    if (attempt != attempt_) return;
    if (found.empty()) return fail("no such host: " + driver_.client_.options().url.host);
    std::reverse(found.begin(), found.end());
    addresses_ = std::move(found);
    try_next_address();
  });
}

void RedisDriver::Line::try_next_address() {
  const io::SocketAddress address = addresses_.back();
  addresses_.pop_back();
  auto socket = io::Socket::dial(address);
  if (!socket) {
    if (!addresses_.empty()) return try_next_address();
    return fail(words(socket.error()));
  }
  socket_ = std::move(*socket);
  driver_.loop_.watch(socket_.fd(), *this, true, true);
}

void RedisDriver::Line::on_io(bool readable, bool writable) {
  if (connecting_) {
    const int error = socket_.take_error();
    if (error != 0) {
      driver_.loop_.unwatch(socket_.fd(), *this);
      socket_.close();
      if (!addresses_.empty()) return try_next_address();
      return fail(words(error));
    }
    if (!writable) return;
    connecting_ = false;
    driver_.loop_.change(socket_.fd(), *this, true, false);
    driver_.client_.on_connected(role_, driver_.loop_.now());
    driver_.woken_ = true;
    return;
  }
  if (writable && blocked_) {
    blocked_ = false;
    driver_.loop_.change(socket_.fd(), *this, true, false);
  }
  if (readable) read();
}

void RedisDriver::Line::read() {
  const auto count = socket_.read(driver_.buffer_);
  if (!count) {
    if (count.error() == EAGAIN || count.error() == EINTR) return;
    return fail(words(count.error()));
  }
  if (*count == 0) return fail("closed by Redis");
  driver_.woken_ = true;
  driver_.client_.on_bytes(role_, {driver_.buffer_.data(), *count}, driver_.loop_.now());
}

void RedisDriver::Line::write(TimePoint now) {
  while (socket_.is_open() && !connecting_ && !blocked_) {
    if (sent_ == unsent_.size()) {
      unsent_.clear();
      sent_ = 0;
      if (!driver_.client_.has_output(role_)) return;
      unsent_ = driver_.client_.take_output(role_, now);
    }
    const auto count = socket_.write(std::string_view(unsent_).substr(sent_));
    if (count) {
      sent_ += *count;
    } else if (count.error() == EAGAIN) {
      blocked_ = true;
      driver_.loop_.change(socket_.fd(), *this, true, true);
    } else if (count.error() != EINTR) {
      return fail(words(count.error()));
    }
  }
}

}  // namespace carillon::runtime
