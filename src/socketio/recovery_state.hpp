// What one socket needs in order to be recovered: who it is, and what was sent to it alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engineio/frames.hpp"
#include "socketio/recovery_budget.hpp"
#include "socketio/recovery_log.hpp"
#include "socketio/recovery_offset.hpp"

namespace carillon::socketio {

// Lives in the socket, on its shard; goes with the session to wherever the client comes back. `cursor` is always the
// position up to which the shard has delivered the log.
//
// The client has the broadcasts up to the position of the offset that it brings, and the events of its own up to the
// offset's number or, where it has none, those that were sent before that broadcast. Beside this counts what a pong has
// proven: Engine.IO packets keep their order, so who answers a ping has got everything sent before it.
class RecoveryState {
 public:
  // `start`: the cursor when the socket connected. `bytes_max` is what it may keep; where all sessions together are
  // beyond the budget, whoever is sent something keeps nothing.
  RecoveryState(std::string pid, std::uint64_t start, std::size_t bytes_max, std::shared_ptr<RecoveryBudget> budget);
  ~RecoveryState();
  RecoveryState(const RecoveryState&) = delete;
  RecoveryState& operator=(const RecoveryState&) = delete;

  const std::string& pid() const { return pid_; }

  // The offset of the next event to this socket alone. keep() it, unless it has been sent and need not come again.
  RecoveryOffset next(std::uint64_t cursor) { return {cursor, ++sent_}; }
  void keep(const RecoveryOffset& offset, engineio::FramesPtr frames);
  // The offset of an event that never comes again.
  RecoveryOffset current(std::uint64_t cursor) const { return {cursor, sent_}; }

  void joined(std::string_view room, std::uint64_t cursor) { note({std::string(room), cursor, true}); }
  void left(std::string_view room, std::uint64_t cursor) { note({std::string(room), cursor, false}); }

  // A ping is sent, behind everything else; the pong to it has come.
  void ping_sent(std::uint64_t cursor) { pinged_ = RecoveryOffset{cursor, sent_}; }
  void pong();
  // The session goes on with another connection: an outstanding ping proves nothing any more.
  void forget_ping() { pinged_.reset(); }

  // What the client has missed, in order; `rooms` are those that it was in at the end. None if something of it is gone
  // or the offset is none of this session's. `offset` none: it has had no event.
  std::optional<std::vector<engineio::FramesPtr>> missed(const std::optional<RecoveryOffset>& offset,
                                                         const RecoveryLog& log, std::uint64_t cursor,
                                                         std::string_view name_space, std::string_view sid,
                                                         const std::vector<std::string>& rooms) const;

 private:
  struct Direct {
    RecoveryOffset offset;
    engineio::FramesPtr frames;
  };
  struct Change {
    std::string room;
    std::uint64_t at;  // concerns the broadcasts behind this position
    bool joined;
  };
  void note(Change change);
  void drop_oldest();
  bool was_in(std::string_view room, std::uint64_t position, const std::vector<std::string>& rooms) const;
  bool received(const Broadcast& message, std::uint64_t position, std::string_view sid,
                const std::vector<std::string>& rooms) const;

  std::string pid_;
  std::deque<Direct> directs_;   // not proven yet
  std::vector<Change> changes_;  // of rooms, not older than what is proven
  std::optional<RecoveryOffset> pinged_;
  RecoveryOffset proven_;           // the client has got everything up to here
  std::uint64_t sent_ = 0;          // events to this socket alone
  std::uint64_t lost_ = 0;          // of them, the last one that is gone because of the limit
  std::uint64_t changes_lost_ = 0;  // the position of the last change that there was no room for
  std::size_t bytes_ = 0;
  std::size_t bytes_max_;
  std::shared_ptr<RecoveryBudget> budget_;
};

}  // namespace carillon::socketio
