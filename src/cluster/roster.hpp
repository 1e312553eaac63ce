// Which Carillon nodes there are, and what each says of itself. Beside the adapter, whichever it is: Node.js servers do not
// listen here.
//
//   question = channel key "-carillon#":      { "ask": id, "from": uid }
//   answer   = channel key "-carillon#uid#":  { "answer": id, "from": uid, "node": { ... } }     ; all JSON
//
// Our own; unknown members are ignored.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <carillon/value.hpp>

#include "base/random.hpp"
#include "cluster/complaints.hpp"
#include "cluster/requests.hpp"

namespace carillon::cluster {

// Owned by the backplane's shard.
class Roster {
 public:
  struct Settings {
    std::string key = "socket.io";
    Milliseconds timeout{5'000};
    std::function<Value()> facts;  // of this node
  };
  // Subscribes. `link`, `statistics` must outlive the object.
  Roster(redis::Link& link, Statistics& statistics, Random& random, Settings settings);

  struct Nodes {
    Array nodes;  // this one first
    std::size_t missing = 0;
  };
  using Done = std::function<void(Nodes)>;
  void ask(Done done, TimePoint now);

  // False: the message is for somebody else.
  bool on_message(std::string_view channel, std::string_view payload);
  TimePoint next_deadline() const { return requests_.next_deadline(); }
  void on_time(TimePoint now) { requests_.on_time(now); }

 private:
  void on_question(const Value& message);
  void on_answer(const Value& message, std::string_view channel);

  redis::Link& link_;
  Random& random_;
  Settings settings_;
  std::string uid_;
  std::string questions_;  // channels
  std::string answers_;
  Requests requests_;
  Complaints complaints_;
};

}  // namespace carillon::cluster
