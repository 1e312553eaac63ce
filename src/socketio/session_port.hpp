// Sessions that the cluster keeps: recovery with the streams adapter. See docs/decisions/0010-recovery-by-the-stream.md.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/value.hpp>

#include "base/time.hpp"
#include "engineio/frames.hpp"
#include "socketio/recovery.hpp"
#include "socketio/shard_port.hpp"
#include "socketio/stream_offset.hpp"

namespace carillon::socketio {

// What is known of a socket wherever its client comes back.
struct SessionRecord {
  std::string pid{};
  std::string owner{};       // of the record, 16 characters, others for each connection; empty: a published server
  std::string mark{};        // of a record that was found: how it is known, as long as it has this owner
  std::string name_space{};  // empty: not said
  std::string sid{};
  std::string identity{};
  std::string node{};                // which wrote it, filled in by the cluster; empty: not said
  std::vector<std::string> rooms{};  // that of its own id among them
  Value data{};
  StreamOffset proven{};  // the client has everything up to here
};

// What a client has missed, ready to be sent.
struct History {
  std::vector<engineio::FramesPtr> events;
  StreamOffset upto;  // the last entry that was read
};

// Called on any shard; `done` runs on the shard that asked, later, and not at all if that ends before. The cluster itself
// answers on the backplane's shard.
class SessionPort {
 public:
  virtual ~SessionPort() = default;

  enum class Life : std::uint8_t {
    fresh,      // has connected just now
    connected,  // has changed, or is to be kept
    lost,       // its connection is
  };
  virtual void write(SessionRecord record, Life life) = 0;
  // It has left by its own will, or by the server's: it does not come back.
  virtual void remove(std::string pid, std::string owner) = 0;

  // A socket of this node is connected under the pid, and owns the record. `give_way` ends it in favour of another one; on its
  // shard, once at most.
  virtual void opened(std::string_view pid, std::string_view owner, ShardPort& shard,
                      std::function<void()> give_way) = 0;
  // Perhaps after another one has been opened.
  virtual void closed(std::string_view pid, std::string_view owner) = 0;

  virtual void find(std::string pid, ShardPort& asker, std::function<void(std::optional<SessionRecord>)> done) = 0;
  // Makes `successor` of what was found, if nobody else was faster. Then a socket that is connected here gives way, before `done`.
  virtual void take(SessionRecord found, SessionRecord successor, ShardPort& asker, std::function<void(bool)> done) = 0;
  // Everything for the record behind the offset; none if some of it is gone, it is too much, or nobody can know what
  // the client has.
  virtual void read_history(SessionRecord record, StreamOffset from, ShardPort& asker,
                            std::function<void(std::optional<History>)> done) = 0;
};

// What the shards of a node share.
struct StreamRecovery {
  RecoveryRules rules;
  SessionPort& sessions;
  Milliseconds renew_interval{30'000};
  std::function<std::size_t(std::string_view name_space)> stream_of;  // numbers from 0 on; any shard
};

}  // namespace carillon::socketio
