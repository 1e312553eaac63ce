// One walk over a stream: finds in its entries what some clients have missed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cluster/stream_note.hpp"
#include "redis/link.hpp"
#include "redis/stream_id.hpp"
#include "socketio/session_port.hpp"

namespace carillon::cluster {

// Each entry is decoded once, and its packet made once, whatever the number of clients.
class HistorySweep {
 public:
  using Done = std::function<void(std::optional<socketio::History>)>;
  struct Reading {
    socketio::SessionRecord record;  // with its namespace
    redis::StreamId from;            // what it has
    Done done;                       // called once; none: it cannot be recovered
    socketio::History history{};
    std::size_t bytes = 0;
    std::vector<std::uint64_t> numbers{};  // of events of the session's node
    std::uint64_t mark = 0;                // the last entry that has seen it
    std::optional<std::size_t> begun{};    // entries before the page with the first of them that it has not
  };
  // At least one reading. `bytes_max`: of what one client gets.
  HistorySweep(const socketio::PacketFormat& format, std::size_t bytes_max, std::vector<Reading> readings);
  HistorySweep(const HistorySweep&) = delete;
  HistorySweep& operator=(const HistorySweep&) = delete;

  // The answer to XINFO STREAM: who lacks entries that are gone, cannot be recovered.
  void on_extent(const redis::Reply& info);
  // There is no such stream. What does not exist holds nothing: that is right for who has had nothing of it.
  void on_missing();
  // The answer to XRANGE from behind at() on. False: it is none.
  bool on_page(const redis::Reply& page);

  // Behind each page: who is so far behind is not recovered, and holds up nobody.
  void leave_behind(std::size_t entries_max);

  const redis::StreamId& at() const { return at_; }
  bool is_over() const { return left_ == 0; }
  // For all who are left: that was everything; or, nobody can say.
  void finish();
  void give_up();

 private:
  bool on_entry(const redis::Reply& entry);
  void take(const redis::StreamId& id);
  std::vector<Reading*> receivers(const socketio::Selection& whom, const redis::StreamId& id);
  bool is_in_doubt(const Reading& reading) const;
  void give_up(Reading& reading);

  socketio::PacketFormat format_;
  std::size_t bytes_max_;
  std::vector<Reading> readings_;
  std::unordered_map<std::string_view, std::vector<Reading*>> members_;  // by room
  std::vector<std::pair<std::string, StreamNote>> notes_;                // by node
  std::vector<std::pair<std::string_view, std::string_view>> fields_;    // of the entry at hand
  redis::StreamId at_{};
  std::size_t left_;
  std::size_t entries_ = 0;
  std::size_t entries_before_ = 0;  // the last page
};

}  // namespace carillon::cluster
