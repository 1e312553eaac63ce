// What clients have missed, out of the streams of their namespaces.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/history_sweep.hpp"
#include "redis/link.hpp"
#include "socketio/session_port.hpp"

namespace carillon::cluster {

// One sweep over a stream at a time, for all who have asked until it begins: when a node has died, thousands come back at
// once. Owned by the backplane's shard.
class HistoryReader {
 public:
  struct Settings {
    socketio::PacketFormat format{};
    std::size_t bytes_max = 1024 * 1024;  // of the packets that one client gets
    std::size_t page_entries = 500;       // read at a time
    std::size_t entries_max = 100'000;    // who is further behind, by more than a page, is not recovered
    std::size_t readings_max = 500;       // clients in one sweep: so many histories are in memory at a time
  };
  HistoryReader(redis::Link& link, Settings settings) : link_(link), settings_(settings) {}

  // What the record's client has missed behind `from`. `done` gets none if some of it is gone, it is too much, nobody can know what
  // the client has (its node delivered while Redis was away, see StreamsAdapter), or Redis does not answer. It may be
  // called at once.
  void read(const std::string& stream, socketio::SessionRecord record, const socketio::StreamOffset& from,
            HistorySweep::Done done);

 private:
  struct Stream {
    std::vector<HistorySweep::Reading> waiting{};  // for the next sweep
    std::unique_ptr<HistorySweep> sweep{};
  };
  using Named = std::map<std::string, Stream, std::less<>>::value_type;

  void begin(Named& stream);
  void ask_page(Named& stream);
  void on_page(Named& stream, const redis::Reply& page);
  void end(Named& stream);
  void ask(std::vector<std::string> words, Named& stream,
           std::function<void(Result<redis::Reply, redis::CommandError>&)> done);

  redis::Link& link_;
  Settings settings_;
  std::map<std::string, Stream, std::less<>> streams_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // the link may answer later
};

}  // namespace carillon::cluster
