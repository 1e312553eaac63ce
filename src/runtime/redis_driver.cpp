#include "runtime/redis_driver.hpp"

#include <algorithm>
#include <cerrno>
#include <span>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <utility>

namespace carillon::runtime {
namespace {

constexpr std::size_t read_buffer_bytes = 256 * 1024;
static_assert(read_buffer_bytes >= io::Stream::read_buffer_bytes_min);
constexpr Milliseconds tls_files_age_max{60'000};

std::string words(int error) { return std::generic_category().message(error); }

auto load_tls(const redis::UrlTls& url) {
  return io::TlsContext::load(io::TlsDialOptions{
      .ca_file = url.ca_file, .certificate_file = url.cert_file, .key_file = url.key_file, .verify = url.verify});
}

}  // namespace

RedisDriver::RedisDriver(io::Loop& loop, redis::ClientOptions options, Random& random)
    : loop_(loop),
      resolver_(loop),
      link_(redis::make_link(std::move(options), random, *this)),
      buffer_(read_buffer_bytes) {
  const redis::Url& url = link_->options().url;
  if (!url.tls) return;
  auto loaded = load_tls(*url.tls);
  if (!loaded) throw std::invalid_argument("Redis URL: " + loaded.error());
  tls_ = std::move(*loaded);
}

RedisDriver::~RedisDriver() = default;

// The clients say what they want; here they get it.
void RedisDriver::on_turn_end(TimePoint now) {
  if (std::exchange(woken_, false) || now >= link_->next_deadline()) link_->on_time(now);
  const std::span<redis::Client* const> clients = link_->clients();
  if (lines_.size() > clients.size())  // what is not served any more has been closed
    std::erase_if(
        lines_, [&](const auto& one) { return std::find(clients.begin(), clients.end(), one.first) == clients.end(); });
  for (redis::Client* client : clients) {
    for (const redis::Role role : redis::roles) {
      if (client->wants_close(role)) line(*client, role).fail("given up");
      if (client->wants_connection(role)) line(*client, role).dial();
      line(*client, role).write(now);
    }
  }
}

TimePoint RedisDriver::next_deadline() const { return woken_ ? TimePoint::min() : link_->next_deadline(); }

RedisDriver::Line& RedisDriver::line(redis::Client& client, redis::Role role) {
  auto found = lines_.find(&client);
  if (found == lines_.end())
    found =
        lines_.emplace(std::piecewise_construct, std::forward_as_tuple(&client), std::forward_as_tuple(*this, client))
            .first;
  return found->second.all[static_cast<std::size_t>(role)];
}

// Files that are just being replaced do not matter: there is another attempt.
std::shared_ptr<const io::TlsContext> RedisDriver::tls_context(TimePoint now) {
  if (tls_ == nullptr || now - tls_loaded_at_ < tls_files_age_max) return tls_;
  if (auto loaded = load_tls(*link_->options().url.tls)) tls_ = std::move(*loaded);
  tls_loaded_at_ = now;
  return tls_;
}

// --- one connection ---

void RedisDriver::Line::drop() {
  attempt_.reset();
  addresses_.clear();
  if (stream_.is_open()) driver_.loop_.unwatch(stream_.fd(), *this);
  stream_.close();
  unsent_.clear();
  sent_ = 0;
  blocked_ = false;
  state_ = State::idle;
}

void RedisDriver::Line::fail(const std::string& reason) {
  const bool was_open = state_ == State::open;
  drop();
  driver_.woken_ = true;
  const TimePoint now = driver_.loop_.now();
  if (was_open) {
    client_.on_closed(role_, reason, now);
  } else {
    client_.on_connect_failed(role_, reason, now);
  }
}

void RedisDriver::Line::dial() {
  target_ = client_.address(role_);
  client_.on_dialling(role_, driver_.loop_.now());
  state_ = State::resolving;
  if (!target_.path.empty()) {
    addresses_ = {io::unix_address(target_.path)};
    return try_next_address();
  }
  attempt_ = std::make_shared<int>();
  driver_.resolver_.resolve(target_.host, target_.port,
                            [this, attempt = std::weak_ptr(attempt_)](std::vector<io::SocketAddress> found) {
                              if (attempt.expired()) return;
                              if (found.empty()) return fail("no such host: " + target_.host);
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
  state_ = State::connecting;
  stream_ = io::Stream(std::move(*socket));
  driver_.loop_.watch(stream_.fd(), *this, true, true);
}

void RedisDriver::Line::on_io(bool readable, bool writable) {
  switch (state_) {
    case State::idle:
    case State::resolving:
      return;
    case State::connecting:
      return on_connected(writable);
    case State::securing:
      return secure();
    case State::open:
      if (writable && blocked_) {
        blocked_ = false;
        driver_.loop_.change(stream_.fd(), *this, true, false);
      }
      if (readable) read();
      return;
  }
}

// Or not: the socket tells.
void RedisDriver::Line::on_connected(bool writable) {
  if (const int error = stream_.take_error(); error != 0) {
    driver_.loop_.unwatch(stream_.fd(), *this);
    stream_.close();
    if (!addresses_.empty()) return try_next_address();
    return fail(words(error));
  }
  if (!writable) return;
  const auto tls = driver_.tls_context(driver_.loop_.now());
  if (tls == nullptr) return on_secured();
  const std::string& name = client_.options().url.tls->server_name;
  stream_.dial_tls(*tls, name.empty() ? target_.host : name);
  state_ = State::securing;
  secure();
}

// The TLS handshake goes on.
void RedisDriver::Line::secure() {
  const auto count = stream_.read(driver_.buffer_);
  if (count && *count == 0) return fail("closed by Redis during the TLS handshake (does that port speak TLS?)");
  if (!count && count.error() != EAGAIN && count.error() != EINTR)
    return fail(count.error() == EPROTO ? tls_failure() : words(count.error()));
  if (const int error = stream_.flush(); error != 0 && error != EAGAIN) return fail(words(error));
  if (stream_.tls()->state() != io::TlsSession::State::open)
    return driver_.loop_.change(stream_.fd(), *this, true, stream_.has_unsent());
  on_secured();
  if (count) client_.on_bytes(role_, {driver_.buffer_.data(), *count}, driver_.loop_.now());
}

std::string RedisDriver::Line::tls_failure() const {
  std::string reason = "TLS failed: " + std::string(stream_.tls()->reason());
  if (stream_.tls()->state() == io::TlsSession::State::failed)
    reason += " (ca_file and server_name in the URL say what to trust)";
  return reason;
}

void RedisDriver::Line::on_secured() {
  state_ = State::open;
  driver_.loop_.change(stream_.fd(), *this, true, false);
  client_.on_connected(role_, driver_.loop_.now());
  driver_.woken_ = true;
}

void RedisDriver::Line::read() {
  const auto count = stream_.read(driver_.buffer_);
  if (!count) {
    if (count.error() == EAGAIN || count.error() == EINTR) return;
    return fail(count.error() == EPROTO ? tls_failure() : words(count.error()));
  }
  if (*count == 0) return fail("closed by Redis");
  driver_.woken_ = true;
  client_.on_bytes(role_, {driver_.buffer_.data(), *count}, driver_.loop_.now());
  if (stream_.has_ended()) fail("closed by Redis");
}

// False: the socket takes nothing more now, or the line has failed.
bool RedisDriver::Line::flush() {
  const int error = stream_.flush();
  if (error == 0) return true;
  if (error != EAGAIN) return fail(words(error)), false;
  blocked_ = true;
  driver_.loop_.change(stream_.fd(), *this, true, true);
  return false;
}

void RedisDriver::Line::write(TimePoint now) {
  while (state_ == State::open && !blocked_) {
    if (stream_.has_unsent() && !flush()) return;
    if (sent_ == unsent_.size()) {
      unsent_.clear();
      sent_ = 0;
      if (!client_.has_output(role_)) return;
      unsent_ = client_.take_output(role_, now);
    }
    const auto count = stream_.write(std::string_view(unsent_).substr(sent_));
    if (count) {
      sent_ += *count;
    } else if (count.error() == EAGAIN) {
      blocked_ = true;
      driver_.loop_.change(stream_.fd(), *this, true, true);
    } else if (count.error() != EINTR) {
      return fail(words(count.error()));
    }
  }
}

}  // namespace carillon::runtime
