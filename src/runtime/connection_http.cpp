// A connection as long as it speaks HTTP.
#include <string>
#include <utility>

#include "runtime/connection.hpp"
#include "runtime/shard.hpp"

namespace carillon::runtime {

void Connection::read_requests(std::string_view bytes) {
  // Answers are written before more requests are read: what a client pipelines must not pile up here.
  const auto full = [&] { return queue_.bytes() >= service_.limits.write_early_bytes; };
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
  const bool waiting = !parser.started();
  const auto used = parser.feed(bytes);
  // For all of the head, from its first byte; empty lines before it, which are ignored, buy no time.
  if (waiting && parser.started()) shard_.timers().set(*this, shard_.loop().now() + service_.limits.head_timeout);
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
  if (!origin_.trusted && !http_->requests.take(service_.limits.requests, shard_.loop().now())) {
    refuse_request(Refusal::too_many_requests);
    return false;
  }
  const http::Origin origin = http::origin_behind(shard_.trusted_proxies(), origin_, request.headers);
  request.address = origin.address.to_string();
  request.secure = origin.secure;
  request.received_unix_ms = io::Loop::unix_now();
  http_->keep_alive = request.keep_alive;
  http_->is_head = request.method == "HEAD";
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
  const Refusal refusal = refusal_of(error);
  note(refusal);
  http::Response response = service_.error_response(http_status(refusal).value_or(400));
  response.close = true;
  if (handler_waits) {
    if (error == http::ParseError::body_too_large) {
      service_.handler->on_body_refused(*this);
    } else {
      service_.handler->on_closed(*this);
    }
  }
  if (state_ == State::answering) respond(std::move(response));
}

// The time for its head or its body is over.
void Connection::stall_request() {
  const Refusal refusal = http_->parser.head_complete() ? Refusal::body_timeout : Refusal::header_timeout;
  if (std::exchange(http_->body_wanted, false)) service_.handler->on_closed(*this);
  refuse_request(refusal);
  shard_.timers().set(*this, shard_.loop().now() + service_.limits.close_timeout);
}

// Answers it, and ends the connection.
void Connection::refuse_request(Refusal refusal) {
  note(refusal);
  http_->keep_alive = false;
  http::Response response = service_.error_response(http_status(refusal).value_or(400));
  response.close = true;
  respond(std::move(response));
}

void Connection::note(Refusal refusal) {
  shard_.stats().http_errors.add(http_status(refusal) ? 1 : 0);
  shard_.on_refused(refusal, origin_);
}

void Connection::respond(http::Response response) {
  if (state_ != State::answering && !(state_ == State::reading_request && http_)) return;
  const bool body_to_come = http_->head_seen && !http_->parser.complete();
  const bool keep_alive = http_->keep_alive && !response.close && !body_to_come && !shard_.stopping();
  response.omit_body |= http_->is_head;
  queue(http::serialize(response, keep_alive));
  shard_.timers().set(*this, shard_.loop().now() + service_.limits.idle_timeout);  // also to take the answer
  if (!keep_alive) {
    state_ = State::closing;
    return;
  }
  state_ = State::reading_request;
  http_->body_wanted = http_->is_head = false;
  http_->parser.next();
  http_->head_seen = http_->continued = false;
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

}  // namespace carillon::runtime
