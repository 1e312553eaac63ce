// What is read of the followed streams, and from where on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "redis/link.hpp"
#include "redis/options.hpp"
#include "redis/outage_log.hpp"
#include "redis/reply_error.hpp"
#include "redis/statistics.hpp"
#include "redis/stream_id.hpp"

namespace carillon::redis {

// The dialogue of one connection: XINFO STREAM for each stream, which says where it ends and what of it is left, then
// XREAD again and again. It waits on the other side (BLOCK) once there is nothing more to read. A stream that gives as
// many entries at once as were asked for is inspected again, since it may be trimmed faster than it is read.
//
// Owned by the backplane's shard. Positions outlive the connections.
class StreamReader {
 public:
  StreamReader(const ClientOptions& options, Statistics& statistics, OutageLog& log)
      : options_(options),
        statistics_(statistics),
        log_(log),
        count_(std::max<std::size_t>(options.stream_read_count_max, 1)) {}

  // From the end of the stream on, wherever that is when the first connection asks.
  void follow(std::string stream);
  bool empty() const { return streams_.empty(); }

  // A connection is up: positions are checked. / It is down.
  void start();
  void stop();
  // It broke because an answer was too long: fewer entries next time. If a single one is too long, all streams are
  // followed from their ends again.
  void shrink();
  // The first read of this connection has been answered.
  bool complete() const { return complete_; }

  struct Request {
    Command command;
    std::vector<std::string> words;
  };
  // What is to be sent now, in order; empty while answers are awaited.
  std::vector<Request> take_requests();

  // Answers in the order of the requests, the error "no such key" among them. False: nonsense. `listener` may be null.
  bool on_inspected(const Reply& reply, LinkListener* listener);
  bool on_read(const Reply& reply, LinkListener* listener);

 private:
  struct Stream {
    std::string name;
    StreamId position{};      // of the last entry that has been read
    bool placed = false;      // the position is known
    bool verified = false;    // on this connection
    bool inspecting = false;  // an XINFO is to be sent
    bool skipping = false;    // what comes next cannot be read, and XINFO would show it, too: reads what is new
    bool skipped = false;     // this has not been told yet
  };
  struct Extent {
    StreamId first{};  // what is left begins with it; the same as the default if nothing is left
    StreamId last{};   // that was ever added
    std::int64_t left = 0;
    std::int64_t added = -1;  // -1: this Redis does not count them
  };

  static bool read_extent(const Reply& reply, Extent& extent);
  static bool has_lost(const Stream& stream, const Extent& extent);
  bool deliver(const Reply& entry, Stream& stream, LinkListener* listener);
  void tell_lost(const Stream& stream, LinkListener* listener);
  Request read_request() const;

  const ClientOptions& options_;
  Statistics& statistics_;
  OutageLog& log_;
  std::deque<Stream> streams_;                                         // a listener may follow() another one
  std::deque<std::size_t> inspected_;                                  // indexes of streams whose XINFO is on the way
  std::vector<std::pair<std::string_view, std::string_view>> fields_;  // scratch
  std::size_t count_;                                                  // of entries per stream and read
  bool up_ = false;
  bool reading_ = false;  // an XREAD is on the way
  bool behind_ = false;   // there may be more
  bool complete_ = false;
};

}  // namespace carillon::redis
