#include "runtime/connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "runtime/shard.hpp"
#include "websocket/handshake.hpp"

namespace carillon::runtime {
namespace {

constexpr std::size_t unread_bytes_max = 256 * 1024;  // pipelined behind a request that is being answered
constexpr std::size_t join_bytes_max = 32 * 1024;     // small pieces are copied together: cheaper than a long writev
constexpr std::size_t queue_capacity_kept = 16;
constexpr std::size_t written_chunks_kept = 256;  // of a queue that never becomes empty
constexpr std::size_t pong_backlog_bytes_max = 64 * 1024;

}  // namespace

Connection::Connection(Shard& shard, Service& service, io::Socket socket, std::string address)
    : shard_(shard),
      service_(service),
      socket_(std::move(socket)),
      address_(std::move(address)),
      http_(std::make_unique<HttpState>(service.limits.parser)) {}

Connection::~Connection() = default;

void Connection::start(std::string unread, std::string_view unsent) {
  shard_.loop().watch(socket_.fd(), *this);
  shard_.timers().set(*this, shard_.loop().now() + service_.limits.head_timeout);
  if (!unsent.empty()) queue(std::string(unsent));
  if (!unread.empty()) on_bytes(unread);
}

// --- reading ---

void Connection::on_io(bool readable, bool writable) {
  if (writable && state_ != State::ended) flush();
  if (readable && state_ != State::ended) on_readable();
}

void Connection::on_readable() {
  const std::span<char> buffer = shard_.read_buffer();
  const auto count = socket_.read(buffer);
  if (!count) {
    if (count.error() == EAGAIN || count.error() == EINTR) return;
    return on_end_of_stream(false);
  }
  if (*count == 0) return on_end_of_stream(true);
  shard_.stats().bytes_received.add(*count);
  on_bytes(buffer.first(*count));
}

void Connection::on_bytes(std::span<char> bytes) {
  switch (state_) {
    case State::reading_request:
      if (http_->unread.empty()) return read_requests({bytes.data(), bytes.size()});
      [[fallthrough]];  // answered in this turn: what came before these bytes has not been read yet
    case State::answering:
      http_->unread.append(bytes.data(), bytes.size());
      if (http_->unread.size() > unread_bytes_max) cut();
      return;
    case State::websocket:
      return read_frames(bytes);
    case State::closing:
      if (decoder_) read_frames(bytes);
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

// --- HTTP ---

void Connection::read_requests(std::string_view bytes) {
  // Answers are written before more requests are read: what a client pipelines must not pile up here.
  const auto full = [&] { return queued_bytes_ >= service_.limits.write_early_bytes; };
  while (state_ == State::reading_request && take_request_bytes(bytes) && !full()) {
  }
  if (state_ == State::answering || (state_ == State::reading_request && full())) {
    http_->unread.assign(bytes);
  } else if (state_ == State::websocket && !bytes.empty()) {
    std::string frames(bytes);  // rare: frames sent along with the handshake
    read_frames(frames);
  }
}

// One step of the parser. False when more bytes are needed, or the connection has changed hands or ended.
bool Connection::take_request_bytes(std::string_view& bytes) {
  http::RequestParser& parser = http_->parser;
  if (!parser.started() && !bytes.empty())
    shard_.timers().set(*this, shard_.loop().now() + service_.limits.head_timeout);
  const auto used = parser.feed(bytes);
  if (!used) {
    fail_request(used.error());
    return false;
  }
  const std::string_view eaten = bytes.substr(0, *used);
  bytes.remove_prefix(*used);
  if (!http_->head_seen) {
    if (!parser.head_complete()) {
      if (service_.moves) http_->head.append(eaten);
      return *used > 0 && !bytes.empty();
    }
    http_->head_seen = true;
    if (service_.moves && !http_->head.empty()) http_->head.append(eaten);
    const std::string raw = http_->head.empty() ? std::string() : std::exchange(http_->head, {});
    if (!on_head(raw.empty() ? eaten : std::string_view(raw), bytes)) return false;
  }
  if (parser.expects_continue() && !std::exchange(http_->continued, true)) queue("HTTP/1.1 100 Continue\r\n\r\n");
  if (parser.complete()) {
    finish_request();
    return state_ == State::reading_request && !bytes.empty();
  }
  return *used > 0 && !bytes.empty();
}

// False if the connection is no longer this object's.
bool Connection::on_head(std::string_view raw_request, std::string_view rest) {
  http::Request request = http_->parser.request();
  if (service_.moves) {
    if (const auto owner = shard_.foreign_owner(request)) {
      std::string unread(raw_request);
      unread.append(rest);
      shard_.move(*this, *owner, std::move(unread));
      return false;
    }
  }
  request.address = address_;
  request.received_unix_ms = io::Loop::unix_now();
  http_->keep_alive = request.keep_alive;
  shard_.stats().http_requests.add();
  shard_.timers().set(*this, shard_.loop().now() + service_.limits.body_timeout);
  state_ = State::answering;
  const bool body_wanted = service_.handler->on_request(*this, request);
  if (body_wanted && state_ == State::answering) {
    http_->body_wanted = true;
    state_ = State::reading_request;
  }
  return state_ == State::reading_request || state_ == State::answering;
}

void Connection::finish_request() {
  if (!http_->body_wanted) {
    // A refused request's body has been thrown away; or the answer is still to come.
    if (state_ == State::reading_request) {
      http_->parser.next();
      http_->head_seen = http_->continued = false;
    }
    return;
  }
  http_->body_wanted = false;
  state_ = State::answering;
  shard_.timers().clear(*this);
  service_.handler->on_body(*this, http_->parser.body());
}

void Connection::fail_request(http::ParseError error) {
  const bool handler_waits = std::exchange(http_->body_wanted, false);
  http_->keep_alive = false;
  state_ = State::answering;
  http::Response response = service_.error_response(http::status_of(error));
  response.close = true;
  shard_.stats().http_errors.add();
  if (handler_waits) {
    if (error == http::ParseError::body_too_large) {
      service_.handler->on_body_refused(*this);
    } else {
      service_.handler->on_closed(*this);
    }
  }
  if (state_ == State::answering) respond(std::move(response));
}

void Connection::respond(http::Response response) {
  if (state_ != State::answering && !(state_ == State::reading_request && http_)) return;
  const bool body_to_come = http_->head_seen && !http_->parser.complete();
  const bool keep_alive = http_->keep_alive && !response.close && !body_to_come && !shard_.stopping();
  queue(http::serialize(response, keep_alive));
  shard_.timers().set(*this, shard_.loop().now() + service_.limits.idle_timeout);  // also to take the answer
  if (!keep_alive) {
    state_ = State::closing;
    return;
  }
  state_ = State::reading_request;
  http_->body_wanted = false;
  http_->parser.next();
  http_->head_seen = http_->continued = false;
}

// --- WebSocket ---

bool Connection::accept_websocket() {
  const auto answer = websocket::accept(http_->parser.request());
  if (!answer) {
    const bool version = answer.error() == websocket::HandshakeError::bad_version;
    http::Response response{version ? 426 : 400, {{"Content-Type", "text/plain"}}, "Bad WebSocket handshake\n", true};
    if (version) response.headers.emplace_back("Sec-WebSocket-Version", "13");
    respond(std::move(response));
    return false;
  }
  queue(*answer);
  state_ = State::websocket;
  http_.reset();
  decoder_ = std::make_unique<websocket::Decoder>(websocket::Role::server, service_.limits.parser.body_bytes_max);
  shard_.timers().clear(*this);
  return true;
}

void Connection::read_frames(std::span<char> bytes) {
  decoder_->feed(bytes);
  while (decoder_ && (state_ == State::websocket || state_ == State::closing)) {
    const auto event = decoder_->next();
    if (!event) return;
    on_websocket_event(*event);
  }
}

void Connection::on_websocket_event(const websocket::Event& event) {
  using Kind = websocket::Event::Kind;
  if (state_ == State::closing) {  // only the answer to our close frame still matters
    if (event.kind == Kind::close || event.kind == Kind::error) end();
    return;
  }
  const TimePoint now = shard_.loop().now();
  switch (event.kind) {
    case Kind::text:
    case Kind::binary:
      return service_.engine->on_message(*this, event.kind == Kind::binary, event.payload, now);
    case Kind::pong:
      return;
    case Kind::ping: {
      if (backlog_bytes() > pong_backlog_bytes_max) return;  // it does not read; RFC 6455 asks for the last pong only
      std::string pong;
      websocket::append_frame(pong, websocket::Opcode::pong, event.payload);
      return queue(std::move(pong));
    }
    case Kind::close:
    case Kind::error: {
      const bool clean = event.kind == Kind::close;
      if (!clean) shard_.stats().websocket_violations.add();
      queue(websocket::close_frame(event.code));
      shard_.timers().set(*this, now + service_.limits.close_timeout);  // also to take what waits before it
      detach_handler(clean);
      decoder_.reset();  // whatever still comes is void
      return;
    }
  }
}

std::size_t Connection::send(const engineio::FramesPtr& frames) {
  if (state_ != State::websocket) return 0;
  queue(frames, frames->wire());
  if (queued_bytes_ >= service_.limits.write_early_bytes && !blocked_) write_queue();
  return queued_bytes_;
}

void Connection::close_websocket(std::uint16_t code) {
  if (state_ != State::websocket) return;
  queue(websocket::close_frame(code));
  state_ = State::closing;
  shard_.timers().set(*this, shard_.loop().now() + service_.limits.close_timeout);
}

// --- writing ---

void Connection::queue(std::string bytes) {
  auto owner = std::make_shared<const std::string>(std::move(bytes));
  const std::string_view view = *owner;
  queue(std::move(owner), view);
}

void Connection::queue(std::shared_ptr<const void> owner, std::string_view bytes) {
  queue_.push_back({std::move(owner), bytes});
  queued_bytes_ += bytes.size();
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
  // After our close frame the client's is still to come; in all other cases the last word has been said.
  if (state_ == State::closing && decoder_ == nullptr) begin_closing();
  if (state_ == State::reading_request) resume();
}

// The next of several pipelined requests is read here, not by respond(): its caller may be in the middle of something,
// such as the end of the session that the next request is for.
void Connection::resume() {
  if (!http_->unread.empty()) {
    const std::string unread = std::exchange(http_->unread, {});
    return read_requests(unread);
  }
  if (shard_.stopping()) on_stop();
}

// True when everything has been written. An error only marks the connection: this runs in the middle of broadcasts, so
// nobody is called back from here.
bool Connection::write_queue() {
  if (broken_) return false;
  while (queue_head_ < queue_.size()) {
    std::array<std::string_view, io::Socket::pieces_max> pieces;
    std::size_t count = 0;
    std::size_t bytes = 0;
    for (std::size_t i = queue_head_; i < queue_.size() && count < pieces.size(); ++i) {
      pieces[count++] = queue_[i].bytes;
      bytes += queue_[i].bytes.size();
    }
    std::expected<std::size_t, int> written = 0;
    if (count == 1) {
      written = socket_.write(pieces[0]);
    } else if (bytes <= join_bytes_max) {
      written = socket_.write(shard_.join(std::span(pieces).first(count)));
    } else {
      written = socket_.write(std::span<const std::string_view>(pieces).first(count));
    }
    if (!written) {
      if (written.error() == EINTR) continue;
      if (written.error() == EAGAIN) {
        drop_written();
        // A client that does not read its answers is not asked for more requests.
        if (!std::exchange(blocked_, true)) shard_.loop().change(socket_.fd(), *this, http_ == nullptr, true);
        return false;
      }
      broken_ = true;
      if (!std::exchange(in_flush_list_, true)) shard_.want_flush(*this);
      return false;
    }
    shard_.stats().bytes_sent.add(*written);
    take_written(*written);
  }
  queue_.clear();
  queue_head_ = 0;
  if (queue_.capacity() > queue_capacity_kept) queue_.shrink_to_fit();
  if (std::exchange(blocked_, false)) shard_.loop().change(socket_.fd(), *this, true, false);
  return true;
}

void Connection::take_written(std::size_t bytes) {
  queued_bytes_ -= bytes;
  while (bytes > 0) {
    Chunk& chunk = queue_[queue_head_];
    if (bytes < chunk.bytes.size()) {
      chunk.bytes.remove_prefix(bytes);
      return;
    }
    bytes -= chunk.bytes.size();
    chunk.owner.reset();
    ++queue_head_;
  }
}

void Connection::drop_written() {
  if (queue_head_ < written_chunks_kept || queue_head_ < queue_.size() / 2) return;
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(queue_head_));
  queue_head_ = 0;
}

// --- the end ---

// Everything is written: tell the peer, and give it time to take it before the socket goes (a socket that is closed
// with unread input resets the connection, and the peer may lose our last words).
void Connection::begin_closing() {
  if (std::exchange(writes_shut_, true)) return;
  socket_.shutdown_writes();
  shard_.timers().set(*this, shard_.loop().now() + service_.limits.close_timeout);
}

void Connection::on_deadline(TimePoint) {
  switch (state_) {
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
  if (state_ == State::reading_request && !http_->parser.started() && queue_.empty()) end();
}

void Connection::cut() {
  detach_handler(false);
  end();
}

void Connection::end() {
  if (std::exchange(state_, State::ended) == State::ended) return;
  shard_.timers().clear(*this);
  if (socket_.is_open()) shard_.loop().unwatch(socket_.fd(), *this);
  socket_.close();
  queue_.clear();
  queued_bytes_ = 0;
  shard_.bury(*this);
}

}  // namespace carillon::runtime
