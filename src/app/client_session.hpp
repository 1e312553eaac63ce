// A client's side of Socket.IO over WebSocket, as much of it as listening takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <carillon/value.hpp>

#include "base/result.hpp"
#include "base/time.hpp"

namespace carillon::app {

// What a session asks of its owner.
class ClientPort {
 public:
  virtual ~ClientPort() = default;
  virtual void send(std::string_view packet) = 0;  // as a text message
  virtual void on_connected(std::string_view socket_id) = 0;
  // `args` are the event's arguments as a JSON array on one line, binary ones as placeholders.
  virtual void on_event(std::string_view event, std::string_view args) = 0;
};

// Connects to the namespace "/" and reports its events; answers pings and acknowledgements. Sans-I/O, one thread.
class ClientSession {
 public:
  struct End {
    bool refused = false;  // the server does not want this client: coming back would not help
    std::string why;
  };

  // `port` must outlive the session.
  ClientSession(Value auth, ClientPort& port) : auth_(std::move(auth)), port_(port) {}

  // Messages of the server. An error is the end of the session.
  Result<void, End> on_text(std::string_view text);
  Result<void, End> on_binary();

  // The connection is lost when nothing has come for so long.
  Milliseconds silence_max() const { return silence_max_; }

 private:
  // An event whose attachments are still coming.
  struct Pending {
    std::string event;
    std::string args;
    std::optional<std::uint64_t> id;
    std::size_t attachments = 0;
  };

  Result<void, End> on_open(std::string_view json);
  Result<void, End> on_message(std::string_view text);
  Result<void, End> on_event(Pending event);
  void report(const Pending& event);

  Value auth_;
  ClientPort& port_;
  Milliseconds silence_max_{45'000};
  std::optional<Pending> pending_;
};

}  // namespace carillon::app
