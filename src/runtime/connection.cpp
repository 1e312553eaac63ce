#include "runtime/connection.hpp"

#include <cerrno>
#include <utility>

#include "runtime/shard.hpp"

namespace carillon::runtime {
namespace {

constexpr std::size_t small_message_bytes = 64 * 1024;
constexpr std::size_t unread_bytes_max = 256 * 1024;  // pipelined behind a request that is being answered

}  // namespace

Connection::Connection(Shard& shard, Service& service, Handover& handover)
    : shard_(shard),
      service_(service),
      stream_(std::move(handover.stream)),
      origin_(handover.origin),
      http_(std::make_unique<HttpState>(service.limits.parser)),
      pass_(std::move(handover.pass)) {
  http_->requests = handover.requests;
  if (!handover.entrance.proxy_protocol && handover.entrance.tls == nullptr) return;
  arrival_ = std::make_unique<Arrival>(Arrival{handover.entrance, {}});
  state_ = State::arriving;
}

Connection::~Connection() = default;

void Connection::start(std::string unread, std::string unsent) {
  shard_.loop().watch(stream_.fd(), *this);
  if (state_ == State::arriving) return begin_arrival();
  shard_.timers().set(*this, shard_.loop().now() + service_.limits.head_timeout);
  if (!unsent.empty()) queue(std::move(unsent));
  if (stream_.has_unsent()) set_blocked(true);
  if (!unread.empty()) on_bytes(unread);
  if (stream_.has_ended()) on_end_of_stream(true);
}

// --- reading ---

void Connection::on_io(bool readable, bool writable) {
  if (writable && state_ != State::ended) flush();
  if (readable && state_ != State::ended) on_readable();
}

void Connection::on_readable() {
  if (state_ == State::arriving) return on_arrival_readable();
  const std::span<char> buffer = shard_.read_buffer();
  const auto count = stream_.read(buffer);
  if (stream_.has_unsent()) set_blocked(true);
  if (!count) {
    if (count.error() == EAGAIN || count.error() == EINTR) return;
    return on_end_of_stream(false);
  }
  if (*count == 0) return on_end_of_stream(true);
  shard_.stats().bytes_received.add(*count);
  on_bytes(buffer.first(*count));
  if (state_ != State::ended) count_received();
  if (stream_.has_ended()) on_end_of_stream(true);
}

// What it holds of messages that are not complete.
std::size_t Connection::received_bytes() const {
  const std::size_t of_messages = decoder_ ? decoder_->buffered_bytes() : 0;
  return of_messages + (http_ ? http_->unread.size() + http_->parser.body().size() : 0);
}

// Small messages, which most are, go through even when attackers hold all that there is.
void Connection::count_received() {
  const std::size_t now = received_bytes();
  const std::size_t before = std::exchange(received_counted_bytes_, static_cast<std::uint32_t>(now));
  if (before == now || shard_.count_received(before, now)) return;
  if (now <= small_message_bytes || now < before) return;
  if (state_ == State::websocket) service_.engine->overload(*this);
  if (state_ == State::ended) return;
  note(Refusal::overloaded);
  cut();
}

void Connection::on_bytes(std::span<char> bytes) {
  switch (state_) {
    case State::arriving:
      return;  // it reads by itself
    case State::reading_request:
      if (http_->unread.empty()) return read_requests({bytes.data(), bytes.size()});
      [[fallthrough]];  // answered in this turn: what came before these bytes has not been read yet
    case State::answering:
      http_->unread.append(bytes.data(), bytes.size());
      if (http_->unread.size() <= unread_bytes_max) return;
      note(Refusal::too_much_pipelined);
      return cut();
    case State::websocket:
    case State::closing:
      if (http_ && decoder_) {  // what came before these bytes has not been read yet
        http_->unread.append(bytes.data(), bytes.size());
      } else if (decoder_) {
        read_frames(bytes);
      }
      return;
    case State::ended:
      return;
  }
}

void Connection::on_end_of_stream(bool clean) {
  detach_handler(clean);
  end();
}

void Connection::detach_handler(bool clean) {
  if (state_ == State::closing || state_ == State::ended) return;
  const State before = std::exchange(state_, State::closing);
  if (before == State::websocket) {
    service_.engine->on_closed(*this, clean, shard_.loop().now());
  } else if (before == State::answering || (http_ && http_->body_wanted)) {
    service_.handler->on_closed(*this);
  }
}

// --- writing ---

void Connection::queue(std::string bytes) {
  auto owner = std::make_shared<const std::string>(std::move(bytes));
  const std::string_view view = *owner;
  queue(std::move(owner), view);
}

void Connection::queue(std::shared_ptr<const void> owner, std::string_view bytes) {
  queue_.push(std::move(owner), bytes);
  if (blocked_) count_queue();
  if (!blocked_ && !std::exchange(in_flush_list_, true)) shard_.want_flush(*this);
}

void Connection::flush() {
  in_flush_list_ = false;
  if (state_ == State::ended) return;
  const bool written = write_queue();
  if (broken_) {
    detach_handler(false);
    return end();
  }
  if (!written) return;
  if (http_ && decoder_) read_early_frames();
  // After our close frame the client's is still to come; in all other cases the last word has been said.
  if (state_ == State::closing && decoder_ == nullptr) begin_closing();
  if (state_ == State::reading_request) resume();
  if (received_counted_bytes_ > 0 && state_ != State::ended) count_received();
}

// True when everything has been written. An error only marks the connection: this runs in the middle of broadcasts, so
// nobody is called back from here.
bool Connection::write_queue() {
  if (broken_) return false;
  const auto [outcome, bytes] = queue_.write(stream_, shard_.scratch());
  if (bytes > 0) shard_.stats().bytes_sent.add(bytes);
  count_queue();
  switch (outcome) {
    case OutputQueue::Outcome::done:
      set_blocked(false);
      return true;
    case OutputQueue::Outcome::blocked:
      set_blocked(true);
      return false;
    case OutputQueue::Outcome::failed:
      broken_ = true;
      if (!std::exchange(in_flush_list_, true)) shard_.want_flush(*this);
      return false;
  }
  return false;
}

// What is written in the turn in which it was queued is never counted.
void Connection::count_queue() {
  const std::size_t before = std::exchange(queue_counted_bytes_, queue_.held_bytes());
  if (before == queue_counted_bytes_) return;
  shard_.stats().send_queue_bytes.add(static_cast<std::int64_t>(queue_counted_bytes_) -
                                      static_cast<std::int64_t>(before));
}

void Connection::set_blocked(bool blocked) {
  if (std::exchange(blocked_, blocked) == blocked) return;
  // A client that does not read its answers is not asked for more requests.
  shard_.loop().change(stream_.fd(), *this, !blocked || http_ == nullptr, blocked);
}

// --- the end ---

// Everything is written: tell the peer, and give it time to take it before the socket goes (a socket that is closed
// with unread input resets the connection, and the peer may lose our last words).
void Connection::begin_closing() {
  if (std::exchange(writes_shut_, true)) return;
  stream_.end_writing();
  untaken_bytes_ = static_cast<std::uint32_t>(stream_.untaken_bytes());
  shard_.timers().set(*this, shard_.loop().now() + service_.limits.close_timeout);
}

void Connection::on_deadline(TimePoint) {
  switch (state_) {
    case State::arriving:
      return fail_arrival(Refusal::handshake_timeout);
    case State::reading_request:
      if (http_->parser.started()) return stall_request();
      note(Refusal::idle);
      return end();
    case State::answering:
    case State::websocket:
    case State::ended:
      return;
    case State::closing:
      // Where it has taken nothing of our last words meanwhile, the system need not go on to offer them for many minutes.
      if (untaken_bytes_ > 0 && stream_.untaken_bytes() >= untaken_bytes_) stream_.abandon();
      return end();
  }
}

void Connection::on_stop() {
  if (state_ == State::arriving) return end();
  if (state_ == State::reading_request && !http_->parser.started() && queue_.empty()) end();
}

void Connection::cut() {
  detach_handler(false);
  end();
}

void Connection::end() {
  if (std::exchange(state_, State::ended) == State::ended) return;
  shard_.timers().clear(*this);
  if (stream_.is_open()) shard_.loop().unwatch(stream_.fd(), *this);
  if (!queue_.empty()) stream_.abandon();  // the system need not keep what it has of an answer that will never be whole
  stream_.close();
  queue_.clear();
  count_queue();
  shard_.count_received(std::exchange(received_counted_bytes_, 0), 0);
  pass_ = {};
  if (deflates_) shard_.deflation().close(window_bytes_);
  shard_.bury(*this);
}

}  // namespace carillon::runtime
