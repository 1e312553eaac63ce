// What the servers of a cluster say when all of them are asked. A server that does not answer in time never fails the
// whole: what the others said is there, and how many are missing.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/args.hpp>
#include <carillon/remote_socket.hpp>

namespace carillon {

namespace socketio {
class ServerEventTarget;
}

struct FetchedSockets {
  std::vector<RemoteSocket> sockets;
  std::size_t missing_servers = 0;
};
using FetchHandler = std::function<void(const FetchedSockets&)>;

struct FoundRooms {
  std::vector<std::string> rooms;  // each once, those of single sockets included
  std::size_t missing_servers = 0;
};
using RoomsHandler = std::function<void(const FoundRooms&)>;

struct ServerAnswers {
  std::vector<Value> responses;  // one per other server that answered
  std::size_t missing_servers = 0;
};
using ServerAnswersHandler = std::function<void(const ServerAnswers&)>;

using ServerCountHandler = std::function<void(std::size_t servers)>;  // this one included

// Answers a server-side event. Copyable; any thread; the first call counts, and calls after the server has gone, or
// where the other server wants no answer, do nothing.
class ServerAnswer {
 public:
  explicit ServerAnswer(std::shared_ptr<socketio::ServerEventTarget> target) : target_(std::move(target)) {}
  bool is_wanted() const { return target_ != nullptr; }
  void operator()(Value value) const;

 private:
  std::shared_ptr<socketio::ServerEventTarget> target_;
};
using ServerEventHandler = std::function<void(const Args&, const ServerAnswer&)>;
using AnyServerEventHandler = std::function<void(std::string_view event, const Args&, const ServerAnswer&)>;

}  // namespace carillon
