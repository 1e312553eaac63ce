#include "socketio/broadcast_answers.hpp"

#include <utility>

#include "socketio/server_core.hpp"
#include "socketio/socket_core.hpp"

namespace carillon::socketio {

std::size_t bytes_of(const Args& args) {
  std::size_t bytes = args.text().size();
  for (const Binary& attachment : args.attachments()) bytes += attachment.bytes.size();
  return bytes;
}

BroadcastAnswers::BroadcastAnswers(ServerCore& server, std::uint64_t id, std::shared_ptr<AckObserver> observer,
                                   Done done)
    : server_(server), id_(id), observer_(std::move(observer)), done_(std::move(done)) {}

void BroadcastAnswers::expect(SocketCore& socket) {
  socket.await_answer(shared_from_this(), waiting_.size());
  waiting_.push_back(&socket);
  ++open_;
}

void BroadcastAnswers::missed(const SocketCore& socket) {
  ++acks_.missing;
  acks_.missing_ids.push_back(socket.id());
}

void BroadcastAnswers::start(Milliseconds timeout) {
  if (observer_) observer_->on_sent(open_);
  if (open_ == 0) return finish();
  server_.surroundings().timers.set(*this, server_.now() + timeout);
}

// What many clients answer is kept until the last has: together they may not take more memory than the limit.
void BroadcastAnswers::answered(std::size_t place, const Args& args) {
  if (observer_) {
    observer_->on_answer(args);
    return settle(place);
  }
  const std::size_t bytes = bytes_of(args);
  if (bytes > server_.options().broadcast_ack_bytes_max - bytes_) {
    server_.stats().acks_dropped.add();
    return gone(place);
  }
  bytes_ += bytes;
  acks_.responses.push_back(args);
  settle(place);
}

void BroadcastAnswers::gone(std::size_t place) {
  missed(*waiting_[place]);
  settle(place);
}

void BroadcastAnswers::settle(std::size_t place) {
  waiting_[place] = nullptr;
  if (--open_ == 0) finish();
}

void BroadcastAnswers::on_deadline(TimePoint now) {
  const auto keep = shared_from_this();
  server_.set_time(now);
  for (SocketCore* socket : waiting_) {
    if (socket == nullptr) continue;
    missed(*socket);
    socket->forget_answer(*this);
  }
  finish();
}

void BroadcastAnswers::finish() {
  server_.surroundings().timers.clear(*this);
  waiting_.clear();
  done_(std::move(acks_));
}

}  // namespace carillon::socketio
