// The acknowledgements that one shard waits for after one broadcast.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <carillon/broadcast_operator.hpp>

#include "base/time.hpp"
#include "base/timer_wheel.hpp"
#include "socketio/broadcast.hpp"

namespace carillon::socketio {

class ServerCore;
class SocketCore;

// What an answer counts for, where many are kept.
std::size_t bytes_of(const Args& args);

// Owned by one shard: by the sockets that have not answered yet. Ends when none of them is left, or at the deadline.
class BroadcastAnswers final : public Timer, public std::enable_shared_from_this<BroadcastAnswers> {
 public:
  using Done = std::move_only_function<void(BroadcastAcks)>;
  // With an observer the answers go to it, and are not kept.
  BroadcastAnswers(ServerCore& server, std::uint64_t id, std::shared_ptr<AckObserver> observer, Done done);

  std::uint64_t id() const { return id_; }  // of the packet that was sent
  // Before start(): the socket has got the packet, or has not because it could not take it at once.
  void expect(SocketCore& socket);
  void missed(const SocketCore& socket);
  void start(Milliseconds timeout);

  // Called by the sockets, which have forgotten it by then. `place`: as they were given it.
  void answered(std::size_t place, const Args& args);
  void gone(std::size_t place);

  void on_deadline(TimePoint now) override;

 private:
  void settle(std::size_t place);
  void finish();

  ServerCore& server_;
  std::uint64_t id_;
  std::shared_ptr<AckObserver> observer_;
  Done done_;
  std::vector<SocketCore*> waiting_;  // null: settled
  std::size_t open_ = 0;              // that are not
  std::size_t bytes_ = 0;             // of the answers
  BroadcastAcks acks_;
};

}  // namespace carillon::socketio
