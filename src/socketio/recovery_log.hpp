// The node's broadcasts in the order in which every client gets them, numbered, for those who miss some.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "socketio/broadcast.hpp"

namespace carillon::socketio {

// With connection state recovery every broadcast passes through here, and each shard reads it from its own cursor: so the
// positions that a client sees only grow, whichever shards the broadcasts came from, and one position says for all of
// them what the client has. Events to one socket alone do not pass: see RecoveryState.
//
// Shared by the shards, guarded by its mutex: see docs/decisions/0006-recovery-log.md.
class RecoveryLog {
 public:
  struct Limits {
    Milliseconds age_max;
    std::size_t bytes_max;  // beyond it the oldest go, and clients that lack them are not recovered
  };
  RecoveryLog(Limits limits, unsigned shards);

  // Numbers the message, in the place that it has for its offset, and keeps it. `shard_mask`: who delivers it.
  void append(BroadcastPtr message, std::uint64_t shard_mask, TimePoint now);
  // Appends to `out` what this shard has to deliver since its last call. Gives its new cursor: the last position.
  std::uint64_t read(unsigned shard, std::vector<BroadcastPtr>& out);

  struct Kept {
    std::uint64_t position;
    BroadcastPtr message;
  };
  // What can be sent again of the positions behind `after`, up to `upto`; none if the log has lost some of them.
  std::optional<std::vector<Kept>> between(std::uint64_t after, std::uint64_t upto) const;

  // Messages for this node may have been lost: who has not got all up to now cannot be recovered any more.
  void note_gap();
  // Lets go of what is too old.
  void trim(TimePoint now);

  std::uint64_t head() const;
  std::size_t bytes() const;

 private:
  struct Entry {
    BroadcastPtr message;
    std::uint64_t shard_mask;
    std::size_t bytes;
    TimePoint at;
  };
  void trim_locked(TimePoint now);

  const Limits limits_;
  mutable std::mutex mutex_;  // guards all below
  std::deque<Entry> entries_;
  std::uint64_t head_ = 0;   // the last entry's position
  std::uint64_t floor_ = 0;  // of positions up to here some are gone
  std::size_t bytes_ = 0;
  std::vector<std::uint64_t> cursors_;  // by shard
};

}  // namespace carillon::socketio
