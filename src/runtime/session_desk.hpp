// Brings the shards' questions about sessions to the backplane's shard, and the answers back.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/text_hash.hpp"
#include "cluster/history_reader.hpp"
#include "cluster/session_store.hpp"
#include "socketio/session_port.hpp"

namespace carillon::runtime {

class Shard;

// The methods of SessionPort: any shard. All state belongs to the backplane's shard.
class SessionDesk final : public socketio::SessionPort {
 public:
  struct Settings {
    cluster::SessionStore::Settings store;
    cluster::HistoryReader::Settings history;
    std::string node;  // the adapter's uid
    std::function<std::string(std::string_view name_space)> stream_of;
    // Another node's client has come back here.
    std::function<void(const socketio::SessionRecord& found)> tell_taken;
  };
  SessionDesk(Shard& home, redis::Link& link, Settings settings);

  void write(socketio::SessionRecord record, Life life) override;
  void remove(std::string pid, std::string owner) override;
  void opened(std::string_view pid, std::string_view owner, socketio::ShardPort& shard,
              std::function<void()> give_way) override;
  void closed(std::string_view pid, std::string_view owner) override;
  void find(std::string pid, socketio::ShardPort& asker,
            std::function<void(std::optional<socketio::SessionRecord>)> done) override;
  void take(socketio::SessionRecord found, socketio::SessionRecord successor, socketio::ShardPort& asker,
            std::function<void(bool)> done) override;
  void read_history(socketio::SessionRecord record, socketio::StreamOffset from, socketio::ShardPort& asker,
                    std::function<void(std::optional<socketio::History>)> done) override;

  // The record has another owner now; the backplane's shard.
  void on_taken(const std::string& pid, const std::string& owner);

  const cluster::Statistics& statistics() const { return statistics_; }

 private:
  struct Connected {
    std::string owner;
    socketio::ShardPort* shard;
    std::function<void()> give_way;
  };
  void on_home(Task task);
  // Ends the socket that is connected here under the pid, if there is one; `then` runs afterwards, on the home shard.
  void oust(const std::string& pid, Task then);

  Shard& home_;
  Settings settings_;
  cluster::Statistics statistics_;
  cluster::SessionStore store_;
  cluster::HistoryReader history_;
  std::unordered_map<std::string, Connected, TextHash, std::equal_to<>> connected_;  // by pid
};

}  // namespace carillon::runtime
