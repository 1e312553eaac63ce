// Sessions of clients that may come back, in Redis.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "cluster/statistics.hpp"
#include "redis/link.hpp"
#include "socketio/session_port.hpp"

namespace carillon::cluster {

// Only its owner changes or removes a record; scripts see to that. A record of a published server has no owner: it is
// written when that server's connection ends, perhaps long after the client came here, so a renewal replaces it. While
// Redis is away nothing is kept: what cannot be written now is written when the record is renewed. Owned by the
// backplane's shard.
class SessionStore {
 public:
  struct Settings {
    std::string key_prefix = "sio:session:";
    Milliseconds away_max{120'000};       // without a connection
    Milliseconds renew_interval{30'000};  // of records of connected sockets: their node may die just before the next
    std::size_t record_bytes_max = 1024 * 1024;
    std::size_t in_flight_max = 500;   // commands that Redis has; others wait, so that it has time for the rest
    std::size_t waiting_max = 50'000;  // commands
  };
  using OnTaken = std::function<void(const std::string& pid, const std::string& owner)>;
  // `on_taken`: the record is not this owner's any more. The references must outlive the object.
  SessionStore(redis::Link& link, Statistics& statistics, Settings settings, OnTaken on_taken);

  void write(const socketio::SessionRecord& record, socketio::SessionPort::Life life);
  void remove(std::string_view pid, std::string_view owner);
  void find(std::string pid, std::function<void(std::optional<socketio::SessionRecord>)> done);
  void take(const socketio::SessionRecord& found, const socketio::SessionRecord& successor,
            std::function<void(bool)> done);

 private:
  using Done = std::function<void(Result<redis::Reply, redis::CommandError>&)>;
  struct Command {
    std::vector<std::string> words;
    std::string key;
    Done done;  // may be empty
  };
  void run(Command command);
  void send_waiting();
  void on_reply(const Done& done, Result<redis::Reply, redis::CommandError> reply);
  std::string key_of(std::string_view pid) const { return settings_.key_prefix + std::string(pid); }
  std::string ttl(Milliseconds of) const { return std::to_string(of.count()); }

  redis::Link& link_;
  Statistics& statistics_;
  Settings settings_;
  OnTaken on_taken_;
  std::deque<Command> waiting_;
  std::size_t in_flight_ = 0;
  bool is_sending_ = false;
  bool told_ = false;                                           // that Redis refuses
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // the link may answer later
};

}  // namespace carillon::cluster
