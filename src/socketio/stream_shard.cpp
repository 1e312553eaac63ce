#include "socketio/stream_shard.hpp"

#include <algorithm>
#include <utility>

#include "socketio/namespace_core.hpp"
#include "socketio/server_core.hpp"
#include "socketio/socket_core.hpp"

namespace carillon::socketio {
namespace {

constexpr Milliseconds renew_step{1'000};

}  // namespace

// Each step renews as many records that all have had their turn after the interval.
class StreamShard::RenewTimer final : public Timer {
 public:
  explicit RenewTimer(StreamShard& shard) : shard_(shard) {}
  void on_deadline(TimePoint now) override {
    shard_.server_.set_time(now);
    auto& sockets = shard_.renewed_;
    const auto steps = std::max<std::size_t>(
        1, static_cast<std::size_t>(shard_.recovery_.renew_interval.count() / renew_step.count()));
    for (std::size_t left = (sockets.size() + steps - 1) / steps; left > 0; --left) {
      if (shard_.next_renewed_ >= sockets.size()) shard_.next_renewed_ = 0;
      sockets[shard_.next_renewed_++]->write_session(SessionPort::Life::connected);
    }
    if (!sockets.empty()) set(now);
  }
  void set(TimePoint now) { shard_.server_.surroundings().timers.set(*this, now + renew_step); }

 private:
  StreamShard& shard_;
};

StreamShard::StreamShard(ServerCore& server, StreamRecovery& recovery)
    : server_(server), recovery_(recovery), timer_(std::make_unique<RenewTimer>(*this)) {}

StreamShard::~StreamShard() = default;

// --- broadcasts of this node ---

void StreamShard::hold(const BroadcastPtr& message) {
  auto& receivers = receivers_[message.get()];
  if (NamespaceCore* name_space = server_.find_namespace(message->name_space)) name_space->hold(*message, receivers);
}

void StreamShard::hold_for(SocketCore& socket, const BroadcastPtr& message) {
  socket.hold(*message);
  receivers_[message.get()].push_back(socket.weak_from_this());
}

void StreamShard::release(const Broadcast& message, const engineio::FramesPtr& frames, const StreamOffset& entry) {
  if (entry.exists()) note_entry(message.name_space, entry);
  const auto found = receivers_.extract(&message);
  if (!found) return;
  for (const auto& receiver : found.mapped())
    if (const auto socket = receiver.lock()) socket->place(message, frames, entry);
}

// --- where this shard is ---

StreamOffset StreamShard::position(std::string_view name_space) const {
  const std::size_t stream = recovery_.stream_of(name_space);
  return stream < positions_.size() ? positions_[stream] : StreamOffset{};
}

void StreamShard::note_entry(std::string_view name_space, const StreamOffset& entry) {
  set_position(recovery_.stream_of(name_space), entry);
}

void StreamShard::set_position(std::size_t stream, const StreamOffset& position) {
  if (stream >= positions_.size()) positions_.resize(stream + 1);
  positions_[stream] = position;
}

// --- records ---

void StreamShard::add(SocketCore& socket) {
  socket.stream()->renew_place = renewed_.size();
  renewed_.push_back(&socket);
  if (timer_->deadline() == never) timer_->set(server_.now());
}

void StreamShard::remove(SocketCore& socket) {
  SocketCore*& place = renewed_[socket.stream()->renew_place];
  place = renewed_.back();
  place->stream()->renew_place = socket.stream()->renew_place;
  renewed_.pop_back();
}

}  // namespace carillon::socketio
