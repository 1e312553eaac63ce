// One socket of a user, as the delivery core sees it. Implemented over carillon::Socket, by tests and by the simulator.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inbox/notification.hpp"
#include "inbox/position.hpp"

namespace carillon::inbox {

// Notifications that a client will not get.
struct Gap {
  enum class Reason : std::uint8_t {
    limit,  // the user's limits have dropped the oldest
    epoch,  // the log was lost: numbers begin anew
  };
  Reason reason = Reason::limit;
  std::string epoch;
  std::uint64_t from = 0;  // the first and the last of them; 0 where that is not known
  std::uint64_t to = 0;
};

// Entries were marked as read by another of the user's sockets, or through the API.
struct ReadEvent {
  std::string user;
  std::string epoch;
  std::vector<std::uint64_t> numbers;  // these,
  std::uint64_t upto = 0;              // and all up to here
  std::uint64_t unread = 0;            // that are left
  std::string origin;                  // the socket that knows already
};

// Called on the recipient's shard.
class RecipientPort {
 public:
  virtual ~RecipientPort() = default;
  // Emits the notification; with acknowledgements the answer is Recipient::on_acknowledged().
  virtual void send(const Notification& notification, const Position& position) = 0;
  // Sends a transport ping behind everything sent before, unless one is unanswered: Recipient::on_ping_sent().
  virtual void ping() = 0;
  virtual void tell_gap(const Gap& gap) = 0;
  virtual void tell_read(const ReadEvent& event) = 0;
};

}  // namespace carillon::inbox
