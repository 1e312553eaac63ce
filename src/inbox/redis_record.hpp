// What lies in Redis, and what is said on its channels.
//
//   record   EXPIRES_AT(6) SENT_AT(6) ID_BYTES(2) EVENT_BYTES(4) COLLAPSE_KEY_BYTES(4) id event collapse-key data
//   signal   "n" SP EPOCH SP NUMBER SP record
//   read     "r" SP EPOCH SP UPTO SP UNREAD SP ORIGIN *( SP NUMBER )
//   outcome  "n" SP EPOCH SP NUMBER / "h" SP EPOCH SP NUMBER / "d" SP ID SP RECIPIENTS / "c" / "o" / "-" SP error
//   summary  ID SP SENT_AT SP EXPIRES_AT SP EVENT_BYTES SP COLLAPSE_KEY_BYTES SP USERS LF event collapse-key *( BYTES ":" user ),
//            with its BYTES and SP before it where it lies among others
//
// Our own. Numbers are decimal, those of a record binary: so many bytes, the lowest first. An id, an epoch and an origin (a socket's id, "-" for none) have no blanks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inbox/notification.hpp"
#include "inbox/position.hpp"
#include "inbox/recipient_port.hpp"

namespace carillon::inbox {

std::string encode_record(const Notification& notification);
// None for anything that is no record, as below: Redis may hold what others wrote there.
NotificationPtr decode_record(std::string_view record);

struct DecodedSignal {
  Position position;
  NotificationPtr notification;
};
std::optional<DecodedSignal> decode_signal(std::string_view message);

// What append.lua says of one append.
struct AppendOutcome {
  enum class Kind : std::uint8_t { appended, was_there, key_is_known, key_conflict, key_is_open, error };
  Kind kind;
  std::string text{};  // epoch, id or error
  std::uint64_t number = 0;
};
std::optional<AppendOutcome> decode_outcome(std::string_view text);

std::string encode_read_event(const ReadEvent& event);
// Without the user, whom the channel names.
std::optional<ReadEvent> decode_read_event(std::string_view message);

// What is kept of a notification beside the logs: who was to get it. Without its data.
struct AcceptedSummary {
  Notification notification;
  std::vector<std::string> users;
};
// With its length.
std::string encode_summary(const Notification& notification, const std::vector<std::string>& users);
// Without.
std::optional<AcceptedSummary> decode_summary(std::string_view text);

}  // namespace carillon::inbox
