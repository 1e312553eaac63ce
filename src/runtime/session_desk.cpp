#include "runtime/session_desk.hpp"

#include <utility>

#include "runtime/shard.hpp"

namespace carillon::runtime {

SessionDesk::SessionDesk(Shard& home, redis::Link& link, Settings settings)
    : home_(home),
      settings_(std::move(settings)),
      store_(link, statistics_, settings_.store,
             [this](const std::string& pid, const std::string& owner) { on_taken(pid, owner); }),
      history_(link, settings_.history) {}

void SessionDesk::on_home(Task task) {
  if (home_.is_current()) {
    task();
  } else {
    home_.post(std::move(task));
  }
}

void SessionDesk::oust(const std::string& pid, Task then) {
  auto socket = connected_.extract(pid);
  if (!socket) return then();
  socketio::ShardPort& shard = *socket.mapped().shard;
  shard.post([this, give_way = std::move(socket.mapped().give_way), then = std::move(then)]() mutable {
    give_way();
    home_.post(std::move(then));
  });
}

// Its client may have come back here since.
void SessionDesk::on_taken(const std::string& pid, const std::string& owner) {
  const auto socket = connected_.find(pid);
  if (socket != connected_.end() && socket->second.owner == owner) oust(pid, [] {});
}

void SessionDesk::write(socketio::SessionRecord record, Life life) {
  on_home([this, record = std::move(record), life]() mutable {
    record.node = settings_.node;
    store_.write(record, life);
  });
}

void SessionDesk::remove(std::string pid, std::string owner) {
  on_home([this, pid = std::move(pid), owner = std::move(owner)] { store_.remove(pid, owner); });
}

void SessionDesk::opened(std::string_view pid, std::string_view owner, socketio::ShardPort& shard,
                         std::function<void()> give_way) {
  on_home([this, pid = std::string(pid), owner = std::string(owner), &shard, give_way = std::move(give_way)]() mutable {
    connected_.insert_or_assign(std::move(pid), Connected{std::move(owner), &shard, std::move(give_way)});
  });
}

void SessionDesk::closed(std::string_view pid, std::string_view owner) {
  on_home([this, pid = std::string(pid), owner = std::string(owner)] {
    const auto socket = connected_.find(pid);
    if (socket != connected_.end() && socket->second.owner == owner) connected_.erase(socket);
  });
}

void SessionDesk::find(std::string pid, socketio::ShardPort& asker,
                       std::function<void(std::optional<socketio::SessionRecord>)> done) {
  on_home([this, pid = std::move(pid), &asker, done = std::move(done)]() mutable {
    store_.find(std::move(pid), [&asker, done = std::move(done)](std::optional<socketio::SessionRecord> record) {
      asker.post([done, record = std::move(record)]() mutable { done(std::move(record)); });
    });
  });
}

void SessionDesk::take(socketio::SessionRecord found, socketio::SessionRecord successor, socketio::ShardPort& asker,
                       std::function<void(bool)> done) {
  on_home([this, found = std::move(found), successor = std::move(successor), &asker, done = std::move(done)]() mutable {
    successor.node = settings_.node;
    store_.take(found, successor, [this, &asker, done = std::move(done), found](bool is_ours) {
      if (!is_ours) return asker.post([done] { done(false); });
      if (!found.owner.empty() && found.node != settings_.node) settings_.tell_taken(found);
      oust(found.pid, [&asker, done] { asker.post([done] { done(true); }); });
    });
  });
}

void SessionDesk::read_history(socketio::SessionRecord record, socketio::StreamOffset from, socketio::ShardPort& asker,
                               std::function<void(std::optional<socketio::History>)> done) {
  on_home([this, record = std::move(record), from, &asker, done = std::move(done)]() mutable {
    const std::string stream = settings_.stream_of(record.name_space);
    history_.read(stream, std::move(record), from,
                  [&asker, done = std::move(done)](std::optional<socketio::History> history) {
                    asker.post([done, history = std::move(history)]() mutable { done(std::move(history)); });
                  });
  });
}

}  // namespace carillon::runtime
