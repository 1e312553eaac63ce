// Where sessions are kept between two connections of a client.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/value.hpp>

#include "base/task.hpp"
#include "base/time.hpp"
#include "socketio/recovery_state.hpp"
#include "socketio/shard_port.hpp"

namespace carillon::socketio {

class SocketCore;

// A session without a connection.
struct StoredSession {
  std::string sid;
  std::string name_space;
  std::string identity;
  std::vector<std::string> rooms;  // without the room of its own id
  Value data;
  std::unique_ptr<RecoveryState> state;
  // Runs when the session is somewhere else, or forgotten: what was held for it is let go of.
  std::shared_ptr<void> hold;
};

// One for all shards; every method may be called on any of them. `done` runs on the shard that asked, at once or later.
// In memory: MemoryRecoveryStore. A cluster keeps sessions where other nodes find them.
class RecoveryStore {
 public:
  virtual ~RecoveryStore() = default;

  // A socket has connected under this pid. `give_way` ends it in favour of the client's next connection; it runs on the
  // shard, once at most, and keeps the session before it returns.
  virtual void opened(std::string_view pid, std::string_view name_space, std::string_view sid,
                      std::string_view identity, ShardPort& shard, std::function<void()> give_way) = 0;
  // Its connection is lost.
  virtual void keep(StoredSession session, TimePoint now) = 0;
  // It has left by its own will, or by the server's: it does not come back.
  virtual void closed(std::string_view pid) = 0;

  struct Facts {
    std::string sid;
    std::string identity;
  };
  // Who that is, if the session can be taken.
  virtual void find(std::string_view pid, std::string_view name_space, ShardPort& asker,
                    std::function<void(std::optional<Facts>)> done) = 0;
  // Takes the session out; the first who asks gets it. A connected socket gives way.
  virtual void take(std::string_view pid, ShardPort& asker, std::function<void(std::optional<StoredSession>)> done) = 0;

  // Forgets the sessions whose time is over. Whether there are others.
  virtual bool expire(TimePoint now) = 0;
};

}  // namespace carillon::socketio
