// Questions to the other servers of the cluster that are waiting for answers: shared by all adapters.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "cluster/statistics.hpp"
#include "redis/link.hpp"
#include "socketio/broadcast.hpp"

namespace carillon::cluster {

// A question goes to all servers that listen, and each answers once. How many that are, Redis says when it is asked: all
// wire formats have a channel that each server subscribes to exactly once. Who does not answer in time, or stops to
// listen, is missing; what the others said is given nevertheless.
// Owned by the backplane's shard.
class Requests {
 public:
  struct Limits {
    Milliseconds requests{5'000};
    Milliseconds acks{10'000};                       // of broadcasts that name none
    std::size_t acks_bytes_max = 16 * 1024 * 1024;   // of clients of other servers to one broadcast
    std::size_t answer_bytes_max = 8 * 1024 * 1024;  // of this server to one question of another one: answer_limit.hpp
  };
  // `link`, `statistics` must outlive the object.
  Requests(redis::Link& link, Statistics& statistics, Limits limits)
      : link_(link), statistics_(statistics), limits_(limits) {}

  struct Question {
    std::string id;           // as it goes over the wire
    std::string channel;      // whose subscribers answer, this server being one of them
    redis::ChannelKind kind;  // of the channel
    socketio::OperationPtr operation;
    std::move_only_function<void()> send;  // when it is known that somebody will answer
    socketio::OperationDone done;          // once, with what has been said until then
  };
  void ask(Question question, TimePoint now);
  // How many servers there are, this one included.
  void count_servers(std::string_view channel, redis::ChannelKind kind, socketio::OperationDone done);

  // --- answers. An id that is none, or not any more, is counted and ignored; so are answers beyond the servers asked.
  bool is_asking(std::string_view id) const { return asked_.contains(id); }
  const socketio::Operation* operation_of(std::string_view id) const;  // null: as is_asking()
  // The answer of one server, which counts as missing, too, if it says that this is not all (missing_servers: 1). `server`,
  // where the wire names it, guards against repeats.
  void answer(std::string_view id, std::string_view server, socketio::OperationResult part);
  // Of a broadcast with acknowledgement: first how many clients a server has, then each client's answer.
  void add_clients(std::string_view id, std::string_view server, std::size_t clients);
  void add_ack(std::string_view id, Args args);

  std::size_t size() const { return asked_.size(); }

  TimePoint next_deadline() const;
  void on_time(TimePoint now);

 private:
  struct Asked {
    Question question;
    TimePoint deadline;
    TimePoint recount_at = never;  // never: the first count is on its way
    std::size_t servers = 0;       // others, when it was asked
    std::size_t answered = 0;
    std::size_t answered_at_recount = 0;  // when there were no more servers than answers; see on_recount()
    bool dwindled = false;
    std::size_t clients = 0;  // emit_with_ack: of those that answered
    std::size_t acks = 0;
    std::size_t acks_bytes = 0;
    std::vector<std::string> who;
    socketio::OperationResult result;
  };
  using Table = std::map<std::string, Asked, std::less<>>;

  Asked* find(std::string_view id);
  bool note_server(Asked& asked, std::string_view server);
  bool is_complete(const Asked& asked) const;
  void check(std::string_view id);
  void finish(Table::iterator found);
  void on_first_count(const std::string& id, std::optional<std::size_t> listeners);
  void on_recount(const std::string& id, std::optional<std::size_t> listeners);

  redis::Link& link_;
  Statistics& statistics_;
  Limits limits_;
  TimePoint now_{};
  std::size_t others_ = 1;  // as of the last count
  Table asked_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // the link may answer later
};

}  // namespace carillon::cluster
