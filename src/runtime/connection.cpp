#include "runtime/connection.hpp"

#include <cerrno>
#include <utility>

#include "runtime/shard.hpp"

namespace carillon::runtime {
namespace {

constexpr std::size_t unread_bytes_max = 256 * 1024;  // pipelined behind a request that is being answered

}  // namespace

Connection::Connection(Shard& shard, Service& service, io::Stream stream, const http::Origin& origin,
                       const Entrance& entrance)
    : shard_(shard),
      service_(service),
      stream_(std::move(stream)),
      origin_(origin),
      http_(std::make_unique<HttpState>(service.limits.parser)) {
  if (!entrance.proxy_protocol && entrance.tls == nullptr) return;
  arrival_ = std::make_unique<Arrival>(Arrival{entrance, {}});
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
  if (stream_.has_ended()) on_end_of_stream(true);
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
      if (http_->unread.size() > unread_bytes_max) cut();
      return;
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
}

// True when everything has been written. An error only marks the connection: this runs in the middle of broadcasts, so
// nobody is called back from here.
bool Connection::write_queue() {
  if (broken_) return false;
  const auto [outcome, bytes] = queue_.write(stream_, shard_.scratch());
  if (bytes > 0) shard_.stats().bytes_sent.add(bytes);
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
  shard_.timers().set(*this, shard_.loop().now() + service_.limits.close_timeout);
}

void Connection::on_deadline(TimePoint) {
  switch (state_) {
    case State::arriving:
      return fail_arrival(ArrivalFailure::timeout);
    case State::reading_request:
      if (http_ && http_->parser.started()) {  // a stalled request gets an answer
        http_->keep_alive = false;
        const bool handler_waits = std::exchange(http_->body_wanted, false);
        if (handler_waits) service_.handler->on_closed(*this);
        http::Response response = service_.error_response(408);
        response.close = true;
        respond(std::move(response));
        shard_.timers().set(*this, shard_.loop().now() + service_.limits.close_timeout);
        return;
      }
      return end();
    case State::answering:
    case State::websocket:
    case State::ended:
      return;
    case State::closing:
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
  stream_.close();
  queue_.clear();
  if (deflates_) shard_.deflation().close(window_bytes_);
  shard_.bury(*this);
}

}  // namespace carillon::runtime
